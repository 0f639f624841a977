"""Events that arrive together."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, Reasoning, Start, Text, joined
from rixin.core.responses import Collector

START = Start(id="", created=0, model="m")
choices = st.integers(0, 1)
texts = st.builds(
    Text,
    text=st.text(max_size=3),
    choice=choices,
    tokens=st.none() | st.integers(0, 2),
    logprobs=st.sampled_from([None, {"content": [1]}]),
)
others = st.one_of(st.builds(Reasoning, text=st.text(max_size=3), choice=choices), st.just(START))
events: st.SearchStrategy[list[Any]] = st.lists(st.one_of(texts, texts, others), max_size=12)


def answer(events: list[Event]) -> Any:
    """What a stream of these amounts to."""
    collector = Collector()
    collector.feed([START, Text(text="", choice=0), Text(text="", choice=1), *events])
    collector.feed([Finish(reason="stop", choice=choice) for choice in (0, 1)])
    return collector.response()


def test_words_that_follow_each_other_are_one_event():
    """Of one choice, up to whatever else comes."""
    thought = Reasoning(text="hm")
    given: list[Event] = [START, Text(text="a"), Text(text="b"), thought, Text(text="c"), Text(text="d", choice=1)]
    told: list[Event] = [START, Text(text="ab"), thought, Text(text="c"), Text(text="d", choice=1)]
    assert joined(given) == told
    assert joined(told) is told
    assert joined([Text(text="a", tokens=1), Text(text="b", tokens=2)]) == [Text(text="ab", tokens=3)]
    assert joined([Text(text="a"), Text(text="b", logprobs={})]) == [Text(text="a"), Text(text="b", logprobs={})]


@given(events)
def test_the_answer_is_the_same(each: list[Any]):
    """Whatever arrives together, the same is said, in as many tokens."""
    told = joined(each)
    assert answer(told) == answer(each)
    assert [event for event in told if type(event) is not Text] == [event for event in each if type(event) is not Text]
    counts = [sum(event.tokens or 0 for event in some if type(event) is Text) for some in (told, each)]
    assert counts[0] == counts[1]
