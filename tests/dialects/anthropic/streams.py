"""Random streams by the grammar of `core.events`, with calls that run beside each other."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from rixin.core.events import Annotation, Event, Finish, FinishReason, Reasoning, Start, Text, ToolArguments, ToolEnd
from rixin.core.events import ToolStart as Call
from rixin.core.messages import Opaque
from rixin.core.usage import Usage
from tests.dialects.support import STAMP

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.text(alphabet="abcdefgh_", min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def cut(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces that are not empty."""
    places = sorted(draw(st.sets(st.integers(1, len(text) - 1), max_size=4))) if len(text) > 1 else []
    return [text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True)]


@st.composite
def call(draw: st.DrawFn, index: int) -> list[Event]:
    """A whole call."""
    arguments = msgspec.json.encode(draw(st.dictionaries(WORDS, JSON, max_size=3))).decode()
    return [
        Call(index=index, id=f"toolu_{index}", name=draw(NAMES)),
        *(ToolArguments(index=index, text=piece) for piece in draw(cut(arguments))),
        ToolEnd(index=index),
    ]


@st.composite
def plain(draw: st.DrawFn, kinds: str) -> list[Event]:
    """Something that is no call: words, thoughts, citations, blocks that only this dialect knows."""
    match draw(st.sampled_from(kinds)):
        case "t":
            return [Text(text=draw(WORDS))]
        case "r":
            signed: list[Event] = [Reasoning(signature=draw(NAMES))] if draw(st.booleans()) else []
            return [Reasoning(text=draw(WORDS)), *signed]
        case "a":
            return [Annotation(value={"type": "page_location", "cited_text": draw(WORDS)})]
        case _:
            block: dict[str, Any] = {"type": "redacted_thinking", "data": draw(NAMES)}
            return [
                Opaque(dialect="anthropic", kind="content_block", value={"index": 0, "content_block": block}, choice=0)
            ]


@st.composite
def streams(draw: st.DrawFn, kinds: str = "trao", *, beside: bool = True) -> list[Event]:
    """A stream; with `beside`, whatever comes may come while calls are open."""
    events: list[Event] = [Start(id="up", created=STAMP.created, model="m")]
    queues: list[list[Event]] = []
    calls = 0
    for step in draw(st.lists(st.sampled_from("pcc"), max_size=8)):
        if step == "c":
            queues.append(draw(call(calls)))
            calls += 1
        else:
            queues.append(draw(plain(kinds)))
        if not beside or draw(st.booleans()):
            events += [event for queue in queues for event in queue]
            queues = []
        elif queues:
            events.append(queues[-1].pop(0))  # what began stays open, and others come beside it
            queues = [queue for queue in queues if queue]
    while any(queues):
        events.append(draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
    reasons: list[FinishReason] = ["length", "content_filter", "context", "tool_calls" if calls else "stop"]
    events.append(Finish(reason=draw(st.sampled_from(reasons)), stop_sequence=draw(st.none() | WORDS)))
    prompt, completion = draw(st.integers(1, 10**6)), draw(st.integers(0, 10**6))
    cached, reasoning = draw(st.integers(0, prompt)), draw(st.integers(0, completion))
    usage = Usage(prompt=prompt, completion=completion, cached=cached, reasoning=reasoning)
    events.insert(draw(st.sampled_from([1, len(events)])), usage)
    return events
