"""Compaction over HTTP, as OpenAI's SDK and Codex ask for it."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import openai
import pytest

from rixin.conversations.history import SUMMARY
from rixin.core.estimate import estimate_prompt
from rixin.core.events import Reasoning, Text
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from tests.profiles.strict_upstream import Rules
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.healing import healing_site
from tests.upstreams.strict import StrictUpstream
from tests.web.test_responses import FUNCTION, Served, answered, saying, serving, told

HISTORY: Any = [
    {"role": "developer", "content": "Be kind."},
    {"role": "user", "content": "Find the nonce."},
    {"type": "reasoning", "summary": [], "encrypted_content": "gAAAA" + "k" * 50},
    {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "4711"},
]
TRIGGER: Any = {"type": "compaction_trigger"}
NOTES = "The nonce is 4711."


@pytest.fixture
async def served(tmp_path: Path) -> Any:
    """A running application whose model writes notes."""
    async with serving(tmp_path) as running:
        running.answer([answered(Reasoning(text="Let me sum up."), Text(text=NOTES))])
        yield running


def summed_up(request: Generate) -> None:
    """That a request asks for a summary of the history, with nothing else of what its client sent."""
    [(role, prompt)] = told(request)
    assert role == "user"
    assert all(words in prompt for words in ("Find the nonce.", "[calls look (c) with {}]", "4711"))
    assert (request.tools, request.tool_choice, request.response_format) == ((), None, None)


async def test_k1_a_conversation_is_compacted_and_goes_on(served: Served) -> None:
    """What comes back stands for the history, which only we can read."""
    compacted = await served.gpt.responses.compact(model="m", input=HISTORY)
    summed_up(served.asked)
    assert [item.type for item in compacted.output] == ["message", "compaction"]
    assert "nonce is" not in compacted.output[1].encrypted_content
    assert compacted.usage.total_tokens == 18
    served.answer(saying("Done."))
    items = [item.model_dump(exclude_none=True, warnings=False) for item in compacted.output]
    await served.gpt.responses.create(model="m", input=[*items, {"role": "user", "content": "Go on."}])
    assert told(served.asked) == [
        ("user", "Find the nonce."),
        ("user", SUMMARY.format(text=NOTES)),
        ("user", "Go on."),
    ]


async def test_k1_a_stored_conversation_is_compacted(served: Served) -> None:
    """By the id of its last response."""
    served.answer(saying("It is 4711."))
    first = await served.gpt.responses.create(model="m", input="Find the nonce.")
    served.answer(saying(NOTES))
    await served.gpt.responses.compact(model="m", previous_response_id=first.id)
    [(_, prompt)] = told(served.asked)
    assert "user: Find the nonce." in prompt
    assert "assistant: It is 4711." in prompt


async def test_k2_a_trigger_is_answered_with_exactly_one_compaction(served: Served) -> None:
    """The same item in `added`, `done` and `completed`, under one id, and nothing beside it."""
    stream = await served.gpt.responses.create(
        model="m", input=[*HISTORY, TRIGGER], tools=[FUNCTION], store=False, stream=True
    )
    events = [event async for event in stream]
    summed_up(served.asked)
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    [item] = events[-1].response.output
    assert events[2].item == events[3].item == item
    assert item.type == "compaction"
    assert events[-1].response.usage.input_tokens == 11


async def test_k2_a_stored_compaction_takes_the_place_of_what_was_before(served: Served) -> None:
    """Who goes on from it pays for the summary only."""
    first = await served.gpt.responses.create(model="m", input=[*HISTORY, TRIGGER])
    await served.gpt.responses.create(model="m", input="Go on.", previous_response_id=first.id)
    assert told(served.asked) == [("user", SUMMARY.format(text=NOTES)), ("user", "Go on.")]


@pytest.mark.parametrize("items", [[TRIGGER, *HISTORY], [*HISTORY, TRIGGER, TRIGGER]], ids=["first", "twice"])
async def test_k2_a_trigger_that_is_not_the_only_last_item_is_refused(served: Served, items: Any) -> None:
    """By its place."""
    with pytest.raises(openai.BadRequestError) as caught:
        await served.gpt.responses.create(model="m", input=items)
    error: Any = caught.value
    assert error.param.startswith("input[")


async def test_k3_foreign_compactions_are_dropped_by_name(served: Served) -> None:
    """OpenAI's own, and one of another key; the rest of the history is answered."""
    other = await served.another()
    theirs = (await other.responses.compact(model="m", input=HISTORY)).output[-1].to_dict()
    served.answer(saying("Done."))
    for item in (theirs, {"type": "compaction", "encrypted_content": "gAAAAABo"}):
        raw = await served.gpt.responses.with_raw_response.create(
            model="m", input=[item, {"role": "user", "content": "Go on."}]
        )
        assert told(served.asked) == [("user", "Go on.")]
        assert "_compaction(input)" in raw.headers["x-rixin-changes"]


async def test_k4_what_is_longer_than_the_window_is_summed_up_all_the_same(served: Served) -> None:
    """In as many calls as it takes, whose usage is told together."""
    long = [{"role": "user", "content": f"Page {n}: " + "word " * 3000} for n in range(20)]
    served.answer(overflowing(10_000))
    compacted = await served.gpt.responses.compact(model="m", input=long)
    calls = [request for request in served.site.engine.requests if len(told(request)[0][1]) <= 40_000]
    assert len(calls) > 5
    assert compacted.usage.input_tokens == 11 * len(calls)


async def test_k4_whoever_leaves_in_the_middle_has_used_what_was_read(served: Served) -> None:
    """Their limits count the pieces that were summed up, and the prompt of the one that was being read."""
    third, never = asyncio.Event(), asyncio.Event()

    def script(_request: Generate) -> Any:
        if len(served.site.engine.requests) < 3:
            return saying(NOTES)
        third.set()
        return [never]

    served.answer(script)
    served.site.limits.append(Limit("key:test", "tokens", 10**6, 3600.0))
    long: Any = [{"role": "user", "content": f"Page {n}: " + "word " * 3000} for n in range(9)]
    leaving = asyncio.create_task(served.gpt.responses.compact(model="small-m", input=long))
    await third.wait()
    leaving.cancel()
    await served.site.app.drain(10)
    used = 2 * (11 + 7) + estimate_prompt(served.asked)
    served.answer(saying("Hello."))
    async with served.site.post(max_tokens=1) as response:
        left = int(response.headers["x-ratelimit-remaining-tokens-1h"])
    assert left == 10**6 - used - (estimate_prompt(served.asked) + 1)


@pytest.mark.parametrize("streamed", [True, False])
async def test_k4_an_empty_summary_fails(served: Served, streamed: bool) -> None:
    """The history is not replaced by nothing."""
    served.answer([answered(Reasoning(text="Hm."))])
    with pytest.raises(openai.APIStatusError) as caught:
        await served.gpt.responses.create(model="m", input=[*HISTORY, TRIGGER], stream=streamed)
    assert caught.value.status_code == 502
    assert "summed up" in caught.value.message


async def test_k5_a_clients_own_compaction_is_an_ordinary_request(served: Served) -> None:
    """Codex asks for it in plain words; they go to the model as they are."""
    prompt = "You are performing a CONTEXT CHECKPOINT COMPACTION."
    await served.gpt.responses.create(model="m", input=[*HISTORY, {"role": "user", "content": prompt}])
    assert told(served.asked)[-1] == ("user", prompt)
    assert served.asked.messages[0].role == "system"


def overflowing(window: int) -> Any:
    """A script that refuses prompts of more than so many tokens, and says how many there may be."""

    def script(request: Generate) -> Any:
        if estimate_prompt(request) > window:
            return [RixinError(Kind.CONTEXT_OVERFLOW, "too long", limit=window, requested=10**6)]
        return saying(NOTES)

    return script


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_k6_nothing_is_summed_up_unasked(tmp_path: Path, path: str) -> None:
    """However long a conversation is, the model is sent all of it, once, and its beginning stays byte for byte."""
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"Turn {n}: " + "word " * 1000} for n in range(121)]
    upstream = StrictUpstream({"m": Rules()})
    async with healing_site(tmp_path, upstream, controls=False) as healing:
        for end in (119, 121):
            spoken = {"input": turns[:end]} if path == RESPONSES else {"messages": turns[:end], "max_tokens": 9}
            told = await healing.ask({"model": "m", **spoken}, path)
            assert told.status == 200, told.text
    first, second = upstream.bodies("m")
    assert [message["content"] for message in second["messages"]] == [turn["content"] for turn in turns]
    assert msgspec.json.encode(second["messages"][:119]) == msgspec.json.encode(first["messages"])
