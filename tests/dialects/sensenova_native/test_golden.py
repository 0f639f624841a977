"""Golden cases: a folder is a case.

`upstream.sse` is what an upstream sent, `events.json` what it means, `error.json` how it breaks. Where there is a
`request.json`, `client.sse` and `response.json` are what its client is given.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core import events as core_events
from rixin.core.events import Event
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.sensenova_native import DIALECT
from rixin.dialects.sensenova_native.reader import NativeReader
from rixin.errors import Kind, RixinError
from tests.dialects.sensenova_native.asking import CHAT, COMPLETIONS, parse
from tests.dialects.support import STAMP

FOLDER = Path(__file__).parent
CASES = sorted(path.parent for path in FOLDER.glob("*/events.json"))
BROKEN = [case for case in CASES if (case / "error.json").exists()]
WHOLE = [case for case in CASES if case not in BROKEN]
SERVED = [case for case in CASES if (case / "request.json").exists()]


def name_of(case: Path) -> str:
    """A case is called like its folder."""
    return case.name


def read(pieces: Iterable[bytes]) -> tuple[list[Event], RixinError | None]:
    """The events of a stream, and the error that ends it."""
    reader, events = NativeReader(), list[Event]()
    try:
        for piece in pieces:
            events += reader.feed(piece)
        events += reader.eof()
    except RixinError as error:
        return events, error
    return events, None


def expected_events(case: Path) -> list[Event]:
    """The events of a case."""
    types: dict[str, Any] = {**vars(core_events), "Usage": Usage, "Opaque": Opaque}
    entries: list[dict[str, Any]] = json.loads((case / "events.json").read_text())
    return [types[entry.pop("type")](**entry) for entry in entries]


def check_error(case: Path, error: RixinError | None) -> None:
    """The error is the case's, or there is none."""
    if case not in BROKEN:
        assert error is None
        return
    assert error is not None
    expected: dict[str, Any] = json.loads((case / "error.json").read_text())
    assert {name: getattr(error, name) for name in expected} == expected


def request_of(case: Path) -> Generate:
    """The request of a case."""
    body = (case / "request.json").read_bytes()
    return parse(body, COMPLETIONS if b'"prompt"' in body else CHAT)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_stream_is_read_whole_and_byte_by_byte(case: Path) -> None:
    """Events and error are the same however the bytes arrive."""
    stream = (case / "upstream.sse").read_bytes()
    for pieces in ([stream], [bytes([byte]) for byte in stream], [b"", stream, b""]):
        events, error = read(pieces)
        assert events == expected_events(case)
        check_error(case, error)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("case", CASES, ids=name_of)
@given(data=st.data())
def test_a_stream_is_read_at_random_cuts(case: Path, data: st.DataObject) -> None:
    """Events and error are the same wherever the bytes are cut."""
    stream = (case / "upstream.sse").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    events, error = read(pieces)
    assert events == expected_events(case)
    check_error(case, error)


@pytest.mark.parametrize("case", WHOLE, ids=name_of)
def test_a_stream_cut_anywhere_never_ends_cleanly_before_its_finish(case: Path) -> None:
    """At each byte, either the finish was there, or the end is an error that may be retried."""
    stream, events = (case / "upstream.sse").read_bytes(), expected_events(case)
    choices = {event.choice for event in events if isinstance(event, core_events.Finish)}
    ends = 0
    for cut in range(len(stream)):
        seen, error = read([stream[:cut]])
        if error is None:
            ends += 1
            assert {event.choice for event in seen if isinstance(event, core_events.Finish)} == choices
            collect(seen)
        else:
            assert error.retryable
            assert error.kind in (Kind.UPSTREAM_INTERRUPTED, Kind.UPSTREAM_INVALID)
            assert seen == events[: len(seen)]
    assert ends or (case / "upstream.sse").read_bytes().startswith(b"{")


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_a_client_is_streamed_exactly_this(case: Path) -> None:
    """The bytes are the platform's to the last, written at once and as the upstream's bytes come in."""
    request, events = request_of(case), expected_events(case)
    expected = (case / "client.sse").read_bytes()
    writer = DIALECT.writer(request, STAMP)
    assert writer.feed(events) + writer.close() == expected
    writer, reader = DIALECT.writer(request, STAMP), NativeReader()
    written = [writer.feed(reader.feed(bytes([byte]))) for byte in (case / "upstream.sse").read_bytes()]
    assert b"".join(written) + writer.feed(reader.eof()) + writer.close() == expected


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_a_client_is_answered_exactly_this(case: Path) -> None:
    """The whole answer's JSON is the platform's, key by key."""
    body = DIALECT.render_response(collect(expected_events(case)), request_of(case), STAMP)
    expected = (case / "response.json").read_bytes()
    assert msgspec.json.format(body, indent=1) == msgspec.json.format(expected, indent=1)


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_our_own_stream_is_read_as_the_upstreams(case: Path) -> None:
    """What we write in these cases means what we have read."""
    ours, error = read([(case / "client.sse").read_bytes()])
    assert error is None
    mine, theirs = collect(ours), collect(expected_events(case))
    assert msgspec.structs.replace(mine, id="", model="", usage=None) == msgspec.structs.replace(
        theirs, id="", model="", usage=None
    )


def test_the_guides_stream_is_ours_but_for_its_blanks() -> None:
    """Line by line the same objects, framed by the same bytes; the guide's last sum is one too high."""
    guide, ours = ((FOLDER / "guide_streaming" / name).read_bytes() for name in ("upstream.sse", "client.sse"))
    theirs = guide.replace(b'"total_tokens":13', b'"total_tokens":12').replace(b'"123456789012345"', b'"1"')
    assert b"data: " not in ours
    assert [_framed(line) for line in ours.split(b"\n")] == [_framed(line) for line in theirs.split(b"\n")]


def test_the_guides_answer_is_ours() -> None:
    """Key by key, in the guide's order; the role is the guide's word for a type there."""
    case = FOLDER / "guide_not_streaming"
    theirs = (case / "upstream.sse").read_bytes().replace(b'"4b44cd86cd2c000"', b'"1"')
    theirs = theirs.replace(b'"role": "string"', b'"role": "assistant"')
    assert msgspec.json.format((case / "response.json").read_bytes(), indent=0) == msgspec.json.format(theirs, indent=0)


def _framed(line: bytes) -> bytes:
    """A line of a stream with the blanks of its JSON left out."""
    data = line.removeprefix(b"data:")
    return b"data:" + msgspec.json.format(data, indent=-1) if line.startswith(b"data:{") else line


def test_each_case_is_whole() -> None:
    """No folder lacks a file that its kind of case has."""
    for case in CASES:
        names = {path.name for path in case.iterdir()}
        assert {"upstream.sse", "events.json"} <= names
        assert ("request.json" in names) == ("client.sse" in names) == ("response.json" in names)
