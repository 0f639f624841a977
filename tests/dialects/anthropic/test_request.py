"""What clients of Messages send, read; rows A2, A3, A7, A16, A17, A19 and A20 of the agents' hard cases."""

import json
from typing import Any

import msgspec
import pytest

from rixin.core.messages import Message, TextPart
from rixin.core.requests import Change, Count, ReasoningWish
from rixin.core.tools import ResponseFormat
from rixin.dialects.anthropic import DIALECT
from rixin.dialects.base import Call
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.asking import (
    TOOL,
    ask,
    assistant,
    chat_messages,
    parse,
    roles,
    text,
    tool_result,
    tool_use,
    user,
)
from tests.dialects.support import card_of

BILLING = "x-anthropic-billing-header: cc_version=2.1.330.3b8; cc_entrypoint=sdk-cli; cch=0a1b2;"

DEEP: dict[str, Any] = json.loads('{"x":' * 70 + "1" + "}" * 70)


def check_refused(param: str, **fields: Any) -> RixinError:
    """A body is refused, naming the field."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.param == param
    return caught.value


@pytest.mark.parametrize(
    ("system", "left"),
    [
        (BILLING, []),
        (f"{BILLING}\nYou are an agent.", ["You are an agent."]),
        ([text(BILLING), text("You are an agent."), text("Be brief.")], ["You are an agent.\n\nBe brief."]),
        ([text("X-Anthropic-Billling-Header : a"), text("You.")], ["You."]),
        ([text(f"{BILLING}\nYou.")], ["You."]),
    ],
)
def test_a2_the_billing_text_is_stripped(system: Any, left: list[str]) -> None:
    """The line of attribution at the head is dropped, and the client is told."""
    request = ask(system=system)
    assert [message.text for message in request.messages if message.role == "system"] == left
    assert request.changes == (Change("drop_billing_header", "system"),)


@pytest.mark.parametrize("system", ["You are an agent.", [text("You are an agent."), text(BILLING)], [], "", None])
def test_a2_nothing_but_the_head_is_stripped(system: Any) -> None:
    """The same words further down are the client's own."""
    request = ask(system=system)
    assert request.changes == ()
    assert request.messages[0].text == ("" if not system else "You are an agent.") + (
        f"\n\n{BILLING}" if isinstance(system, list) and system else ""
    ) or roles(request) == ["user"]


def test_a3_marks_for_caches_are_accepted_and_not_sent_on() -> None:
    """`cache_control` may stand on any block, and a Chat upstream sees none of it."""
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    request = ask(
        system=[{**text("You"), **mark}, {**text("are."), **mark}],
        tools=[{**TOOL, **mark}],
        messages=[
            user({**text("Hi"), **mark}),
            assistant({**tool_use("t1"), **mark}),
            user({**tool_result("t1", [{**text("ok"), **mark}]), **mark}),
        ],
        cache_control={"type": "ephemeral"},
    )
    assert CHAT.upstream is not None
    assert b"cache_control" not in msgspec.json.encode(CHAT.upstream.build_body(request))
    assert chat_messages(request)[0] == {"role": "system", "content": "You\n\nare."}


@pytest.mark.parametrize(
    ("fields", "wish"),
    [
        ({}, ReasoningWish()),
        ({"thinking": {"type": "enabled", "budget_tokens": 31999}}, ReasoningWish(enabled=True, budget=31999)),
        ({"thinking": {"type": "enabled", "display": "omitted"}}, ReasoningWish(enabled=True)),
        ({"thinking": {"type": "disabled"}}, ReasoningWish(enabled=False)),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "high"}},
            ReasoningWish(effort="high"),
        ),
        ({"output_config": {"effort": "max", "task_budget": {"type": "tokens"}}}, ReasoningWish(effort="max")),
    ],
)  # fmt: skip
def test_a7_thinking_and_effort_are_one_wish(fields: dict[str, Any], wish: ReasoningWish) -> None:
    """Switch, budget and effort are read together, and no effort is refused."""
    assert ask(**fields).reasoning == wish


def test_a16_a_count_is_asked_like_an_answer() -> None:
    """`count_tokens` holds system, tools and images; it needs no limit of the answer's length."""
    body = {"model": "up-model", "messages": [{"role": "user", "content": "foo"}], "tools": [TOOL], "system": "You."}
    for prefix in ("/v1", "/anthropic/v1"):
        route = next(route for route in DIALECT.routes if f"{prefix}/messages/count_tokens" in route.paths)
        count = route.parse(Call(body=msgspec.json.encode(body)), card_of)
        assert isinstance(count, Count)
        assert (len(count.request.tools), roles(count.request)) == (1, ["system", "user"])


def test_a17_any_name_is_asked_for_and_told() -> None:
    """The card says which model answers; the request keeps the name that was asked."""
    request = ask(model="alias")
    assert (request.model, request.card.target) == ("alias", "true-model")


@pytest.mark.parametrize(("model", "kind"), [("nobody", Kind.MODEL_NOT_FOUND), ("embedder", Kind.MODEL_NOT_FOUND)])
def test_a17_a_model_that_is_not_there_is_not_found(model: str, kind: Kind) -> None:
    """Neither an unknown name nor a model without answers."""
    with pytest.raises(RixinError) as caught:
        ask(model=model)
    assert caught.value.kind is kind


def test_a19_unknown_fields_ride_along() -> None:
    """Betas of today and tomorrow are accepted."""
    fields: dict[str, Any] = {
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "container": "container_1",
        "mcp_servers": [{"type": "url", "url": "https://example.org", "name": "m"}],
        "service_tier": "auto",
        "of_tomorrow": {"a": [1]},
    }
    assert ask(**fields, inference_geo=None).extra == fields


@pytest.mark.parametrize(
    ("headers", "user_id", "session"),
    [
        ({"x-claude-code-session-id": "s1"}, '{"session_id":"s2"}', "s1"),
        ({}, '{"device_id":"d","session_id":"s2"}', "s2"),
        ({}, "user_abc_account__session_8e81bf4d-8761", "8e81bf4d-8761"),
        ({}, "alice", "alice"),
        ({}, "{}", "{}"),
        ({}, None, None),
    ],
)
def test_a19_the_session_is_known_by_header_or_user(
    headers: dict[str, str], user_id: str | None, session: str | None
) -> None:
    """Claude Code names its conversation in a header and in `metadata.user_id`."""
    request = ask(headers, metadata={"user_id": user_id})
    assert (request.session, request.user) == (session, user_id)


def test_a20_sampling_stops_and_prefill_are_mapped() -> None:
    """Numbers and stop sequences have their fields, and what the assistant has begun stays the last message."""
    request = ask(
        temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["###"], max_tokens=100, stream=True,
        messages=[user(text("Hi")), assistant(text("{"))],
    )  # fmt: skip
    sampling = request.sampling
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.5, 0.9, 40)
    assert (request.stop, request.max_tokens, request.stream) == (("###",), 100, True)
    assert request.messages[-1] == Message(role="assistant", parts=(TextPart("{"),))


def test_a_response_format_is_read_from_both_of_its_places() -> None:
    """`output_config.format`, and the elder `output_format`."""
    form = {"type": "json_schema", "schema": {"type": "object"}}
    expected = ResponseFormat(kind="json_schema", schema={"type": "object"}, strict=True)
    assert ask(output_config={"format": form}).response_format == expected
    assert ask(output_format=form).response_format == expected


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": []}),
    ("messages[0].role", {"messages": [{"role": "judge", "content": "x"}]}),
    ("messages[0].content", {"messages": [{"role": "user"}]}),
    ("messages[0].content[0].type", {"messages": [user({"text": "x"})]}),
    ("messages[0].content[0].text", {"messages": [user({"type": "text"})]}),
    ("messages[0].content[0].text", {"messages": [user({"type": "text", "text": 1})]}),
    ("messages[0].content[0].source", {"messages": [user({"type": "image", "source": {"type": "x"}})]}),
    ("messages[0].content[0].source", {"messages": [user({"type": "document"})]}),
    ("messages[0].content[0].type", {"messages": [user(tool_use("t1"))]}),
    ("messages[0].content[0].type", {"messages": [assistant(tool_result("t1"))]}),
    ("messages[0].content[0].tool_use_id", {"messages": [user(tool_result(""))]}),
    ("messages[0].content[0].content", {"messages": [user(tool_result("t1", 5))]}),
    ("messages[0].content[0].content", {"messages": [user(tool_result("t1", ["x"]))]}),
    ("messages[0].content[0].input", {"messages": [assistant({**tool_use("t1"), "input": [1]})]}),
    ("messages[0].content[0].name", {"messages": [assistant(tool_use("t1", ""))]}),
    ("max_tokens", {"max_tokens": 0}),
    ("max_tokens", {"max_tokens": "many"}),
    ("temperature", {"temperature": 3}),
    ("stop_sequences", {"stop_sequences": [""]}),
    ("thinking.type", {"thinking": {"type": "maybe"}}),
    ("thinking.budget_tokens", {"thinking": {"type": "enabled", "budget_tokens": 0}}),
    ("tools[0].name", {"tools": [{"input_schema": {}}]}),
    ("tool_choice.type", {"tools": [TOOL], "tool_choice": {"type": "some"}}),
    ("tool_choice.name", {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}),
    ("tool_choice", {"tool_choice": {"type": "any"}}),
    ("output_config.format.type", {"output_config": {"format": {"type": "xml"}}}),
    ("output_config.format.schema", {"output_config": {"format": {"type": "json_schema"}}}),
    ("model", {"model": ""}),
    ("system[0].text", {"system": [{"type": "text"}]}),
    ("messages[0].content[0]", {"messages": [user({"type": "of_tomorrow", "x": DEEP})]}),
    ("messages[0].content[0]", {"messages": [user({"type": "search_result", "content": DEEP})]}),
    ("tools[0].input_schema", {"tools": [{"name": "f", "input_schema": DEEP}]}),
]


@pytest.mark.parametrize(("param", "fields"), WRONG)
def test_a_wrong_field_is_named(param: str, fields: dict[str, Any]) -> None:
    """A 400 says which field is at fault."""
    assert check_refused(param, **fields).message


CLAUDE_CODE: dict[str, Any] = {
    "system": [
        text(BILLING),
        {**text("You are a Claude agent."), "cache_control": {"type": "ephemeral"}},
        {**text("Long rules."), "cache_control": {"type": "ephemeral"}},
    ],
    "messages": [
        user(text("<system-reminder>Today</system-reminder>"), text("Run the command.")),
        {"role": "system", "content": "Skills."},
        assistant(
            {"type": "thinking", "thinking": "Run it.", "signature": "sig"},
            tool_use("toolu_e3f", "Bash", command="cat nonce.txt"),
        ),
        user(tool_result("toolu_e3f", "nonce-27b7", is_error=False, cache_control={"type": "ephemeral"})),
    ],
    "tools": [
        {
            "name": "Bash",
            "description": "Runs a command.",
            "input_schema": {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"command": {"type": "string"}},
                "required": ["command"],
                "additionalProperties": False,
            },
        },
        {"name": "DeferredToolPlaceholder", "input_schema": {"type": "object"}, "defer_loading": True},
    ],
    "metadata": {"user_id": '{"device_id":"d","account_uuid":"","session_id":"8e81bf4d"}'},
    "max_tokens": 32000,
    "thinking": {"type": "adaptive", "display": "omitted"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "stream": True,
}
"""The second request of a run of Claude Code 2.1.330 with a model that it does not know, its texts cut."""


def test_what_claude_code_sends_is_read() -> None:
    """The whole of it: what is said stands in order, and all else is accepted."""
    request = ask({"anthropic-beta": "effort-2025-11-24"}, **CLAUDE_CODE)
    assert roles(request) == ["system", "user", "system", "assistant", "tool"]
    assert [tool.name for tool in request.tools] == ["Bash"]
    assert (request.session, request.max_tokens, request.stream) == ("8e81bf4d", 32000, True)
    assert request.reasoning == ReasoningWish(effort="high")
    assert request.changes == (Change("drop_billing_header", "system"),)
    assert set(request.extra) == {"context_management"}
    assert [message["role"] for message in chat_messages(request)][-2:] == ["assistant", "tool"]


def test_the_same_history_is_rendered_the_same() -> None:
    """A longer conversation begins with the bytes of the shorter, so that caches of prompts hold."""
    shorter = ask(**{**CLAUDE_CODE, "messages": CLAUDE_CODE["messages"][:3]})
    longer = ask(**{**CLAUDE_CODE, "system": [text(f"{BILLING} cch=ffff;"), *CLAUDE_CODE["system"][1:]]})
    assert longer.messages[: len(shorter.messages)] == shorter.messages
    assert longer.tools == shorter.tools


def test_null_is_absent() -> None:
    """Every optional field may be null."""
    names = (
        "system", "tools", "tool_choice", "thinking", "output_config", "output_format", "max_tokens", "temperature",
        "top_p", "top_k", "stop_sequences", "stream", "metadata", "container",
    )  # fmt: skip
    plain, nulls = ask(), ask(**dict.fromkeys(names))
    assert msgspec.structs.replace(nulls, origin=None) == msgspec.structs.replace(plain, origin=None)


def test_what_is_no_json_is_refused() -> None:
    """A body that is no object, or breaks off, is a 400."""
    for body in (b"", b"[]", b'{"model":', b"\xff"):
        with pytest.raises(RixinError) as caught:
            parse(body)
        assert caught.value.kind is Kind.INVALID_REQUEST
