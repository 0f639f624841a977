"""Answers of upstreams, restored on their way to the client."""

from contextlib import aclosing
from importlib.resources import files
from typing import Any

import pytest

from rixin.core.events import Text
from rixin.core.requests import Change
from rixin.core.responses import Response, collect
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import Batch, Prepared
from rixin.engines.remote import Remote
from rixin.errors import RixinError
from rixin.profiles.presets import load_presets
from rixin.profiles.profile import Profile
from rixin.settings import Provider
from rixin.settings.fast_path import FAST_PATH
from tests.engines.chat import chat
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Reply,
    ScriptedUpstream,
    answer,
    completion,
    completion_chunk,
    completion_events,
    stream,
)

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "read", "parameters": {"type": "object", "properties": {}}},
}
LEAK = '<think>Hm.</think>\n<tool_call>{"name": "read", "arguments": {}}</tool_call>'
PRESETS = load_presets(files("rixin.profiles").joinpath("presets.toml").read_bytes())
LEAKY = Profile(think_tags=True, tool_markup_heal=True)


async def ask(
    reply: Reply, profile: Profile, fields: dict[str, Any], prepared: Prepared | None = None, *, broken: bool = False
) -> list[Batch]:
    """The batches of the answer to a request with these fields; a broken one as far as it came."""
    batches: list[Batch] = []
    async with ScriptedUpstream(reply) as upstream:
        engine = Remote.connect(Provider(name="up", base_url=upstream.url), DIALECT, {}, lambda _model: profile)
        asked: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}, **fields}
        request = chat(**asked)
        try:
            async with aclosing(engine.send(request, prepared or engine.prepare(request), None)) as answered:
                async for batch in answered:
                    batches.append(batch)  # noqa: PERF401 - what came before a break is looked at
        except RixinError:
            assert broken
        finally:
            await engine.aclose()
    return batches


def collected(batches: list[Batch]) -> Response:
    """The answer that batches amount to."""
    return collect(event for batch in batches for event in batch.events)


@pytest.mark.parametrize("whole", [True, False])
async def test_what_the_text_hides_is_told(whole: bool) -> None:
    """Thoughts and leaked calls are told as what they are, streamed or not, and nothing is relayed as it came."""
    pieces = [LEAK[start : start + 5] for start in range(0, len(LEAK), 5)]
    reply = answer(completion(LEAK)) if whole else stream([*completion_events(pieces), DONE])
    batches = await ask(reply, LEAKY, {"tools": [TOOL], "stream": not whole})
    choice = collected(batches).choices[0]
    assert (choice.reasoning, choice.text) == ("Hm.", "")
    assert [call.name for call in choice.tool_calls] == ["read"]
    assert choice.finish_reason == "tool_calls"
    assert all(batch.raw is None for batch in batches)


async def test_what_was_done_to_an_answer_is_told_once() -> None:
    """By name, with the batch in which it shows first; an answer that hides nothing says nothing."""
    pieces = [LEAK[start : start + 5] for start in range(0, len(LEAK), 5)]
    batches = await ask(stream([*completion_events(pieces), DONE]), LEAKY, {"tools": [TOOL]})
    changes = [change for batch in batches for change in batch.changes]
    assert changes == [Change("take_thoughts", "content"), Change("heal_tool_calls", "content")]
    batches = await ask(stream([*completion_events(("Paris",)), DONE]), LEAKY, {"tools": [TOOL]})
    assert not any(batch.changes for batch in batches)


@pytest.mark.parametrize("preset", [preset.name for preset in PRESETS.all if preset.profile.tool_markup_heal])
async def test_s13_presets_heal_calls_where_they_leak(preset: str) -> None:
    """A call of a tool that there is, is a call; the same markup of another tool stays what it is, text."""
    profile = PRESETS.named(preset).profile
    leak = LEAK.removeprefix("<think>Hm.</think>\n")
    for name, calls in (("read", ["read"]), ("write", [])):
        text = leak.replace("read", name)
        batches = await ask(stream([*completion_events((text,)), DONE]), profile, {"tools": [TOOL]})
        choice = collected(batches).choices[0]
        assert [call.name for call in choice.tool_calls] == calls
        assert choice.text == ("" if calls else text)


@pytest.mark.parametrize("preset", [preset.name for preset in PRESETS.all if preset.profile.think_tags])
@pytest.mark.parametrize(
    "text",
    ["<think>Hm.</think>\n\nParis", "<thinking>\nHm.</thinking>Paris", "<think>Hm.</think>Paris"],
)
async def test_s12_presets_take_thoughts_out_of_the_text(preset: str, text: str) -> None:
    """Wherever the tags are cut; tags in code are text."""
    profile = PRESETS.named(preset).profile
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    choice = collected(await ask(stream([*completion_events(pieces), DONE]), profile, {})).choices[0]
    assert (choice.reasoning, choice.text) == ("Hm.", "Paris")
    code = "Write `<think>` or\n```\n<think>\n```\n"
    choice = collected(await ask(stream([*completion_events((code,)), DONE]), profile, {})).choices[0]
    assert (choice.reasoning or "", choice.text) == ("", code)


async def test_an_upstream_of_whom_nothing_is_known_is_relayed() -> None:
    """Without a profile that says otherwise, text that looks like markup passes as it is, tools or not."""
    for tools in ([], [TOOL]):
        fields = {"tools": tools} if tools else {}
        batches = await ask(stream([*completion_events((LEAK,)), DONE]), Profile(), fields)
        assert collected(batches).choices[0].text == LEAK
        relayed = b"".join(batch.raw or b"" for batch in batches)
        assert relayed == (b"".join(completion_events((LEAK,))) if FAST_PATH else b"")


async def test_tools_go_by_the_clients_names() -> None:
    """A name that was changed for the upstream is changed back, and such an answer is not relayed."""
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "fs_read_1", "arguments": "{}"}}
    events = [completion_chunk({"tool_calls": [call]}), completion_chunk({}, "tool_calls")]
    tool: dict[str, Any] = {
        "type": "function",
        "function": {"name": "fs.read", "parameters": {"type": "object", "properties": {}}},
    }
    prepared = Prepared(body={"stream": True}, tool_names={"fs_read_1": "fs.read"})
    batches = await ask(stream([*events, DONE]), Profile(), {"tools": [tool]}, prepared)
    assert [call.name for call in collected(batches).choices[0].tool_calls] == ["fs.read"]
    assert all(batch.raw is None for batch in batches)


async def test_what_was_held_back_is_given_before_an_error() -> None:
    """A stream that breaks off inside of markup shows the text that it was."""
    events = completion_events(("Paris <tool_call>{",))[:2]
    batches = await ask(stream([*events, Cut()]), LEAKY, {"tools": [TOOL]}, broken=True)
    texts = [event.text for batch in batches for event in batch.events if isinstance(event, Text)]
    assert "".join(texts) == "Paris <tool_call>{"
