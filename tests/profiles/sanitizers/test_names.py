"""Names of tools, changed everywhere alike."""

from typing import Any

from rixin.dialects.tool_names import fitting
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers import sanitize
from tests.profiles.sanitizing import Body, rewritten

LONG = "mcp__server.with.dots__" + "x" * 60


def named(name: str, **fields: Any) -> dict[str, Any]:
    """A function by its name."""
    return {"type": "function", "function": {"name": name, **fields}}


def test_a_name_is_the_same_in_tools_choice_calls_and_results() -> None:
    """The model sees one name, and the way back is known."""
    body: Body = {
        "model": "m",
        "messages": [
            {"role": "assistant", "content": "", "tool_calls": [{"id": "c", **named(LONG, arguments="{}")}]},
            {"role": "tool", "tool_call_id": "c", "name": LONG, "content": "done"},
        ],
        "tools": [named(LONG), named("read")],
        "tool_choice": named(LONG),
    }
    sanitized = sanitize(body, Profile(tool_name_policy="openai"))
    short = fitting(LONG)
    sent: Any = sanitized.body
    assert sent["tools"] == [named(short), named("read")]
    assert sent["tool_choice"] == named(short)
    assert sent["messages"][0]["tool_calls"][0]["function"]["name"] == short
    assert sent["messages"][1]["name"] == short
    assert sanitized.tool_names == {short: LONG}


def test_names_inside_a_choice_of_some_tools_change_too() -> None:
    """So the choice still names tools that there are."""
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named("a.b")]}}
    body: Body = {"model": "m", "messages": [], "tools": [named("a.b")], "tool_choice": choice}
    sent = rewritten(body, Profile(tool_name_policy="openai", tool_name_length=32))
    assert sent["tool_choice"]["allowed_tools"]["tools"] == sent["tools"]
