"""Answers whose form had to be asked for in words, through the whole application."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.profiles.strict_upstream import SHAPES, Rules
from tests.routing.asking import OBJECT, asked, opaque
from tests.support.healing import healing_site
from tests.upstreams.scripted import Reply, Request, answer
from tests.upstreams.strict import StrictUpstream


async def test_an_answer_of_the_wrong_form_is_asked_for_once_more(tmp_path: Path) -> None:
    """Where the form had to be asked for in words, the answer is looked at, and the model told what is wrong."""
    upstream = opaque("response_format")
    upstream.say = ["Sure! Here it is: {}", '{"ok": true}']
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        told = await healing.ask(asked(response_format=OBJECT))
    assert (told.text, told.attempts, told.changes) == ('{"ok": true}', 3, "instruct_format(response_format)")
    again = upstream.bodies("m")[2]["messages"]
    assert again[-2] == {"role": "assistant", "content": "Sure! Here it is: {}"}
    assert "not JSON" in again[-1]["content"]


async def test_an_answer_that_keeps_the_wrong_form_is_given_and_told(tmp_path: Path) -> None:
    """The second one is what there is, and the client knows."""
    upstream = opaque("response_format")
    upstream.say = ["no", "no, really"]
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        told = await healing.ask(asked(response_format=OBJECT))
    assert (told.text, told.attempts) == ("no, really", 3)
    assert told.changes == "instruct_format(response_format), format_not_kept(response_format)"


@pytest.mark.parametrize("obstacle", ["limit", "refusal"])
async def test_an_answer_in_hand_is_not_lost(tmp_path: Path, obstacle: str) -> None:
    """Where the form cannot be asked for once more, the client gets what was answered, and is told."""

    class Wordless(Rules):
        def complaints(self, body: dict[str, Any]) -> list[str]:
            known = super().complaints(body)
            return ["no"] if obstacle == "refusal" and len(body["messages"]) > 2 else known

    upstream = StrictUpstream({"m": Wordless(refused=frozenset({"response_format"}))})
    upstream.say = ["no"]
    limit = {"unit": "requests", "amount": 2 if obstacle == "limit" else 100, "window": 60.0}
    async with healing_site(tmp_path, upstream, controls=False, key_limits=[limit]) as healing:
        told = await healing.ask(asked(response_format=OBJECT))
    assert (told.status, told.text) == (200, "no")
    assert told.changes == "instruct_format(response_format), format_not_kept(response_format)"


async def test_an_answer_that_calls_a_tool_has_no_form(tmp_path: Path) -> None:
    """Only what is said must have the form; a call is not asked for again."""
    call = {"id": "c", "type": "function", "function": {"name": "read", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    whole = {"id": "1", "object": "chat.completion", "created": 1, "model": "m"}
    whole |= {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}

    class Calling(StrictUpstream):
        def _reply(self, request: Request) -> Reply:
            return answer(json.dumps(whole)) if "response_format" not in request.json else super()._reply(request)

    upstream = Calling({"m": Rules(refused=frozenset({"response_format"}))})
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        told = await healing.ask(asked(response_format=OBJECT, tools=SHAPES["messages-shaped"]["tools"]))
    assert told.attempts == 2
    assert told.body["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "read"
