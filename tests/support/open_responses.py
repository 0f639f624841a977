"""The seven checks of the Open Responses specification: their requests, and what must be in an answer.

Source: the specification's schema of 2026-04.
"""

from typing import Any

import msgspec
from msgspec import Struct


class CachedTokens(Struct):
    """Details of the input."""

    cached_tokens: int


class ReasoningTokens(Struct):
    """Details of the output."""

    reasoning_tokens: int


class Counts(Struct):
    """Usage."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: CachedTokens
    output_tokens_details: ReasoningTokens


class Reason(Struct):
    """Why a response is incomplete."""

    reason: str


class Failure(Struct):
    """Why a response failed."""

    code: str
    message: str


class OutputText(Struct, tag="output_text"):
    """Words."""

    text: str
    annotations: list[dict[str, Any]]
    logprobs: list[dict[str, Any]]


class RefusalContent(Struct, tag="refusal"):
    """A refusal."""

    refusal: str


class ReasoningText(Struct, tag="reasoning_text"):
    """A thought."""

    text: str


class SummaryText(Struct, tag="summary_text"):
    """What a thought was about."""

    text: str


class MessageItem(Struct, tag="message"):
    """A message."""

    id: str
    status: str
    role: str
    content: list[OutputText | RefusalContent]


class FunctionCall(Struct, tag="function_call"):
    """A call."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: str


class ReasoningItem(Struct, tag="reasoning"):
    """Thoughts."""

    id: str
    summary: list[SummaryText]


Item = MessageItem | FunctionCall | ReasoningItem


class FunctionTool(Struct, tag="function"):
    """A function on offer."""

    name: str
    description: str | None
    parameters: dict[str, Any] | None
    strict: bool | None


class TextForm(Struct, tag="text"):
    """Any text."""


class SchemaForm(Struct, tag="json_schema"):
    """JSON by a schema."""

    name: str
    description: str | None
    schema: dict[str, Any] | None
    strict: bool


class TextField(Struct):
    """How the words were to be."""

    format: TextForm | SchemaForm


class ReasoningField(Struct):
    """How much was to be thought."""

    effort: str | None
    summary: str | None


class ResponseResource(Struct):
    """The response object: every field is required."""

    id: str
    object: str
    created_at: int
    completed_at: int | None
    status: str
    incomplete_details: Reason | None
    model: str
    previous_response_id: str | None
    instructions: str | None
    output: list[Item]
    error: Failure | None
    tools: list[FunctionTool]
    tool_choice: str | dict[str, Any]
    truncation: str
    parallel_tool_calls: bool
    text: TextField
    top_p: float
    presence_penalty: float
    frequency_penalty: float
    top_logprobs: int
    temperature: float
    reasoning: ReasoningField | None
    usage: Counts | None
    user: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    store: bool
    background: bool
    service_tier: str
    metadata: dict[str, str]
    safety_identifier: str | None
    prompt_cache_key: str | None


class Lifecycle(Struct):
    """An event that holds the response."""

    sequence_number: int
    response: ResponseResource


class ItemEvent(Struct):
    """An event that holds an item."""

    sequence_number: int
    output_index: int
    item: Item


class PartEvent(Struct):
    """An event that holds a part."""

    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    part: OutputText | RefusalContent | ReasoningText


class TextDelta(Struct):
    """More words."""

    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    delta: str


class TextDone(Struct):
    """All words."""

    sequence_number: int
    item_id: str
    output_index: int
    content_index: int
    text: str


class ArgumentsDelta(Struct):
    """More arguments."""

    sequence_number: int
    item_id: str
    output_index: int
    delta: str


class ArgumentsDone(Struct):
    """All arguments."""

    sequence_number: int
    item_id: str
    output_index: int
    arguments: str


EVENTS: dict[str, type[Struct]] = {
    "response.created": Lifecycle,
    "response.in_progress": Lifecycle,
    "response.completed": Lifecycle,
    "response.output_item.added": ItemEvent,
    "response.output_item.done": ItemEvent,
    "response.content_part.added": PartEvent,
    "response.content_part.done": PartEvent,
    "response.output_text.delta": TextDelta,
    "response.output_text.done": TextDone,
    "response.function_call_arguments.delta": ArgumentsDelta,
    "response.function_call_arguments.done": ArgumentsDone,
}

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "get_weather",
        "description": "Tells the weather of a place.",
        "parameters": {
            "type": "object",
            "properties": {"location": {"type": "string"}},
            "required": ["location"],
        },
    }
]
IMAGE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGM8ISfHwMDAxMDA"
    "wMDAAAANBAEIfXHKZgAAAABJRU5ErkJggg=="
)
"""Four red pixels."""
CHECKS: dict[str, dict[str, Any]] = {
    "basic-response": {"input": [{"type": "message", "role": "user", "content": "Say hello."}]},
    "streaming-response": {"input": "Count from 1 to 5.", "stream": True},
    "system-prompt": {
        "input": [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": "Hi"}],
    },
    "tool-calling": {"input": "What is the weather in Paris?", "tools": TOOLS},
    "tool-calling-streaming": {"input": "What is the weather in Paris?", "tools": TOOLS, "stream": True},
    "image-input": {
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": IMAGE},
                ],
            }
        ]
    },
    "multi-turn": {
        "input": [
            {"role": "user", "content": "I am Ada."},
            {"role": "assistant", "content": "Hello Ada."},
            {"role": "user", "content": "Who am I?"},
        ]
    },
}
"""The request of each check."""


def check_response(check: str, body: bytes | str | dict[str, Any]) -> ResponseResource:
    """Makes sure that a response has every field with its type, is completed, and holds what its check asks for."""
    resource = (
        msgspec.convert(body, ResponseResource)
        if isinstance(body, dict)
        else msgspec.json.decode(body, type=ResponseResource)
    )
    assert (resource.object, resource.status, resource.error) == ("response", "completed", None)
    assert resource.completed_at is not None
    assert resource.completed_at >= resource.created_at
    assert resource.usage is not None
    assert resource.output
    assert any(isinstance(item, FunctionCall) for item in resource.output) is check.startswith("tool")
    return resource


def check_events(check: str, events: list[dict[str, Any]]) -> None:
    """Makes sure that each event is known and has its fields, and that the last one holds the response."""
    for event in events:
        msgspec.convert(event, EVENTS[event["type"]])
    assert events[-1]["type"] == "response.completed"
    check_response(check, events[-1]["response"])
