"""What an upstream of this dialect is sent."""

import json
from typing import Any

import pytest

from rixin.core.cards import ModelCard
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Generate, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat, Tool, ToolChoice
from rixin.dialects.anthropic.body import FALLBACK_MAX_TOKENS, build_body
from rixin.dialects.anthropic.upstream import auth_headers
from rixin.errors import RixinError
from tests.dialects.anthropic.asking import TOOL, ask, assistant, text, tool_use, user
from tests.dialects.support import ask_chat

CARD = ModelCard(name="alias", target="claude-true", max_output_length=8000)


def build(*messages: Message, **fields: Any) -> dict[str, Any]:
    """The body for a conversation that came in another dialect."""
    return build_body(Generate(model="alias", card=CARD, messages=messages, **fields))


def said(*parts: Any) -> Message:
    """A user's message."""
    return Message(role="user", parts=parts)


def blocks(*parts: Any) -> Any:
    """The blocks of a user's message."""
    return build(said(*parts, TextPart("x")))["messages"][0]["content"][:-1]


def test_a_request_of_this_dialect_goes_out_as_it_came() -> None:
    """But for the model's name and the line of attribution; marks, betas and server tools are the client's own."""
    body: dict[str, Any] = {
        "model": "alias",
        "max_tokens": 10,
        "system": [{"type": "text", "text": "You.", "cache_control": {"type": "ephemeral"}}],
        "tools": [TOOL, {"type": "web_search_20250305", "name": "web_search"}],
        "context_management": {"edits": []},
        "thinking": {"type": "adaptive", "display": "omitted"},
        "messages": [user(text("Hi")), assistant(tool_use("t1"))],
    }
    billing = [text("x-anthropic-billing-header: cch=1;")]
    request = ask(**{**body, "system": billing + body["system"]})
    assert build_body(request) == {**body, "model": "true-model"}


def test_what_was_edited_is_rendered_anew() -> None:
    """The rest stays the client's own."""
    request = ask(max_tokens=10, metadata={"user_id": "u"}, temperature=0.3, system="You.")
    edited = request.edit(max_tokens=5, messages=(said(TextPart("Bye")),), extra={"container": "c"}, user=None)
    assert build_body(edited) == {
        "model": "up-model",
        "max_tokens": 5,
        "temperature": 0.3,
        "messages": [{"role": "user", "content": "Bye"}],
        "container": "c",
    }


def test_a_request_of_chat_is_rendered() -> None:
    """Every field that this wire knows has its place."""
    request = ask_chat(
        model="alias",
        messages=[
            {"role": "system", "content": "You."},
            {"role": "system", "content": "Are."},
            {"role": "user", "content": "Hi"},
        ],
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        seed=1,
        stop=["###"],
        user="u",
        stream=True,
        max_tokens=7,
        tools=[{"type": "function", "function": {"name": "f", "description": "D", "strict": True}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
    )
    assert build_body(request) == {
        "model": "true-model",
        "max_tokens": 7,
        "system": "You.\n\nAre.",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [
            {
                "name": "f",
                "description": "D",
                "input_schema": {"type": "object", "properties": {}},
                "strict": True,
            }
        ],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 3,
        "stop_sequences": ["###"],
        "stream": True,
        "metadata": {"user_id": "u"},
    }


def test_turns_of_a_side_become_one_message_with_results_first() -> None:
    """Anthropic wants every result in the message that follows the calls, before anything else."""
    body = build(
        said(TextPart("Go")),
        Message(
            role="assistant",
            parts=(
                ReasoningPart(text="Hm", signature="s"),
                ReasoningPart(text="unsigned"),
                TextPart("Ok"),
                ToolCall(id="functions.f:0", name="f", arguments='{"x":1}'),
                ToolCall(id="b", name="g", arguments="free", kind="custom"),
                RefusalPart("No."),
            ),
        ),
        Message(role="system", parts=(TextPart("Mind."),)),
        Message(role="tool", parts=(ToolResult(call_id="functions.f:0", parts=(TextPart("1"),)),)),
        Message(role="tool", parts=(ToolResult(call_id="b", parts=(), is_error=True),)),
        said(TextPart("And?")),
    )
    _, made, answered = body["messages"]
    made_id = made["content"][2]["id"]
    assert made == {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
            {"type": "text", "text": "Ok"},
            {"type": "tool_use", "id": made_id, "name": "f", "input": {"x": 1}},
            {"type": "tool_use", "id": "b", "name": "g", "input": {"input": "free"}},
            {"type": "text", "text": "No."},
        ],
    }
    assert str(made_id).replace("_", "").isalnum()
    assert answered == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": made_id, "content": "1"},
            {"type": "tool_result", "tool_use_id": "b", "is_error": True},
            {"type": "text", "text": "<system-reminder>\nMind.\n</system-reminder>"},
            {"type": "text", "text": "And?"},
        ],
    }


def test_media_have_their_blocks() -> None:
    """By address, base64, data URL, file or text."""
    assert blocks(
        ImagePart(url="https://example.org/a.png"),
        ImagePart(url="data:image/webp;base64,UklG"),
        ImagePart(base64="iVBORw0K"),
        ImagePart(file_id="f1"),
        DocumentPart(url="data:application/pdf;base64,JVBE", name="P"),
        DocumentPart(text="words"),
        DocumentPart(base64="JVBE"),
        DocumentPart(file_id="f2"),
    ) == [
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "UklG"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0K"}},
        {"type": "image", "source": {"type": "file", "file_id": "f1"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            "title": "P",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}},
        {"type": "document", "source": {"type": "file", "file_id": "f2"}},
    ]


@pytest.mark.parametrize(
    "part", [VideoPart(url="https://example.org/a.mp4"), ImagePart(url="data:image/svg+xml,<svg>")]
)
def test_what_has_no_block_is_refused(part: VideoPart | ImagePart) -> None:
    """An error instead of a silent loss."""
    with pytest.raises(RixinError, match="cannot be sent to this model"):
        blocks(part)


def test_several_answers_are_refused() -> None:
    """This wire gives one."""
    with pytest.raises(RixinError) as caught:
        build(said(TextPart("Hi")), n=2)
    assert caught.value.param == "n"


@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        (ReasoningWish(), {}),
        (ReasoningWish(enabled=False, effort="none"), {"thinking": {"type": "disabled"}}),
        (ReasoningWish(effort="none"), {"thinking": {"type": "disabled"}}),
        (ReasoningWish(enabled=True), {"thinking": {"type": "adaptive"}}),
        (ReasoningWish(enabled=True, budget=2000), {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (ReasoningWish(enabled=True, budget=9000), {"thinking": {"type": "enabled", "budget_tokens": 7999}}),
        (ReasoningWish(enabled=True, budget=10), {"thinking": {"type": "enabled", "budget_tokens": 1024}}),
        (
            ReasoningWish(effort="minimal"),
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
    ],
)
def test_a7_a_wish_to_think_is_rendered(wish: ReasoningWish, fields: dict[str, Any]) -> None:
    """Switch, budget below the answer's limit, and effort in this wire's words."""
    body = build(said(TextPart("Hi")), reasoning=wish)
    assert {name: body[name] for name in ("thinking", "output_config") if name in body} == fields


def test_the_limit_is_the_clients_the_models_or_ours() -> None:
    """Anthropic demands one."""
    assert build(said(), max_tokens=5)["max_tokens"] == 5
    assert build(said())["max_tokens"] == 8000
    bare = Generate(model="m", card=ModelCard(name="m", target="m"), prompt="Once")
    assert build_body(bare) == {
        "model": "m",
        "max_tokens": FALLBACK_MAX_TOKENS,
        "messages": [{"role": "user", "content": "Once"}],
    }


def test_a22_schemas_are_objects_with_properties() -> None:
    """Whatever a client left out of a schema is put in; custom tools take an object with their text."""
    schemas: list[Any] = [
        None,
        {"properties": {"x": {}}},
        {"type": "object", "additionalProperties": False},
        {"type": "object", "properties": {}, "$defs": {}},
    ]
    tools = tuple(Tool(name=f"t{index}", parameters=schema) for index, schema in enumerate(schemas))
    sent = build(said(), tools=(*tools, Tool(name="c", kind="custom")), tool_choice=ToolChoice("required"))
    assert [tool["input_schema"] for tool in sent["tools"]] == [
        {"type": "object", "properties": {}},
        {"properties": {"x": {}}, "type": "object"},
        {"type": "object", "additionalProperties": False, "properties": {}},
        {"type": "object", "properties": {}, "$defs": {}},
        {
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
            "additionalProperties": False,
        },
    ]
    assert sent["tool_choice"] == {"type": "any"}


def test_a_schema_for_the_answer_goes_into_the_output_config() -> None:
    """JSON of any kind has no word here."""
    form = ResponseFormat(kind="json_schema", schema={"type": "object"})
    body = build(said(), response_format=form, sampling=Sampling(seed=1))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    assert "output_config" not in build(said(), response_format=ResponseFormat(kind="json_object"))


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("sk-ant-api03-x", {"x-api-key"}),
        ("sk-ant-oat01-x", {"authorization"}),
        ("sk-other", {"authorization", "x-api-key"}),
    ],
)
def test_a19_a_key_goes_where_its_vendor_looks(key: str, names: set[str]) -> None:
    """Anthropic's own keys go to one header; gateways are given both."""
    headers = auth_headers(key)
    assert headers.pop("anthropic-version") == "2023-06-01"
    assert set(headers) == names
    assert json.dumps(headers).count(key) == len(names)
