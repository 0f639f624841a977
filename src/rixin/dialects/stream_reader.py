"""An upstream's bytes to events, for every dialect whose streams are server-sent events with JSON in them."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Protocol, cast

import msgspec

from rixin.core.events import Event
from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.sse import ServerSentEvent, SSEDecoder
from rixin.dialects.upstream_errors import event_error, page_error, unreadable
from rixin.errors import Kind, RixinError

DONE = "[DONE]"
_EVENT_END = b"\n\n"
_TRIES = 4
"""Events that are read one by one before the rest of what arrived with them is read in one go."""
_BLANK = b" \t\r\n\xef\xbb\xbf"

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class _Mode(Enum):
    """What the upstream turned out to send; asked for a stream, some send whole JSON, or a web page."""

    UNKNOWN = auto()
    STREAM = auto()
    WHOLE = auto()
    PAGE = auto()


_MODES = {b"{": _Mode.WHOLE, b"[": _Mode.WHOLE, b"<": _Mode.PAGE}
"""What the first byte that is not blank tells."""


class ObjectReader(Protocol):
    """Turns an upstream's JSON objects, those of a stream or a whole answer, into events."""

    @property
    def complete(self) -> bool:
        """Whether the answer has come to its own end."""
        ...

    def feed(self, value: JsonObject, /) -> list[Event]:
        """The events of an object.

        Raises:
            RixinError: The object is an error, or cannot be part of an answer.
        """
        ...

    def end(self) -> list[Event]:
        """The events that the end of a complete answer brings."""
        ...


class StreamReader:
    """Reads a stream of JSON objects, cut anywhere.

    Args:
        stream: Makes what reads the objects of a stream.
        whole: Makes what reads an answer that is one object.
        bare_objects: A line of JSON counts as an event.

    When bytes hold events and then an error, the events are given first and the next call raises; `feed(b"")` asks for
    it at once. So what is read does not depend on where the bytes were cut.
    """

    def __init__(
        self, stream: Callable[[], ObjectReader], whole: Callable[[], ObjectReader], *, bare_objects: bool = False
    ) -> None:
        self._mode = _Mode.UNKNOWN
        self._sse = SSEDecoder(bare_objects=bare_objects)
        self._objects = stream()
        self._whole = whole
        self._held: list[bytes] = []
        self._done = False
        self._error: RixinError | None = None

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete.

        Raises:
            RixinError: The upstream reported an error, or sent what is no stream of its dialect.
        """
        if self._error is not None:
            raise self._error
        if self._mode is _Mode.UNKNOWN:
            data = self._recognise(data)
        if self._mode is _Mode.STREAM:
            return self._read(data)
        if data:
            self._held.append(data)
        return []

    def eof(self) -> list[Event]:
        """The events that the end of the stream completes.

        Raises:
            RixinError: `UPSTREAM_INTERRUPTED` when the answer is not complete.
        """
        if self._error is not None:
            raise self._error
        if self._mode is _Mode.PAGE:
            raise page_error(b"".join(self._held))
        if self._mode is _Mode.WHOLE:
            self._objects = self._whole()
            events = self._objects.feed(_object(b"".join(self._held)))
        else:
            events = self._unterminated()
        if not self._objects.complete:
            raise RixinError(Kind.UPSTREAM_INTERRUPTED, "The model's answer broke off before it was complete.")
        return events + self._objects.end()

    def _recognise(self, data: bytes) -> bytes:
        data = data.lstrip(_BLANK)
        if data:
            self._mode = _MODES.get(data[:1], _Mode.STREAM)
        return data

    def _read(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        tries = _TRIES
        try:
            while data:
                if not self._done and self._sse.between_events:
                    run, data = self._skim(data)
                    if run:
                        events += run
                        tries = _TRIES
                # One event may be all that it takes to skim over those after it.
                end = data.find(_EVENT_END) + len(_EVENT_END) if tries else 0
                tries -= 1
                one, data = (data, b"") if end < len(_EVENT_END) else (data[:end], data[end:])
                for event in self._sse.feed(one):
                    events += self._take(event)
        except RixinError as error:
            if not events:
                raise
            self._error = error
        return events

    def _take(self, event: ServerSentEvent) -> list[Event]:
        data = event.data
        if not (self._done or event.event) and (events := self._glance(data)) is not None:
            return events
        if self._done or event.event == "ping" or not data.strip():
            return []
        if data.startswith(DONE):
            self._done = True
            return []
        if event.event == "error":
            raise event_error(data)
        return self._objects.feed(_object(data))

    def _glance(self, data: str) -> list[Event] | None:
        """The events of an object of the stream, where they can be told without decoding all of it; else None."""
        del data
        return None

    def _skim(self, data: bytes) -> tuple[list[Event], bytes]:
        """The events of the objects that these bytes begin with, where they can be told all at once, and the bytes
        after them. The bytes begin where an event does.
        """
        return [], data

    def _unterminated(self) -> list[Event]:
        """What stands after the last blank line, if it is whole; else it was cut, and is left alone."""
        events: list[Event] = []
        for event in self._sse.flush():
            try:
                events += self._take(event)
            except RixinError as error:
                if error.kind is not Kind.UPSTREAM_INVALID:
                    raise
        return events


def _object(data: bytes | str) -> JsonObject:
    try:
        value = cast("JsonValue", _DECODER.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise unreadable(data) from None
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        raise unreadable(data)
    return value
