"""What clients of Messages send, read; rows A1 to A9 and A16 to A22 of the agents' hard cases."""

import json
from typing import Any

import msgspec
import pytest

from rixin.core.messages import DocumentPart, ImagePart, Message, Opaque, ReasoningPart, TextPart, ToolCall, ToolResult
from rixin.core.requests import Change, Count, Generate, ReasoningWish
from rixin.core.tools import ResponseFormat, ToolChoice
from rixin.dialects.anthropic import DIALECT
from rixin.dialects.base import Call
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.errors import Kind, RixinError
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from tests.dialects.anthropic.asking import TOOL, ask, assistant, parse, text, tool_result, tool_use, user
from tests.dialects.support import card_of

BILLING = "x-anthropic-billing-header: cc_version=2.1.330.3b8; cc_entrypoint=sdk-cli; cch=0a1b2;"
WEB_SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}

DEEP: dict[str, Any] = json.loads('{"x":' * 70 + "1" + "}" * 70)


def roles(request: Generate) -> list[str]:
    """The roles of a request's messages."""
    return [message.role for message in request.messages]


def chat_messages(request: Generate, **profile: Any) -> list[Any]:
    """The messages that a Chat upstream would be sent."""
    assert CHAT.upstream is not None
    messages = sanitize(CHAT.upstream.build_body(request), Profile(**profile)).body["messages"]
    assert isinstance(messages, list)
    return messages


def check_refused(param: str, **fields: Any) -> RixinError:
    """A body is refused, naming the field."""
    with pytest.raises(RixinError) as caught:
        ask(**fields)
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.param == param
    return caught.value


@pytest.mark.parametrize("content", ["Be brief.", [text("Be"), text("brief.")]])
def test_a1_a_system_message_may_stand_anywhere(content: Any) -> None:
    """A system message within the conversation stays where it is, in text or blocks."""
    request = ask(
        system="You are.",
        messages=[user(text("Hi")), {"role": "system", "content": content}, assistant(text("Yes")), user(text("Go"))],
    )
    assert roles(request) == ["system", "user", "system", "assistant", "user"]
    assert request.messages[2].text.replace("\n\n", " ") == "Be brief."


def test_a1_a_system_message_of_tomorrow_rides_along() -> None:
    """A block that nobody knows is no reason to refuse a system message."""
    block: dict[str, Any] = {"type": "tool_addition", "name": "f"}
    request = ask(messages=[user(text("Hi")), {"role": "system", "content": [text("You."), block]}])
    opaque = Opaque(dialect="anthropic", kind="tool_addition", value=block)
    assert request.messages[1].parts == (TextPart("You."), opaque)


def test_a1_turns_need_not_alternate() -> None:
    """Consecutive messages of one role are accepted, and a conversation may begin with the assistant."""
    request = ask(messages=[assistant(text("Hello")), user(text("a")), user(text("b"))])
    assert roles(request) == ["assistant", "user", "user"]


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


def test_a4_results_come_first_and_then_one_message_of_the_user() -> None:
    """Results of text, images and errors become tool messages in order, then images and words together."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    request = ask(
        tools=[TOOL],
        messages=[
            user(text("Go")),
            assistant(tool_use("t1", x=1), tool_use("t2")),
            user(
                text("Look:"),
                tool_result("t2", "broken", is_error=True),
                tool_result("t1", [text("A picture."), image]),
                text("What now?"),
            ),
        ],
    )
    result = request.messages[-1].parts[1]
    assert result == ToolResult(call_id="t2", parts=(TextPart("broken"),), is_error=True)
    first, second, last = chat_messages(request)[-3:]
    assert (first["tool_call_id"], first["content"]) == ("t1", "A picture.")
    assert (second["tool_call_id"], second["content"]) == ("t2", "Error: broken")
    assert [part["type"] for part in last["content"]] == ["text", "image_url", "text"]


@pytest.mark.parametrize("content", ["", [], None])
def test_a4_a_result_may_be_empty(content: Any) -> None:
    """A tool that gave nothing has answered nevertheless."""
    request = ask(messages=[assistant(tool_use("t1")), user(tool_result("t1", content))])
    assert request.messages[-1] == Message(role="tool", parts=(ToolResult(call_id="t1", parts=()),))


def test_a5_missing_and_repeated_results_are_repaired() -> None:
    """After an interruption each call has one result, whatever the client kept."""
    request = ask(
        messages=[
            user(text("Go")),
            assistant(tool_use("t1"), tool_use("t2")),
            user(tool_result("t1", "old"), tool_result("t1", "new"), tool_result("gone", "x"), text("Stop")),
        ]
    )
    results = [message for message in chat_messages(request) if message["role"] == "tool"]
    assert [result["tool_call_id"] for result in results] == ["t1", "t2"]
    assert results[0]["content"] == "new"
    assert "interrupted" in results[1]["content"]


def test_a6_thoughts_keep_their_signatures() -> None:
    """Thinking comes in with its signature; what is sealed rides along as it is."""
    redacted: dict[str, Any] = {"type": "redacted_thinking", "data": "EmwK"}
    request = ask(
        messages=[
            assistant(
                {"type": "thinking", "thinking": "Hm", "signature": "sig"},
                {"type": "thinking", "thinking": "", "signature": "sealed"},
                {"type": "thinking", "thinking": "unsigned"},
                redacted,
                text("So."),
            ),
            user(text("Go")),
        ]
    )
    assert request.messages[0].parts == (
        ReasoningPart(text="Hm", signature="sig"),
        ReasoningPart(signature="sealed"),
        ReasoningPart(text="unsigned"),
        Opaque(dialect="anthropic", kind="redacted_thinking", value=redacted),
        TextPart("So."),
    )
    assert b"EmwK" not in msgspec.json.encode(chat_messages(request))


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


def test_a8_server_tools_are_dropped_and_told() -> None:
    """A tool that only Anthropic can run is not offered to a model, and is kept aside for an upstream that can."""
    request = ask(tools=[WEB_SEARCH, TOOL], tool_choice={"type": "auto"})
    assert [tool.name for tool in request.tools] == ["f"]
    assert request.changes == (Change("drop_server_tool", "web_search_20250305"),)
    assert request.extra["anthropic.server_tools"] == [WEB_SEARCH]
    assert CHAT.upstream is not None
    assert "web_search" not in str(CHAT.upstream.build_body(request))


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "web_search"}])
def test_a8_a_choice_of_a_server_tool_goes_with_it(choice: dict[str, str]) -> None:
    """Without any tool left there is no choice among them."""
    request = ask(tools=[WEB_SEARCH], tool_choice=choice)
    assert (request.tools, request.tool_choice) == ((), None)
    assert Change("drop_tool_choice", "tool_choice") in request.changes


def test_a8_what_server_tools_did_is_told_in_words() -> None:
    """Their calls and results in the history are text, without what is sealed."""
    request = ask(
        messages=[
            user(text("Search")),
            assistant(
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rixin"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "srvtoolu_1",
                    "content": [{"type": "web_search_result", "title": "日新", "url": "u", "encrypted_content": "Eqg"}],
                },
                text("Found."),
            ),
            user(text("Good")),
        ]
    )
    words = request.messages[1].text
    assert words == "[server_tool_use: web_search\nrixin][web_search_tool_result: 日新\nu]Found."


def test_a8_deferred_tools_are_shown_once_they_are_referred_to() -> None:
    """Of the tools whose loading is deferred a model sees those that a search has found."""
    deferred = [{**TOOL, "name": name, "defer_loading": True} for name in ("WebFetch", "Placeholder")]
    found = tool_result("t1", [{"type": "tool_reference", "tool_name": "WebFetch"}])
    asked = [user(text("Go")), assistant(tool_use("t1", "ToolSearch", query="web"))]
    assert [tool.name for tool in ask(tools=[TOOL, *deferred], messages=asked).tools] == ["f"]
    request = ask(tools=[TOOL, *deferred], messages=[*asked, user(found)])
    assert [tool.name for tool in request.tools] == ["f", "WebFetch"]
    assert "WebFetch" in chat_messages(request)[-1]["content"]


def test_a8_without_the_servers_search_all_deferred_tools_are_shown() -> None:
    """Where Anthropic's servers would have searched, nothing may stay hidden; a named tool neither."""
    deferred = {**TOOL, "name": "WebFetch", "defer_loading": True}
    search = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
    assert [tool.name for tool in ask(tools=[deferred, search]).tools] == ["WebFetch"]
    named = ask(tools=[deferred], tool_choice={"type": "tool", "name": "WebFetch"})
    assert named.tool_choice == ToolChoice("named", "WebFetch")


def test_a9_images_and_documents_are_read_from_every_source() -> None:
    """Base64, addresses, ids of files, plain text and results of a search."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    sources: list[dict[str, Any]] = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "UklG"}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
        {"type": "document", "source": pdf, "title": "P"},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "document", "source": {"type": "content", "content": [text("a"), text("b")]}, "citations": {}},
        {"type": "container_upload", "file_id": "file_2"},
        {"type": "search_result", "title": "T", "source": "https://s", "content": [text("found")]},
    ]  # fmt: skip
    assert ask(messages=[user(*sources)]).messages[0].parts == (
        ImagePart(url="data:image/webp;base64,UklG"),
        ImagePart(url="https://example.org/a.png"),
        ImagePart(file_id="file_1"),
        DocumentPart(base64="JVBE", name="P", media_type="application/pdf"),
        DocumentPart(text="words", media_type="text/plain"),
        DocumentPart(url="https://example.org/a.pdf"),
        DocumentPart(text="a\nb", media_type="text/plain"),
        DocumentPart(file_id="file_2"),
        TextPart("T\nhttps://s\nfound"),
    )


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


@pytest.mark.parametrize(
    ("choice", "read", "parallel"),
    [
        ({"type": "auto"}, ToolChoice("auto"), None),
        ({"type": "any", "disable_parallel_tool_use": True}, ToolChoice("required"), False),
        ({"type": "tool", "name": "f", "disable_parallel_tool_use": False}, ToolChoice("named", "f"), True),
        ({"type": "none"}, ToolChoice("none"), None),
    ],
)
def test_a20_each_form_of_choice_is_mapped(choice: dict[str, Any], read: ToolChoice, parallel: bool | None) -> None:
    """With it goes whether calls may be parallel."""
    request = ask(tools=[TOOL], tool_choice=choice)
    assert (request.tool_choice, request.parallel_tool_calls) == (read, parallel)


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


def test_a20_a_choice_without_tools_says_nothing() -> None:
    """`auto` and `none` among no tools are accepted and left out."""
    assert ask(tool_choice={"type": "auto", "disable_parallel_tool_use": True}, tools=[]).tool_choice is None


def test_a21_a_long_name_is_shortened_for_an_upstream_and_found_again() -> None:
    """Names of MCP tools go past 64 characters; what a Chat upstream is sent leads back to them."""
    name = "mcp__" + "server.with.dots__" * 4 + "tool"
    request = ask(
        tools=[{**TOOL, "name": name}], messages=[assistant(tool_use("t1", name)), user(tool_result("t1", "ok"))]
    )
    assert CHAT.upstream is not None
    sent = sanitize(CHAT.upstream.build_body(request), Profile(tool_name_policy="openai"))
    short = msgspec.convert(sent.body["tools"], list[dict[str, Any]])[0]["function"]["name"]
    assert len(short) <= 64
    assert sent.tool_names[short] == name


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"properties": {}, "additionalProperties": False}])
def test_a22_a_schema_may_lack_anything(schema: Any) -> None:
    """A tool without schema, type or properties is accepted."""
    assert ask(tools=[{"name": "f", "input_schema": schema}]).tools[0].parameters == schema


def test_a_response_format_is_read_from_both_of_its_places() -> None:
    """`output_config.format`, and the elder `output_format`."""
    form = {"type": "json_schema", "schema": {"type": "object"}}
    expected = ResponseFormat(kind="json_schema", schema={"type": "object"}, strict=True)
    assert ask(output_config={"format": form}).response_format == expected
    assert ask(output_format=form).response_format == expected


def test_calls_and_unknown_blocks_are_read() -> None:
    """Arguments become text; a block of tomorrow rides along."""
    request = ask(messages=[assistant(tool_use("t1", x=[1]), {"type": "of_tomorrow", "x": 1}), user(text("Hi"))])
    assert request.messages[0].parts == (
        ToolCall(id="t1", name="f", arguments='{"x":[1]}'),
        Opaque(dialect="anthropic", kind="of_tomorrow", value={"type": "of_tomorrow", "x": 1}),
    )


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
