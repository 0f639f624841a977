"""Golden cases of every dialect: a folder beside the dialect's tests is a case.

`events.json` is what an answer means. `upstream.sse` is how an upstream sent it, and `error.json` how that breaks.
Where there is a `request.json`, `client.sse` and `response.json` are what its client is given.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.core import events as core_events
from rixin.core.events import Event, Finish
from rixin.core.messages import Opaque
from rixin.core.requests import Generate
from rixin.core.responses import Response, collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT as MESSAGES
from rixin.dialects.base import Call, Dialect, Reader, Stamp
from rixin.dialects.openai_chat import DIALECT as CHAT
from rixin.dialects.openai_responses import DIALECT as RESPONSES
from rixin.dialects.sensenova_native import DIALECT as NATIVE
from rixin.dialects.sensenova_native import TURNS
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import fresh_stamp
from tests.dialects.support import STAMP, card_of


@dataclass(frozen=True)
class Case:
    """A folder of a dialect."""

    dialect: Dialect
    folder: Path

    def __str__(self) -> str:
        return f"{self.dialect.name}-{self.folder.name}"

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.folder / name).exists()

    def content(self, name: str) -> bytes:
        """A file."""
        return (self.folder / name).read_bytes()

    @cached_property
    def events(self) -> list[Event]:
        """What the answer means."""
        types: dict[str, Any] = {**vars(core_events), "Usage": Usage, "Opaque": Opaque}
        entries: list[dict[str, Any]] = json.loads(self.content("events.json"))
        return [types[entry.pop("type")](**entry) for entry in entries]

    @cached_property
    def request(self) -> Generate:
        """What was asked. A dialect's second route is the one for bare prompts, where it has one."""
        body = self.content("request.json")
        request = self.dialect.routes[b'"prompt"' in body].parse(Call(body=body), card_of)
        assert isinstance(request, Generate)
        return request

    @property
    def stamp(self) -> Stamp:
        """Responses give each item an id of its own; the others have one for all."""
        return fresh_stamp() if self.dialect is RESPONSES else STAMP

    def reader(self) -> Reader:
        """Reads the dialect's streams."""
        assert self.dialect.upstream is not None
        return self.dialect.upstream.reader()

    def read(self, pieces: Iterable[bytes]) -> tuple[list[Event], RixinError | None]:
        """The events of a stream, and the error that ends it."""
        reader, events = self.reader(), list[Event]()
        try:
            for piece in pieces:
                events += reader.feed(piece)
            events += reader.eof()
        except RixinError as error:
            return events, error
        return events, None

    def check(self, pieces: Iterable[bytes]) -> None:
        """Makes sure that a stream in these pieces has the case's events and its error."""
        events, error = self.read(pieces)
        assert events == self.events
        assert (error is not None) is self.has("error.json")
        expected: dict[str, Any] = json.loads(self.content("error.json")) if error is not None else {}
        assert {name: getattr(error, name) for name in expected} == expected


FOLDERS = {**{dialect.name: dialect for dialect in (CHAT, RESPONSES, MESSAGES, NATIVE)}, f"{NATIVE.name}/turns": TURNS}
CASES = [
    Case(dialect, path.parent)
    for folder, dialect in FOLDERS.items()
    for path in sorted((Path(__file__).parent / folder).glob("*/events.json"))
]
READ = [case for case in CASES if case.has("upstream.sse")]
WHOLE = [case for case in READ if not case.has("error.json")]
SERVED = [case for case in CASES if case.has("request.json")]


@pytest.mark.parametrize("case", READ, ids=str)
def test_a_stream_is_read_whole_and_byte_by_byte(case: Case) -> None:
    """Events and error are the same however the bytes arrive."""
    stream = case.content("upstream.sse")
    for pieces in ([stream], [bytes([byte]) for byte in stream], [b"", stream, b""]):
        case.check(pieces)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("case", READ, ids=str)
@given(data=st.data())
def test_a_stream_is_read_at_random_cuts(case: Case, data: st.DataObject) -> None:
    """Events and error are the same wherever the bytes are cut."""
    stream = case.content("upstream.sse")
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=12)))
    case.check([stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)])


@pytest.mark.parametrize("case", WHOLE, ids=str)
def test_a_stream_cut_anywhere_never_ends_cleanly_before_its_finish(case: Case) -> None:
    """At each byte, either the finish was there, or the end is an error that may be retried."""
    stream = case.content("upstream.sse")
    finished = {event.choice for event in case.events if isinstance(event, Finish)}
    for cut in range(len(stream)):
        seen, error = case.read([stream[:cut]])
        if error is None:
            assert {event.choice for event in seen if isinstance(event, Finish)} == finished
            collect(seen)
        else:
            assert error.retryable
            assert error.kind in (Kind.UPSTREAM_INTERRUPTED, Kind.UPSTREAM_INVALID)
            assert seen == case.events[: len(seen)]


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_a_client_is_streamed_exactly_this(case: Case) -> None:
    """The bytes are the platform's to the last, written at once, and as they come in from an upstream."""
    expected = case.content("client.sse")
    writer = case.dialect.writer(case.request, case.stamp)
    assert writer.feed(case.events) + writer.close() == expected
    writer = case.dialect.writer(case.request, case.stamp)
    written = b"".join(writer.feed(batch) for batch in _batches(case))
    assert written + writer.close() == expected


def _batches(case: Case) -> Iterable[list[Event]]:
    """The events as an upstream's bytes bring them, else one by one."""
    if not case.has("upstream.sse"):
        return [[event] for event in case.events]
    reader = case.reader()
    return [*(reader.feed(bytes([byte])) for byte in case.content("upstream.sse")), reader.eof()]


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_a_client_is_answered_exactly_this(case: Case) -> None:
    """The whole answer's JSON is the platform's, key by key."""
    body = case.dialect.render_response(collect(case.events), case.request, case.stamp)
    assert msgspec.json.format(body, indent=1) == msgspec.json.format(case.content("response.json"), indent=1)


@pytest.mark.parametrize("case", [case for case in SERVED if case.has("upstream.sse")], ids=str)
def test_our_own_stream_is_read_as_the_upstreams(case: Case) -> None:
    """Whoever has a Rixin for an upstream loses nothing."""
    events, error = case.read([case.content("client.sse")])
    assert error is None
    assert _meant(collect(events)) == _meant(collect(case.events))


def _meant(response: Response) -> Response:
    """An answer without what a server gives it: its identity, and what it counts."""
    return msgspec.structs.replace(response, id="", model="", usage=None, opaque=())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_case_is_whole(case: Case) -> None:
    """No folder lacks a file that its kind of case has."""
    assert case.has("upstream.sse") or case.has("request.json")
    assert case.has("request.json") == case.has("client.sse") == case.has("response.json")
    assert case.has("upstream.sse") or not case.has("error.json")
