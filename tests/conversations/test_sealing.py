"""Where in a stream the envelope of a thought stands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.conversations.sealing import ThoughtSealer
from rixin.core.events import Annotation, Event, Finish, Reasoning, Refusal, Start, Text, ToolArguments, ToolStart
from rixin.core.messages import Opaque, ReasoningPart
from rixin.core.responses import collect
from rixin.core.usage import Usage

START = Start(id="1", created=0, model="m")
CALL = ToolStart(index=0, id="c", name="f")


def seal(text: str, signature: str | None) -> str:
    """An envelope that anyone can read."""
    return f"<{text}|{signature}>"


def sealed(*events: Event, dialect: str = "anthropic") -> list[Event]:
    """What is told instead of these events."""
    return ThoughtSealer(seal, dialect).feed(events)


@pytest.mark.parametrize(
    "closer",
    [Text(text="So"), Refusal(text="No"), Annotation(value={}), CALL, Finish(reason="stop")],
    ids=lambda event: type(event).__name__,
)
def test_a10_the_envelope_comes_before_what_ends_the_thought(closer: Event) -> None:
    """So that it is known when the item or block is closed."""
    told = sealed(Reasoning(text="a"), Reasoning(text="b"), closer)
    assert told == [Reasoning(text="a"), Reasoning(text="b"), Reasoning(signature="<ab|None>"), closer]


def test_an_upstreams_signature_goes_into_the_envelope() -> None:
    """It closes the thought where it stands."""
    told = sealed(Reasoning(text="a"), Reasoning(signature="sig"), Text(text="So"))
    assert told == [Reasoning(text="a"), Reasoning(signature="<a|sig>"), Text(text="So")]


def test_a_thought_that_only_its_upstream_can_read_is_sealed_too() -> None:
    """There may be a signature and no text."""
    assert sealed(Reasoning(signature="sig"), Finish(reason="stop"))[0] == Reasoning(signature="<|sig>")


def test_s11_thoughts_between_calls_have_an_envelope_each() -> None:
    """Every one of them is an item of its own."""
    told = sealed(Reasoning(text="a"), CALL, Reasoning(text="b"), Finish(reason="tool_calls"))
    assert [event.signature for event in told if isinstance(event, Reasoning) and event.signature] == [
        "<a|None>",
        "<b|None>",
    ]


def test_what_a_client_is_not_shown_closes_nothing() -> None:
    """Empty text, usage, arguments and other dialects' own things come between the words of one thought."""
    between: list[Any] = [
        Text(text=""),
        Usage(prompt=1),
        ToolArguments(index=0, text="{}"),
        Opaque(dialect="openai_chat", kind="logprobs", value={}, choice=0),
    ]
    told = sealed(Reasoning(text="a"), *between, Reasoning(text="b"), Finish(reason="stop"))
    assert told[-2] == Reasoning(signature="<ab|None>")


def test_a_block_of_the_clients_dialect_closes_the_thought() -> None:
    """A writer shows it, and so ends what was open."""
    block = Opaque(dialect="anthropic", kind="content_block", value={}, choice=0)
    assert sealed(Reasoning(text="a"), block) == [Reasoning(text="a"), Reasoning(signature="<a|None>"), block]


def test_a6_a_thought_that_anthropic_redacted_is_sealed_too() -> None:
    """For a client of that dialect; the block is the same but for its data."""
    block: Any = {"type": "redacted_thinking", "data": "EmwK", "x": 1}
    event = Opaque(dialect="anthropic", kind="content_block", value={"index": 0, "content_block": block}, choice=0)
    value: Any = {"index": 0, "content_block": {**block, "data": "<|EmwK>"}}
    assert sealed(event) == [Opaque(dialect="anthropic", kind="content_block", value=value, choice=0)]
    assert sealed(event, dialect="openai_responses") == [event]


def test_s6_a_thought_that_breaks_off_is_not_sealed() -> None:
    """Nothing proves half a thought."""
    assert sealed(START, Reasoning(text="a")) == [START, Reasoning(text="a")]


@given(st.lists(st.tuples(st.sampled_from(["think", "say", "refuse"]), st.text(max_size=3)), max_size=12), st.data())
def test_an_answer_is_the_same_but_for_its_envelopes(steps: list[tuple[str, str]], data: st.DataObject) -> None:
    """Whatever comes in whatever portions: the same parts, and every thought sealed with exactly its text."""
    makers: dict[str, Any] = {"think": Reasoning, "say": Text, "refuse": Refusal}
    events: list[Event] = [START, Text(text=""), *(makers[kind](text=text) for kind, text in steps)]
    events.append(Finish(reason="stop"))
    sealer, told = ThoughtSealer(seal, "anthropic"), list[Event]()
    while events:
        size = data.draw(st.integers(1, len(events)))
        told += sealer.feed(events[:size])
        events = events[size:]
    plain = [event for event in told if not (isinstance(event, Reasoning) and event.signature)]
    before, after = collect(plain).choices[0], collect(told).choices[0]
    assert (after.text, after.reasoning) == (before.text, before.reasoning)
    thoughts = [part for part in after.parts if isinstance(part, ReasoningPart)]
    assert all(part.signature == f"<{part.text}|None>" for part in thoughts)
