"""Golden cases: a folder is a case.

`events.json` is what an answer means. `upstream.sse` is how an upstream sent it, `error.json` how that breaks. Where
there is a `request.json`, `client.sse` and `response.json` are what its client is given, and `chat.json` is the body
for an upstream that speaks Chat. The requests have the three shapes in which Codex declares its tools.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Finish
from rixin.core.responses import collect
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT
from rixin.dialects.openai_responses.upstream import ResponsesReader, read_response
from rixin.errors import RixinError
from tests.dialects.openai_chat.test_golden import expected_events, name_of
from tests.dialects.openai_responses.asking import fresh_stamp, parse, write

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/events.json"))
READ = [case for case in CASES if (case / "upstream.sse").exists()]
SERVED = [case for case in CASES if (case / "request.json").exists()]


def read(pieces: Iterable[bytes]) -> tuple[list[Event], RixinError | None]:
    """The events of a stream, and the error that ends it."""
    reader, events = ResponsesReader(), list[Event]()
    try:
        for piece in pieces:
            events += reader.feed(piece)
        events += reader.eof()
    except RixinError as error:
        return events, error
    return events, None


def check(case: Path, pieces: Iterable[bytes]) -> None:
    """A case's stream has its events and its error."""
    events, error = read(pieces)
    assert events == expected_events(case)
    path = case / "error.json"
    expected: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    assert (error is not None) is path.exists()
    assert {name: getattr(error, name) for name in expected} == expected


@pytest.mark.parametrize("case", READ, ids=name_of)
def test_a_stream_is_read_whole_and_byte_by_byte(case: Path) -> None:
    """Events and error are the same however the bytes arrive."""
    stream = (case / "upstream.sse").read_bytes()
    for pieces in ([stream], [bytes([byte]) for byte in stream], [b"", stream, b""]):
        check(case, pieces)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("case", READ, ids=name_of)
@given(data=st.data())
def test_a_stream_is_read_at_random_cuts(case: Path, data: st.DataObject) -> None:
    """Events and error are the same wherever the bytes are cut."""
    stream = (case / "upstream.sse").read_bytes()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    check(case, [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)])


@pytest.mark.parametrize("case", READ, ids=name_of)
def test_a_stream_cut_anywhere_never_ends_cleanly_before_its_finish(case: Path) -> None:
    """At each byte, either the finish was there, or the end is an error."""
    stream = (case / "upstream.sse").read_bytes()
    for cut in range(len(stream)):
        seen, error = read([stream[:cut]])
        assert (error is None) == any(isinstance(event, Finish) for event in seen)


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_a_client_is_streamed_exactly_this(case: Path) -> None:
    """The bytes are the same, fed at once and event by event."""
    request, events = parse((case / "request.json").read_bytes()), expected_events(case)
    expected = (case / "client.sse").read_bytes()
    assert write(request, events) == expected
    writer = DIALECT.writer(request, fresh_stamp())
    assert b"".join(writer.feed([event]) for event in events) + writer.close() == expected


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_a_client_is_answered_exactly_this(case: Path) -> None:
    """The whole answer is the same, key by key, and is what the stream's last event holds."""
    request = parse((case / "request.json").read_bytes())
    body = DIALECT.render_response(collect(expected_events(case)), request, fresh_stamp())
    assert msgspec.json.format(body, indent=1) + b"\n" == (case / "response.json").read_bytes()
    stream = read_response((case / "client.sse").read_bytes())
    assert msgspec.structs.replace(read_response(body), opaque=()) == msgspec.structs.replace(stream, opaque=())


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_a_chat_upstream_is_sent_exactly_this(case: Path) -> None:
    """The body, before any profile has seen it."""
    assert CHAT.upstream is not None
    body = msgspec.json.encode(CHAT.upstream.build_body(parse((case / "request.json").read_bytes())))
    assert msgspec.json.format(body, indent=1) + b"\n" == (case / "chat.json").read_bytes()


def test_each_case_is_whole() -> None:
    """No folder lacks a file that its kind of case has."""
    for case in CASES:
        names = {path.name for path in case.iterdir()}
        assert names in (
            {"events.json", "upstream.sse"},
            {"events.json", "upstream.sse", "error.json"},
            {"events.json", "request.json", "client.sse", "response.json", "chat.json"},
        )


@pytest.mark.parametrize("case", SERVED, ids=name_of)
def test_every_upstream_is_offered_only_functions(case: Path) -> None:
    """Each by its own name; nothing that only the client's dialect knows comes along."""
    assert CHAT.upstream is not None
    tools: Any = CHAT.upstream.build_body(parse((case / "request.json").read_bytes())).get("tools", [])
    names = [tool["function"]["name"] for tool in tools]
    assert {tool["type"] for tool in tools} <= {"function"}
    assert len(set(names)) == len(names)
