"""The event stream format, by the paragraphs of the WHATWG HTML standard, sections 9.2.5 and 9.2.6."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.dialects.sse import ServerSentEvent, SSEDecoder, SSEEncoder


def decode(data: bytes, *cuts: int) -> list[ServerSentEvent]:
    """All events of a stream that is fed in pieces."""
    decoder = SSEDecoder()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    pieces = [data[start:end] for start, end in pairwise(places)]
    return [event for piece in pieces for event in decoder.feed(piece)]


def event(data: str, event: str = "", *, id: str = "", retry: int | None = None) -> ServerSentEvent:  # noqa: A002 - its name
    """An event, in short."""
    return ServerSentEvent(data=data, event=event, id=id, retry=retry)


CASES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    "a_blank_line_dispatches_the_event": (b"data: a\n\ndata: b\n\n", [event("a"), event("b")]),
    "lines_end_with_lf": (b"data: a\ndata: b\n\n", [event("a\nb")]),
    "lines_end_with_cr": (b"data: a\rdata: b\r\r", [event("a\nb")]),
    "lines_end_with_crlf": (b"data: a\r\ndata: b\r\n\r\n", [event("a\nb")]),
    "line_ends_may_be_mixed": (b"data: a\r\n\rdata: b\n\r\n", [event("a"), event("b")]),
    "one_leading_byte_order_mark_is_ignored": (b"\xef\xbb\xbfdata: a\n\n", [event("a")]),
    "a_second_byte_order_mark_belongs_to_the_line": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    "a_line_that_starts_with_a_colon_is_a_comment": (
        b": hm\n\ndata: a\n: in between\ndata: b\n\n:\n\n",
        [event("a\nb")],
    ),
    "one_space_after_the_colon_is_removed": (b"data:a\ndata: b\ndata:  c\n\n", [event("a\nb\n c")]),
    "a_line_without_a_colon_is_a_field_with_an_empty_value": (b"data\n\ndata\ndata\n\n", [event(""), event("\n")]),
    "an_empty_data_field_dispatches_an_empty_event": (b"data:\n\n", [event("")]),
    "several_data_fields_are_joined_by_lf": (b"data: a\ndata:\ndata: b\n\n", [event("a\n\nb")]),
    "the_event_field_sets_the_type_of_one_event": (b"event: x\ndata: a\n\ndata: b\n\n", [event("a", "x"), event("b")]),
    "the_last_event_field_wins": (b"event: x\nevent: y\ndata: a\n\n", [event("a", "y")]),
    "an_event_without_data_is_not_dispatched": (b"event: x\n\ndata: a\n\n", [event("a")]),
    "the_id_lasts": (
        b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
        [event("a", id="1"), event("b", id="1"), event("c")],
    ),
    "an_id_without_data_lasts_too": (b"id: 1\n\ndata: a\n\n", [event("a", id="1")]),
    "an_id_with_nul_is_ignored": (b"id: 1\nid: 2\x003\ndata: a\n\n", [event("a", id="1")]),
    "retry_of_ascii_digits_is_the_reconnection_time": (
        b"retry: 10\ndata: a\n\ndata: b\n\n",
        [event("a", retry=10), event("b")],
    ),
    "any_other_retry_is_ignored": ("retry: 1s\nretry: -1\nretry:\nretry: \u0661\ndata: a\n\n".encode(), [event("a")]),
    "other_fields_are_ignored": (b"datum: x\nDATA: y\n data: z\ndata: a\n\n", [event("a")]),
    "an_event_without_its_blank_line_is_discarded": (b"data: a\n\ndata: b\n", [event("a")]),
    "bytes_are_decoded_as_utf_8": ("data: 春风 🌱\n\n".encode(), [event("春风 🌱")]),
    "invalid_bytes_become_replacement_characters": (b"data: a\xffb\n\ndata: c\n\n", [event("a\ufffdb"), event("c")]),
    "other_line_breaks_of_unicode_are_text": ("data: a\u2028b\x0bc\x85d\n\n".encode(), [event("a\u2028b\x0bc\x85d")]),
    "only_the_first_colon_separates": (b"data: a: b\n\n", [event("a: b")]),
}


@pytest.mark.parametrize("name", CASES)
def test_paragraph(name: str) -> None:
    """Each paragraph of the standard holds, whole, byte by byte, and with every single cut."""
    data, expected = CASES[name]
    assert decode(data) == expected
    assert decode(data, *range(len(data))) == expected
    for cut in range(len(data)):
        assert decode(data, cut) == expected


@given(
    st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"x", b"id", "é".encode(), b"\xff", b"event"])),
    st.data(),
)
def test_cuts_do_not_matter(pieces: list[bytes], data: st.DataObject) -> None:
    """Any bytes give the same events wherever they are cut."""
    stream = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(stream))))
    assert decode(stream, *cuts) == decode(stream)


ENCODABLE = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(
    st.lists(
        st.tuples(
            ENCODABLE.map(lambda text: text.replace("\r", "")),
            st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])),
            st.sampled_from(["", "1", "2"]),
            st.none() | st.integers(0, 10**9),
        )
    )
)
def test_decoding_undoes_encoding(events: list[tuple[str, str, str, int | None]]) -> None:
    """What the encoder writes, the decoder reads."""
    encoder = SSEEncoder()
    made = [event(data, kind, id=last_id, retry=retry) for data, kind, last_id, retry in events]
    stream = b"".join(encoder.encode(one) + encoder.comment("still here") for one in made)
    assert decode(stream) == made


def test_a_type_of_two_lines_is_refused() -> None:
    """An event's type or id cannot smuggle a line into the stream."""
    for bad in (event("a", "x\ndata: y"), event("a", id="1\r2"), event("a", id="\0")):
        with pytest.raises(ValueError, match="one line"):
            SSEEncoder().encode(bad)


def test_a_comment_stays_one_line() -> None:
    """Line ends in a comment's text do not end it."""
    assert decode(SSEEncoder().comment("a\ndata: x\r\n\r\n") + b"data: a\n\n") == [event("a")]


def test_flush_gives_what_lacks_its_blank_line() -> None:
    """A reader may look at the event that the stream's end cut."""
    for end in (b"", b"\n", b"\r\n"):
        decoder = SSEDecoder()
        assert decoder.feed(b"data: a\n\ndata: b" + end) == [event("a")]
        assert decoder.flush() == [event("b")]
        assert decoder.flush() == []


def test_a_long_line_takes_linear_time() -> None:
    """Eight megabytes in one line, in small pieces, are read at once: ten times the figure of a slow machine."""
    decoder, piece = SSEDecoder(), b"x" * 1024
    began = time.perf_counter()
    assert decoder.feed(b"data: ") == []
    for _ in range(8192):
        assert decoder.feed(piece) == []
    (only,) = decoder.feed(b"\n\n")
    assert len(only.data) == 8192 * 1024
    assert time.perf_counter() - began < 5


def test_a_bare_object_is_an_event_where_it_may_be() -> None:
    """Some servers send their errors as a line of JSON; the standard has such lines ignored."""
    stream = b'data: a\n\n{"error":{}}\ndata: b\n\n{"error":{}}'
    assert [event.data for event in SSEDecoder().feed(stream)] == ["a", "b"]
    decoder = SSEDecoder(bare_objects=True)
    events = [event for byte in stream for event in decoder.feed(bytes([byte]))] + decoder.flush()
    assert [event.data for event in events] == ["a", '{"error":{}}', "b", '{"error":{}}']
