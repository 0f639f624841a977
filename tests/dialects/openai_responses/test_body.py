"""Bodies for an upstream of this dialect."""

from typing import Any

import msgspec
import pytest

from rixin.core.json import JsonObject
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Generate, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat, Tool, ToolChoice
from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.openai_responses.upstream import UPSTREAM
from rixin.errors import RixinError
from tests.dialects.openai_responses.asking import ask, parse
from tests.dialects.support import CARDS, ask_chat

SCHEMA: JsonObject = {"type": "object", "properties": {}}
PATCH = {"type": "custom", "name": "apply_patch", "format": {"type": "text"}}
CLOCK = {"type": "namespace", "name": "clock", "tools": [{"type": "function", "name": "sleep", "parameters": SCHEMA}]}
HISTORY: list[dict[str, Any]] = [
    {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "e"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
    {"type": "function_call", "call_id": "1", "name": "sleep", "namespace": "clock", "arguments": "{}"},
    {"type": "custom_tool_call", "call_id": "2", "name": "apply_patch", "input": "*** Begin"},
    {"type": "tool_search_call", "call_id": "3", "execution": "client", "arguments": {"query": "mail"}},
    {
        "type": "local_shell_call",
        "call_id": "4",
        "status": "completed",
        "action": {"command": ["ls"], "type": "exec"},
    },
    {"type": "function_call_output", "call_id": "1", "output": "slept"},
    {"type": "custom_tool_call_output", "call_id": "2", "output": "ok"},
    {"type": "tool_search_output", "call_id": "3", "execution": "client", "tools": []},
    {"type": "local_shell_call_output", "call_id": "4", "output": "a.txt"},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_image", "image_url": "data:image/png;base64,AA", "detail": "high"},
            {"type": "input_file", "file_id": "file-1"},
            {"type": "input_future", "x": 1},
        ],
    },
    {"type": "web_search_call", "id": "ws"},
]


def body_of(request: Generate) -> Any:
    """What an upstream would be sent."""
    return UPSTREAM.build_body(request)


def test_a_clients_own_body_goes_out_as_it_came() -> None:
    """But for the model's name and the storing, which is ours: null, unknown fields and items stay."""
    fields = {"input": HISTORY, "tools": [PATCH, CLOCK], "reasoning": None, "x_new": {"a": 1}, "stream": True}
    body = body_of(ask(model="alias", **fields))
    assert body == {"model": "true-model", **fields, "store": False}


def test_an_edited_conversation_is_rendered_item_by_item() -> None:
    """Each call in the kind of its tool, each output beside it."""
    tools = [PATCH, CLOCK, {"type": "tool_search"}, {"type": "local_shell"}]
    request = ask(tools=tools, input=HISTORY)
    body = body_of(request.edit(messages=request.messages))
    assert body["input"] == HISTORY
    assert "instructions" not in body


def test_an_upstream_has_each_tool_once() -> None:
    """Where a hosted tool is dropped, the rest is declared as it was, and items declare nothing any more."""
    additional = {"type": "additional_tools", "role": "developer", "tools": [CLOCK]}
    body = body_of(ask(tools=[{"type": "web_search"}, PATCH], input=[additional, HISTORY[1]]))
    assert body["tools"][0] == PATCH
    assert (body["tools"][1]["name"], body["tools"][1]["tools"]) == ("clock", CLOCK["tools"])
    assert body["input"] == [HISTORY[1]]


def test_without_tools_their_fields_go() -> None:
    """A hosted tool that was the only one leaves nothing behind."""
    body = body_of(ask(tools=[{"type": "web_search"}], tool_choice="auto"))
    assert not {"tools", "tool_choice"} & body.keys()


def test_another_dialects_request_is_rendered() -> None:
    """All that this wire has words for; and nothing is to be stored."""
    request = ask_chat(
        messages=[
            {"role": "system", "content": "s"},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": "c", "content": "r"},
        ],
        tools=[{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
        max_tokens=9,
        temperature=0.5,
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        logprobs=True,
        top_logprobs=2,
        stream=True,
        user="u",
    )
    assert body_of(request) == {
        "model": "up-model",
        "input": [
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "s"}]},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"}],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "r"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}],
        "tool_choice": {"type": "function", "name": "f"},
        "parallel_tool_calls": False,
        "max_output_tokens": 9,
        "temperature": 0.5,
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}},
        "include": ["message.output_text.logprobs"],
        "top_logprobs": 2,
        "stream": True,
        "user": "u",
        "store": False,
    }


def test_what_another_dialect_sends_is_read_back_the_same() -> None:
    """A rendered body, parsed again, is the same request."""
    request = Generate(
        model="up-model",
        card=CARDS["up-model"],
        messages=(
            Message(role="system", parts=(TextPart("s"),)),
            Message(role="user", parts=(TextPart("a"), DocumentPart(url="data:text/plain;base64,AA", name="n"))),
            Message(
                role="assistant",
                parts=(
                    ReasoningPart(text="t", signature="e"),
                    TextPart("b"),
                    ToolCall(id="c", name="f", arguments='{"a":1}'),
                ),
            ),
            Message(
                role="tool",
                parts=(
                    ToolResult(
                        call_id="c",
                        parts=(TextPart("r"), ImagePart(url="https://x")),
                    ),
                ),
            ),
        ),
        tools=(Tool(name="f", description="d", parameters=SCHEMA, strict=True),),
        tool_choice=ToolChoice("required"),
        sampling=Sampling(temperature=0.5, top_k=3),
        stop=("x",),
        response_format=ResponseFormat(kind="json_object"),
        reasoning=ReasoningWish(effort="high"),
    )
    read = parse(msgspec.json.encode(body_of(request)))
    assert read.messages[:3] == request.messages[:3]
    assert read.messages[3].parts[0].parts == (TextPart("r"), ImagePart(url="https://x", detail="auto"))  # type: ignore[union-attr]
    for name in ("tool_choice", "sampling", "stop", "response_format", "reasoning"):
        assert getattr(read, name) == getattr(request, name)
    assert [msgspec.structs.replace(tool, origin=None) for tool in read.tools] == [*request.tools]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (ReasoningWish(), None),
        (ReasoningWish(enabled=False, effort="high"), {"effort": "none"}),
        (ReasoningWish(enabled=True, budget=1000), None),
    ],
)
def test_switches_for_thinking(wish: ReasoningWish, said: object) -> None:
    """Off is an effort of none; what this wire has no word for is left to the model."""
    request = Generate(model="m", card=CARDS["up-model"], reasoning=wish)
    assert body_of(request).get("reasoning") == said


def test_a_bare_prompt_is_the_users() -> None:
    """This wire has no continuation."""
    body = body_of(Generate(model="m", card=CARDS["up-model"], prompt="Once"))
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "Once"}]


def test_a_video_has_no_form_here() -> None:
    """It is refused in words, not dropped."""
    message = Message(role="user", parts=(VideoPart(url="https://x.test/a.mp4"),))
    with pytest.raises(RixinError, match="video"):
        body_of(Generate(model="m", card=CARDS["up-model"], messages=(message,)))


def test_the_dialect_is_served_and_spoken() -> None:
    """Its routes and its upstream's path."""
    assert DIALECT.routes[0].paths == (
        "/v1/responses",
        "/compatible-mode/v1/responses",
        "/compatible-mode/v2/responses",
    )
    assert UPSTREAM.path == "/responses"
    assert UPSTREAM.auth_headers("k") == {"authorization": "Bearer k"}


def test_r29_an_upstream_is_told_a_stored_history_without_our_names() -> None:
    """It would look for them in vain, and for thoughts that are known by nothing else."""
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": "Hi"}
    summary = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Short."}]}
    sealed = {**summary, "encrypted_content": "gAAAA"}
    told = {**summary, "content": [{"type": "reasoning_text", "text": "Long."}]}
    body = body_of(ask(input=[message, summary, sealed, told], previous_response_id="resp_1"))
    assert "previous_response_id" not in body
    assert body["input"] == [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "reasoning", "summary": summary["summary"], "encrypted_content": "gAAAA"},
        {"type": "reasoning", "summary": summary["summary"], "content": told["content"]},
    ]
