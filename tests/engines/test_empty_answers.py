"""Answers that hold nothing, at their engine and through the loop that tries."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from rixin.core.events import Event, Finish, FinishReason, Reasoning, Start, Text, ToolStart
from rixin.core.usage import Usage
from rixin.engines.base import Batch
from rixin.engines.empty_answers import EmptyAnswerError, not_empty
from rixin.errors import Kind
from tests.routing.upstreams import network
from tests.upstreams.scripted import DONE, Reply, answer, completion_chunk, completion_events, stream

START = Start(id="1", created=1, model="m")
GOLDEN = stream([*completion_events(), DONE])
NOTHING = stream([completion_chunk({"role": "assistant", "content": ""}), completion_chunk({}, "stop"), DONE])


def whole(reason: str, **message: Any) -> Reply:
    """A whole answer."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return answer(json.dumps({"id": "1", "created": 1, "model": "m", "choices": [choice]}))


async def told(*batches: list[Event]) -> tuple[list[Event], bool]:
    """The events that come of batches, and whether they are an answer."""

    async def given() -> AsyncGenerator[Batch, None]:
        for events in batches:
            yield Batch(events)

    shown: list[Event] = []
    try:
        async for batch in not_empty(given()):
            shown += batch.events
    except EmptyAnswerError:
        return shown, False
    return shown, True


@pytest.mark.parametrize(
    "said", [Text(text="a"), ToolStart(index=0, id="c", name="f")], ids=lambda event: type(event).__name__
)
async def test_an_answer_that_says_something_is_given_as_it_came(said: Event) -> None:
    """All events, in their order, whatever comes before and after the words."""
    events: list[Event] = [START, Reasoning(text="hm"), said, Finish(reason="stop"), Usage(prompt=1, completion=1)]
    assert await told(*([event] for event in events)) == (events, True)
    assert await told(events) == (events, True)


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
async def test_an_answer_that_was_cut_short_may_be_empty(reason: FinishReason) -> None:
    """The upstream says why there is nothing."""
    events: list[Event] = [START, Reasoning(text="hm"), Finish(reason=reason)]
    assert await told(*([event] for event in events)) == (events, True)


async def test_one_choice_that_speaks_is_enough() -> None:
    """Though another one stopped before it."""
    events: list[Event] = [START, Finish(reason="stop"), Text(text="b", choice=1), Finish(reason="stop", choice=1)]
    assert await told(*([event] for event in events)) == (events, True)


async def test_an_answer_without_a_word_is_none() -> None:
    """Nothing is shown of it but its thoughts, if it had any."""
    end: list[Event] = [Finish(reason="stop")]
    thought: Event = Reasoning(text="hm")
    assert await told([START], [Text(text="")], end, [Usage(prompt=1)]) == ([], False)
    assert await told([START], [thought], end) == ([START, thought], False)
    assert await told([START, thought, *end]) == ([], False)


@pytest.mark.parametrize("empty", [NOTHING, whole("stop", content=""), whole("stop", content=None, reasoning="hm")])
async def test_s7_an_empty_answer_is_asked_for_again(empty: Reply) -> None:
    """At the same upstream, within its budget; whoever asks sees one answer."""
    replies = iter([empty, GOLDEN])
    async with network([lambda _: next(replies)]) as net:
        asked = await net.ask(stream=empty is NOTHING)
        assert (asked.text, asked.attempt.count) == ("Paris 巴黎", 2)


async def test_s7_an_answer_that_stays_empty_is_an_error_to_try_again() -> None:
    """Once the tries are used up; and the upstream is not taken for broken, so that nobody else is kept from it."""
    async with network([NOTHING], retries=1) as net:
        for _ in range(6):
            asked = await net.ask(stream=True)
            assert asked.error is not None
            assert (asked.error.kind, asked.error.retryable) == (Kind.UPSTREAM_INTERRUPTED, True)
            assert not any(batch.events for batch in asked.batches)
        assert net.calls("a") > 6


async def test_whoever_asks_for_a_stop_may_get_nothing() -> None:
    """A stop sequence that comes first leaves no words."""
    async with network([NOTHING]) as net:
        asked = await net.ask(stream=True, stop=["\n"])
        assert (asked.error, asked.text, asked.attempt.count) == (None, "", 1)
