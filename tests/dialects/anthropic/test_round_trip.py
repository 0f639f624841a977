"""The writer and the reader are each other's inverse, alone and with Chat Completions between them."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.cards import ModelCard
from rixin.core.events import Event
from rixin.core.requests import Generate
from rixin.core.responses import Response, collect
from rixin.dialects.anthropic import DIALECT
from rixin.dialects.anthropic.reader import make_reader, read_response
from rixin.dialects.base import Dialect, Reader
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_chat.reader import ChatReader
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.grammar import check_grammar
from tests.dialects.anthropic.streams import streams
from tests.dialects.support import STAMP

REQUEST = Generate(model="m", card=ModelCard(name="m", target="m"), stream=True, include_usage=True)
OFTEN = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def same(response: Response) -> Any:
    """An answer, without what is another's on each wire: id, time, model; places of blocks count from the writer."""
    opaque: list[Any] = [value.value for value in response.opaque]
    for value in opaque:
        value.pop("index", None)
    return response.choices, response.usage, opaque


def write(dialect: Dialect, batches: Iterable[list[Event]]) -> bytes:
    """A whole stream."""
    writer = dialect.writer(REQUEST, STAMP)
    return b"".join(writer.feed(batch) + writer.keep_alive() for batch in batches) + writer.close()


def read(make: Callable[[], Reader], stream: bytes, data: st.DataObject) -> list[Event]:
    """The events of a stream that is cut anywhere."""
    places = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=5)))
    reader, events = make(), list[Event]()
    for start, end in zip([0, *places], [*places, len(stream)], strict=True):
        events += reader.feed(stream[start:end])
    return [*events, *reader.eof()]


@OFTEN
@given(streams(), st.data())
def test_reading_undoes_writing(events: list[Event], data: st.DataObject) -> None:
    """A stream that is written in batches, cut anywhere and read again amounts to the same answer."""
    middle = data.draw(st.integers(0, len(events)))
    stream = write(DIALECT, [events[:middle], events[middle:]])
    check_grammar(stream)
    assert same(collect(read(make_reader, stream, data))) == same(collect(events))


@OFTEN
@given(streams(beside=False))
def test_a_whole_answer_keeps_its_parts(events: list[Event]) -> None:
    """Rendered whole and read again, an answer has its parts in their order, its finish and its usage."""
    response = collect(events)
    told = read_response(DIALECT.render_response(response, REQUEST, STAMP))
    mine, theirs = response.choices[0], told.choices[0]
    assert (theirs.parts, theirs.finish_reason, theirs.stop_sequence) == (
        mine.parts,
        mine.finish_reason,
        mine.stop_sequence,
    )
    assert told.usage == response.usage
    assert len(told.opaque) == len(response.opaque)


@OFTEN
@given(streams("tr"), st.data())
def test_a_client_of_messages_over_a_chat_upstream_loses_nothing(events: list[Event], data: st.DataObject) -> None:
    """What a chat stream holds, calls that run beside each other included, arrives in Messages."""
    upstream = read(ChatReader, write(CHAT, [[event] for event in events]), data)
    stream = write(DIALECT, [upstream])
    check_grammar(stream)
    arrived = collect(read(make_reader, stream, data))
    expected = collect(upstream)
    if expected.choices[0].finish_reason == "length":  # chat says a full window so too
        arrived = msgspec.structs.replace(arrived, choices=expected.choices)
    assert same(arrived)[:2] == same(expected)[:2]


@OFTEN
@given(streams("tra"), st.data())
def test_a_client_of_chat_over_a_messages_upstream_loses_nothing(events: list[Event], data: st.DataObject) -> None:
    """What a stream of Messages holds arrives in Chat Completions, but for its word for a full window."""
    upstream = read(make_reader, write(DIALECT, [events]), data)
    arrived, expected = collect(read(ChatReader, write(CHAT, [upstream]), data)), collect(upstream)
    assert arrived.usage == expected.usage
    mine, theirs = arrived.choices[0], expected.choices[0]
    assert (mine.parts, mine.annotations, mine.stop_sequence) == (
        theirs.parts,
        theirs.annotations,
        theirs.stop_sequence,
    )
    assert mine.finish_reason == ("length" if theirs.finish_reason == "context" else theirs.finish_reason)


@OFTEN
@given(streams(), st.integers(0, 10**9))
def test_a_stream_that_fails_never_looks_whole(events: list[Event], place: int) -> None:
    """After `fail` nothing comes, and a reader raises the error however much was told."""
    writer = DIALECT.writer(REQUEST, STAMP)
    stream = writer.feed(events[: place % len(events)])
    stream += writer.fail(RixinError(Kind.OVERLOADED, "It broke."))
    assert writer.feed(events) + writer.close() == b""
    assert b"event: message_stop\n" not in stream
    reader = make_reader()
    with pytest.raises(RixinError, match=r"It broke\.") as caught:
        collect([*reader.feed(stream), *reader.eof()])
    assert caught.value.kind is Kind.OVERLOADED


@OFTEN
@given(streams(), st.integers(0, 10**9))
def test_a_stream_cut_anywhere_never_ends_cleanly(events: list[Event], place: int) -> None:
    """Our own stream, cut before `message_delta`, is read as broken."""
    stream = write(DIALECT, [events])
    cut = place % stream.index(b"event: message_delta\n")
    reader = make_reader()
    with pytest.raises(RixinError) as caught:
        _ = [*reader.feed(stream[:cut]), *reader.eof()]
    assert caught.value.retryable
