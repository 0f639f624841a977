"""Tools on offer, and the choice among them; rows A8 and A20 to A22 of the agents' hard cases."""

from typing import Any

import msgspec
import pytest

from rixin.core.requests import Change
from rixin.core.tools import ToolChoice
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from tests.dialects.anthropic.asking import TOOL, ask, assistant, chat_messages, text, tool_result, tool_use, user

WEB_SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


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
