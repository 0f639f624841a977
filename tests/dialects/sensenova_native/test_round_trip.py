"""The writer and the reader are each other's inverse, and other dialects' streams pass through them."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, FinishReason, Reasoning, Start, Text
from rixin.core.messages import ReasoningPart, TextPart
from rixin.core.requests import Generate
from rixin.core.responses import Response, collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT as MESSAGES
from rixin.dialects.base import Dialect
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.dialects.sensenova_native import DIALECT as NATIVE
from rixin.dialects.sensenova_native.reader import NativeReader, read_response
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import ask
from tests.dialects.support import STAMP

WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
REASONS: list[FinishReason] = ["stop", "length", "content_filter", "context"]
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@st.composite
def streams(draw: st.DrawFn, most_choices: int = 3) -> list[Event]:
    """A stream of what this wire can say, its choices interleaved."""
    queues: list[list[Event]] = []
    for choice in range(draw(st.integers(1, most_choices))):
        kinds = draw(st.lists(st.booleans(), min_size=1, max_size=8))
        said: list[Event] = [
            Reasoning(text=draw(WORDS), choice=choice) if thought else Text(text=draw(WORDS), choice=choice)
            for thought in kinds
        ]
        queues.append([*said, Finish(reason=draw(st.sampled_from(REASONS)), choice=choice)])
    events: list[Event] = [Start(id="up", created=0, model="")]
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        events.append(queue.pop(0))
    counts = st.integers(0, 10**6)
    events.append(Usage(prompt=draw(counts), completion=draw(counts), knowledge=draw(st.sampled_from([0, 0, 7]))))
    return events


def said(response: Response) -> list[object]:
    """What every dialect keeps of an answer's choices: words, thoughts and why it ended."""
    return [
        (
            choice.index,
            "".join(part.text for part in choice.parts if isinstance(part, TextPart)),
            "".join(part.text for part in choice.parts if isinstance(part, ReasoningPart)),
            "length" if choice.finish_reason == "context" else choice.finish_reason,
        )
        for choice in response.choices
    ]


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(streams(), st.data())
def test_reading_undoes_writing(events: list[Event], data: st.DataObject) -> None:
    """A stream that is written, cut anywhere and read again amounts to the same answer."""
    writer = NATIVE.writer(ask(stream=True), STAMP)
    cut = data.draw(st.integers(0, len(events)))
    stream = writer.feed(events[:cut]) + writer.keep_alive() + writer.feed(events[cut:]) + writer.close()
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    reader, read = NativeReader(), list[Event]()
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        read += reader.feed(stream[start:end])
    expected = msgspec.structs.replace(collect(events), id="1")
    assert collect([*read, *reader.eof()]) == expected
    assert read_response(stream) == expected


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(streams())
def test_a_whole_answer_keeps_its_words(events: list[Event]) -> None:
    """Rendered whole and read again, each choice has its text, thoughts, finish and the usage."""
    response = collect(events)
    read = read_response(NATIVE.render_response(response, ask(), STAMP))
    assert (said(read), read.usage) == (said(response), response.usage)


@settings(max_examples=100, deadline=None)
@given(streams(), st.integers(0, 10**9))
def test_a_stream_that_fails_never_looks_whole(events: list[Event], place: int) -> None:
    """After `fail` there is no `[DONE]`, and a reader raises the error however much was finished."""
    writer = NATIVE.writer(ask(stream=True), STAMP)
    error = RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke.")
    stream = writer.feed(events[: place % len(events)]) + writer.fail(error)
    assert b"[DONE]" not in stream
    reader = NativeReader()
    with pytest.raises(RixinError, match=r"It broke\.") as caught:
        collect([*reader.feed(stream), *reader.eof()])
    assert caught.value.retryable


@pytest.mark.parametrize("other", [CHAT, RESPONSES, MESSAGES], ids=lambda dialect: dialect.name)
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(events=streams(most_choices=1))
def test_other_dialects_streams_pass_through(other: Dialect, events: list[Event]) -> None:
    """In front of this platform and behind it, words, thoughts and the end of an answer survive."""
    assert other.upstream is not None
    request = msgspec.structs.replace(ask(stream=True), stream=True)
    for front, back in ((NATIVE, other), (other, NATIVE)):
        heard = read(front, write(front, request, read(back, write(back, request, events))))
        assert said(collect(heard)) == said(collect(events))


def write(dialect: Dialect, request: Generate, events: list[Event]) -> bytes:
    """A whole stream of a dialect."""
    writer = dialect.writer(request, STAMP)
    return writer.feed(events) + writer.close()


def read(dialect: Dialect, stream: bytes) -> list[Event]:
    """The events of a whole stream."""
    assert dialect.upstream is not None
    reader = dialect.upstream.reader()
    return [*reader.feed(stream), *reader.eof()]
