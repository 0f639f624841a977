"""The body that an upstream is sent."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.core.requests import Generate, Origin, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat, Tool, ToolChoice
from rixin.dialects.openai_chat.body import RENDERINGS, build_body
from rixin.dialects.openai_chat.upstream import UPSTREAM
from rixin.errors import RixinError
from tests.dialects.support import ask_chat, ask_prompt, card_of, parse

FUNCTION: dict[str, Any] = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": None},
}
RICH: dict[str, Any] = {
    "model": "alias",
    "messages": [
        {"role": "developer", "content": "Be brief.", "cache_control": {"type": "ephemeral"}},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "42"}]},
        {"role": "user", "content": [{"type": "input_audio", "input_audio": {}}, {"type": "text", "text": "Hi"}]},
    ],
    "tools": [FUNCTION, {"type": "web_search"}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "temperature": 0.5,
    "max_completion_tokens": 100,
    "top_k": None,
    "stop": "END",
    "stream": True,
    "stream_options": {"include_usage": True, "chunk_size": 5},
    "reasoning_effort": "low",
    "enable_thinking": True,
    "metadata": {"a": 1},
    "store": None,
}


def sent(request: Generate) -> Any:
    """A request's body, without the model."""
    body = build_body(request)
    assert body.pop("model") == request.card.target
    return body


def foreign(**fields: Any) -> Generate:
    """A request that came in another dialect."""
    return Generate(model="m", card=card_of("alias"), origin=Origin("another", b"{}"), **fields)


def test_a_chat_goes_out_as_it_came() -> None:
    """Null, absent and unknown fields survive; only the model's name is the upstream's own."""
    request = parse("/v1/chat/completions", json.dumps(RICH).encode())
    body = build_body(request)
    assert body == {**RICH, "model": "true-model"}
    assert list(body) == list(RICH)
    body["messages"] = []
    assert build_body(request)["messages"], "each body is a fresh one"


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
TOOLS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries({"type": st.just("x_tool")}, optional={"y": JSON})
BODIES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "model": st.just("alias"),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["system", "user", "assistant", "developer"]), "content": WORDS},
                optional={"x_more": JSON, "name": WORDS | st.none()},
            ),
            min_size=1,
            max_size=4,
        ),
    },
    optional={
        "temperature": st.none() | st.floats(0, 2),
        "stop": st.none() | st.lists(WORDS.filter(bool), max_size=3),
        "stream": st.none() | st.booleans(),
        "tools": st.none() | st.lists(TOOLS, max_size=2),
        "x_unknown": JSON,
    },
)


@settings(max_examples=200, deadline=None)
@given(BODIES)
def test_building_undoes_parsing(body: dict[str, Any]) -> None:
    """Any chat is the same body again, up to the model's name."""
    request = parse("/v1/chat/completions", msgspec.json.encode(body))
    assert build_body(request) == {**body, "model": "true-model"}


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"max_tokens": 50}, {"max_completion_tokens": 50}),
        ({"max_tokens": None}, {"max_completion_tokens": ...}),
        ({"sampling": Sampling(top_p=0.5)}, {"temperature": ..., "top_k": ..., "top_p": 0.5}),
        ({"stop": ()}, {"stop": ...}),
        ({"stop": ("a", "b")}, {"stop": ["a", "b"]}),
        ({"stream": False}, {"stream": ...}),
        ({"include_usage": False}, {"stream_options": {"include_usage": False, "chunk_size": 5}}),
        ({"include_usage": None}, {"stream_options": {"chunk_size": 5}}),
        ({"stream": False, "include_usage": None}, {"stream": ..., "stream_options": ...}),
        (
            {"reasoning": ReasoningWish(enabled=False)},
            {"reasoning_effort": ..., "enable_thinking": ..., "thinking": {"type": "disabled"}},
        ),
        (
            {"tools": (Tool(name="g"),)},
            {"tools": [{"type": "function", "function": {"name": "g"}}, {"type": "web_search"}]},
        ),
        (
            {"tools": (), "extra": {}, "tool_choice": None},
            {"tools": ..., "tool_choice": ..., "metadata": ..., "store": ...},
        ),
        ({"extra": {"metadata": {"b": 2}}}, {"metadata": {"b": 2}, "store": ...}),
        (
            {"messages": (Message(role="user", parts=(TextPart("Bye"),)),)},
            {"messages": [{"role": "user", "content": "Bye"}]},
        ),
        ({"n": 2}, {"n": 2}),
        ({"user": "u"}, {"user": "u"}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"response_format": ResponseFormat(kind="json_object")}, {"response_format": {"type": "json_object"}}),
        ({"parallel_tool_calls": True}, {"parallel_tool_calls": True}),
        ({"card": card_of("up-model")}, {}),
        ({"session": "s"}, {}),
    ],
)
def test_an_edit_changes_only_its_own_fields(edit: dict[str, Any], expected: dict[str, Any]) -> None:
    """What was edited is rendered anew, under the client's own names; all else stays."""
    request = parse("/v1/chat/completions", json.dumps(RICH).encode()).edit(**edit)
    wanted = {name: value for name, value in {**RICH, **expected}.items() if value is not ... and name != "model"}
    assert sent(request) == wanted


def test_every_attribute_of_a_request_is_said_or_known_to_stay() -> None:
    """A new field of `Generate` must be given its rendering here."""
    unsaid = {"model", "card", "max_tokens_binding", "session", "fairness_key", "knowledge_tokens", "observer", "extra"}
    unsaid |= {"form", "peculiar", "turn", "thoughts", "recall", "changes", "origin", "edited"}
    assert set(Generate.__struct_fields__) - unsaid == set(RENDERINGS)


def test_a_foreign_request_is_rendered() -> None:
    """Every attribute of a request from another dialect has its field."""
    request = foreign(
        messages=(Message(role="user", parts=(TextPart("Hi"),)),),
        tools=(
            Tool(name="f", description="d", parameters={"type": "object"}, strict=True),
            Tool(name="p", kind="custom", format={"type": "text"}),
        ),
        tool_choice=ToolChoice("named", "p"),
        parallel_tool_calls=False,
        sampling=Sampling(temperature=0.5, logit_bias={"5": 1}),
        max_tokens=10,
        stop=("END",),
        n=2,
        logprobs=True,
        top_logprobs=2,
        response_format=ResponseFormat(kind="json_schema", schema={"type": "object"}, strict=True),
        reasoning=ReasoningWish(effort="low", enabled=True, budget=100),
        stream=True,
        user="u",
        extra={"theirs": 1},
    )
    assert sent(request) == {
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [
            {"type": "function", "function": {**FUNCTION["function"], "strict": True}},
            {"type": "custom", "custom": {"name": "p", "format": {"type": "text"}}},
        ],
        "tool_choice": {"type": "custom", "custom": {"name": "p"}},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "logit_bias": {"5": 1},
        "max_tokens": 10,
        "stop": ["END"],
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "reasoning_effort": "low",
        "thinking": {"type": "enabled", "budget_tokens": 100},
        "stream": True,
        "stream_options": {"include_usage": True},
        "user": "u",
    }


def test_a_foreign_request_says_only_what_it_has() -> None:
    """Defaults are left to the upstream."""
    request = foreign(messages=(Message(role="user", parts=(TextPart("Hi"),)),), tool_choice=ToolChoice("auto"))
    assert sent(request) == {"messages": [{"role": "user", "content": "Hi"}], "tool_choice": "auto"}


def test_a_prompt_goes_out_as_a_prompt() -> None:
    """A bare prompt has its own path, and no messages."""
    assert sent(ask_prompt(logprobs=2)) == {"prompt": "Once", "logprobs": 2}
    assert sent(foreign(prompt="Once", logprobs=True, top_logprobs=2)) == {"prompt": "Once", "logprobs": 2}
    assert (UPSTREAM.path, UPSTREAM.prompt_path) == ("/chat/completions", "/completions")


def conversation(*messages: Message) -> Any:
    """The messages that a foreign conversation becomes."""
    return sent(foreign(messages=messages))["messages"]


def test_an_assistants_turn_is_rendered() -> None:
    """Thoughts under the model's own name, words, a refusal, calls; null where there are only calls."""
    call, custom = (
        ToolCall(id="c", name="f", arguments="{}"),
        ToolCall(id="p", name="patch", arguments="*", kind="custom"),
    )
    said = Message(role="assistant", parts=(ReasoningPart(text="Hm"), TextPart("Hi"), RefusalPart("No."), call, custom))
    rendered_calls = [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "p", "type": "custom", "custom": {"name": "patch", "input": "*"}},
    ]
    assert conversation(said) == [
        {
            "role": "assistant",
            "content": "Hi",
            "reasoning_content": "Hm",
            "refusal": "No.",
            "tool_calls": rendered_calls,
        }
    ]
    assert conversation(Message(role="assistant", parts=(call,))) == [
        {"role": "assistant", "content": None, "tool_calls": rendered_calls[:1]}
    ]
    assert conversation(Message(role="assistant", parts=())) == [{"role": "assistant", "content": ""}]
    summary = Message(role="assistant", parts=(ReasoningPart(summary=("a", "b"), signature="s"), TextPart("Hi")))
    assert conversation(summary) == [{"role": "assistant", "content": "Hi", "reasoning_content": "a\nb"}]


def test_tool_results_come_before_the_rest_of_their_turn() -> None:
    """Each result is a message; its images, and what the user said beside it, follow in one."""
    turn = Message(
        role="user",
        parts=(
            TextPart("And?"),
            ToolResult(call_id="a", parts=(TextPart("1"), ImagePart(url="u"))),
            ToolResult(call_id="b", parts=(TextPart("no such file"),), is_error=True, name="f"),
        ),
    )
    assert conversation(turn) == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "name": "f", "content": "Error: no such file"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And?"}, {"type": "image_url", "image_url": {"url": "u"}}],
        },
    ]
    only = Message(role="tool", parts=(ToolResult(call_id="a", parts=()),))
    assert conversation(only) == [{"role": "tool", "tool_call_id": "a", "content": ""}]


def test_media_are_rendered() -> None:
    """URLs as they are, base64 as data URLs of the type that its first bytes show, documents as files or text."""
    parts = (
        ImagePart(url="https://a.example/1.png", detail="low"),
        ImagePart(base64="iVBORw0KGgo="),
        ImagePart(base64="/9j/4AAQ"),
        ImagePart(base64="UklGRg=="),
        VideoPart(url="v"),
        DocumentPart(text="words", name="a.txt"),
        DocumentPart(base64="AA==", name="a.pdf"),
        DocumentPart(url="data:text/plain;base64,AA=="),
        DocumentPart(file_id="file-1"),
        Opaque(dialect="openai_chat", kind="input_audio", value={"type": "input_audio"}),
        Opaque(dialect="another", kind="x", value={"type": "x"}),
    )
    (message,) = conversation(Message(role="user", parts=parts, name="ann"))
    assert message == {
        "role": "user",
        "name": "ann",
        "content": [
            {"type": "image_url", "image_url": {"url": "https://a.example/1.png", "detail": "low"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9j/4AAQ"}},
            {"type": "image_url", "image_url": {"url": "data:image/webp;base64,UklGRg=="}},
            {"type": "video_url", "video_url": {"url": "v"}},
            {"type": "text", "text": "a.txt:\nwords"},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"}},
            {"type": "file", "file": {"file_data": "data:text/plain;base64,AA=="}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "input_audio"},
        ],
    }


def test_a_file_that_nobody_resolved_is_refused() -> None:
    """An image or video known only by an id has no form on this wire."""
    for part in (ImagePart(file_id="f"), VideoPart(file_id="f")):
        with pytest.raises(RixinError, match="id of its file"):
            conversation(Message(role="user", parts=(part,)))


def test_hidden_faults_of_a_body_are_refused_too() -> None:
    """What no struct looks at is decoded only here, and is refused as a client's fault."""
    request = parse("/v1/chat/completions", b'{"model":"alias","messages":[{"role":"user","content":"Hi","x":"\xff"}]}')
    with pytest.raises(RixinError, match="UTF-8"):
        build_body(request)


def test_the_key_is_a_bearer_token() -> None:
    """The header is the one that OpenAI-compatible upstreams read."""
    assert UPSTREAM.auth_headers("sk-1") == {"authorization": "Bearer sk-1"}


def test_foreign_structured_content_without_an_origin() -> None:
    """A request that nobody sent (the house's own) is rendered like a foreign one."""
    request = msgspec.structs.replace(ask_chat(metadata={"a": 1}), origin=None)
    assert sent(request) == {"messages": [{"role": "user", "content": "Hi"}]}


def test_parts_of_the_native_platform_become_this_dialects() -> None:
    """An upstream knows raw base64 by its data URL only; a client's own parts stay as they are."""
    own = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}, "extra": 1}
    foreign = {"type": "image_base64", "image_base64": "iVBORw0KGgo="}
    rendered = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    for part, sent in ((own, own), (foreign, rendered)):
        request = ask_chat(messages=[{"role": "user", "content": [part]}])
        assert build_body(request)["messages"] == [{"role": "user", "content": [sent]}]
