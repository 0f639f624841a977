"""The structs of a request's body. Items and tools stay plain JSON: `items` and `tools` read them, kind by kind."""

from msgspec import Struct

NAME = "openai_responses"


class WireReasoning(Struct, frozen=True):
    """How much to think, and whether to tell of it."""

    effort: str | None = None
    summary: str | None = None


class WireFormat(Struct, frozen=True):
    """The form of an answer."""

    type: str = "text"
    name: str | None = None
    schema: dict[str, object] | None = None
    strict: bool | None = None


class WireText(Struct, frozen=True):
    """How the answer's words shall be."""

    format: WireFormat | None = None
    verbosity: str | None = None


class ResponsesBody(Struct, frozen=True, kw_only=True):
    """What of `POST /v1/responses` is read here. None is absent. All other fields ride along."""

    model: str
    input: str | list[dict[str, object]] | None = None
    instructions: str | list[dict[str, object]] | None = None
    stream: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    top_logprobs: int | None = None
    tools: list[dict[str, object]] | None = None
    tool_choice: str | dict[str, object] | None = None
    parallel_tool_calls: bool | None = None
    reasoning: WireReasoning | None = None
    text: WireText | None = None
    include: list[str] | None = None
    store: bool | None = None
    background: bool | None = None
    previous_response_id: str | None = None
    conversation: str | dict[str, object] | None = None
    prompt_cache_key: str | None = None
    safety_identifier: str | None = None
    user: str | None = None
