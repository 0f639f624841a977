"""What an answer costs."""

from collections.abc import Iterable

from rixin.clock import SystemClock
from rixin.core.cards import ModelCard
from rixin.core.events import Event, Finish, Reasoning, Start, Text
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.service.meter import Meter

REQUEST = Generate(
    model="m",
    card=ModelCard(name="m", target="m"),
    messages=(Message(role="user", parts=(TextPart("What is the capital of France?"),)),),
    stream=True,
)
START = Start(id="", created=0, model="m")
WORD = Text(text="Paris")
"""An estimate takes it for two tokens."""
FINISH = Finish(reason="stop")


def fed(*events: Event) -> Meter:
    """A meter that was fed these, one by one."""
    meter = Meter(SystemClock())
    for event in events:
        meter.feed([event])
    return meter


def counts(usage: Usage) -> tuple[int, int, bool]:
    """Prompt, completion, estimated."""
    return usage.prompt, usage.completion, usage.estimated


def test_what_the_upstream_reports_at_the_end_counts() -> None:
    """As the OpenAI dialects do it; and it is no estimate, though the connection breaks after it."""
    reported = Usage(prompt=7, completion=3)
    meter = fed(START, WORD, WORD, FINISH, reported)
    assert meter.usage(REQUEST) is meter.relayed(REQUEST) is reported


def test_what_is_not_reported_is_estimated_and_marked() -> None:
    """The prompt as limits estimate it, each word as it was relayed."""
    meter = fed(START, Reasoning(text="Hm, so"), WORD, FINISH)
    used = meter.usage(REQUEST)
    assert (used.completion, used.reasoning, used.estimated) == (4, 2, True)
    assert used.prompt > 5


def test_tokens_that_the_engine_tells_are_not_estimated() -> None:
    """An engine of our own says how many tokens a piece of text is."""
    assert fed(START, Text(text="Paris", tokens=1), Text(text="!", tokens=0)).relayed(REQUEST).completion == 1


def test_each_count_of_a_stream_that_counts_all_along_replaces_the_last() -> None:
    """As the native dialect does it: the last one is true."""
    meter = fed(START, WORD, Usage(prompt=7, completion=1), WORD, Usage(prompt=7, completion=2), FINISH)
    assert counts(meter.usage(REQUEST)) == (7, 2, False)


def test_a_cut_stream_that_counts_all_along_has_cost_what_it_counted_and_what_came_after() -> None:
    """The estimate is of the rest only, and the sum is marked as one."""
    counted = fed(START, WORD, Usage(prompt=7, completion=1), WORD, Usage(prompt=7, completion=2))
    assert counts(counted.relayed(REQUEST)) == (7, 2, True)
    counted.feed([WORD])
    assert counts(counted.relayed(REQUEST)) == (7, 4, True)


def test_a_count_of_the_prompt_alone_is_no_count_of_words() -> None:
    """As the Anthropic dialect begins: cut, the words that were relayed count, and the prompt as it was reported."""
    early = Usage(prompt=7, completion=1, cached=3)
    assert counts(fed(START, early).relayed(REQUEST)) == (7, 0, True)
    cut = fed(START, early, WORD, WORD, WORD).relayed(REQUEST)
    assert (*counts(cut), cut.cached) == (7, 6, True, 3)


def test_a_count_of_the_prompt_alone_is_completed_by_an_estimate() -> None:
    """An upstream that never counts its words does not get away with the first of them."""
    assert counts(fed(START, Usage(prompt=7, completion=1), WORD, WORD, FINISH).usage(REQUEST)) == (7, 4, True)


def test_nothing_relayed_of_words_costs_no_words() -> None:
    """An answer that was cut before its first word."""
    assert fed(START).relayed(REQUEST).completion == 0


def test_batches_do_not_matter() -> None:
    """However the network cuts a stream, what was relayed is the same."""

    def relayed(batches: Iterable[list[Event]]) -> Usage:
        meter = Meter(SystemClock())
        for batch in batches:
            meter.feed(batch)
        return meter.relayed(REQUEST)

    events: list[Event] = [START, Usage(prompt=7), WORD, Usage(prompt=7, completion=1), WORD]
    for cut in range(len(events)):
        assert relayed([events[:cut], events[cut:]]) == relayed([events])
