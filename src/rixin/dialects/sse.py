"""Server-sent events: bytes to events and back, by the event stream format of the WHATWG HTML standard (section 9.2).

Nothing here knows of HTTP or of what the events mean.
"""

from msgspec import Struct

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_ENDS = (b"\n", b"\r")


class ServerSentEvent(Struct, frozen=True, kw_only=True, gc=False):
    """One event of a stream."""

    data: str
    event: str = ""
    """Its type; empty where the stream named none (a browser would say `message`)."""
    id: str = ""
    """The last event id that the stream has set so far."""
    retry: int | None = None
    """The reconnection time in milliseconds, where this event set one."""


class SSEDecoder:
    """Turns the bytes of an event stream, cut anywhere, into events.

    A line may be of any length, and time is linear in the bytes fed: what a line lacks is kept in pieces until its end
    has come. Lines are cut as bytes, so a character split between two reads is whole again before it is decoded;
    bytes that are no UTF-8 become U+FFFD.

    Args:
        bare_objects: A line that begins with `{` is an event's data, as some servers send their errors; the standard
            has it ignored.
    """

    def __init__(self, *, bare_objects: bool = False) -> None:
        self._bare_objects = bare_objects
        self._pieces: list[bytes] = []
        self._at_start = True
        self._after_carriage_return = False
        self._data: list[str] = []
        self._event = ""
        self._id = ""
        self._retry: int | None = None

    @property
    def between_events(self) -> bool:
        """Whether nothing of an event has come yet that is not complete."""
        return not (self._pieces or self._data or self._event or self._retry is not None)

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """The events that these bytes complete."""
        if self._after_carriage_return and data:
            self._after_carriage_return = False
            data = data.removeprefix(b"\n")
        if not data:
            return []
        lines = data.splitlines()
        if data.endswith(_LINE_ENDS):
            self._after_carriage_return = data.endswith(b"\r")
            rest = b""
        else:
            rest = lines.pop()
        if self._pieces and lines:
            lines[0] = b"".join((*self._pieces, lines[0]))
            self._pieces = []
        if rest:
            self._pieces.append(rest)
        return [event for line in lines if (event := self._line(line)) is not None]

    def flush(self) -> list[ServerSentEvent]:
        """The event that the stream's end left without its blank line.

        The standard discards it; a reader that can tell a whole payload from a part of one may look at it.
        """
        events = [self._line(b"".join(self._pieces))] if self._pieces else []
        self._pieces = []
        return [event for event in (*events, self._line(b"")) if event is not None]

    def _line(self, line: bytes) -> ServerSentEvent | None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        if line.startswith(b"data: "):  # as nearly all lines do
            self._data.append(line[6:].decode("utf-8", "replace"))
            return None
        if self._bare_objects and line.startswith(b"{"):
            return ServerSentEvent(data=line.decode("utf-8", "replace"))
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
        elif name:
            self._field(name, value.removeprefix(b" ").decode("utf-8", "replace"))
        return None

    def _field(self, name: bytes, value: str) -> None:
        if name == b"event":
            self._event = value
        elif name == b"id" and "\0" not in value:
            self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self._retry = int(value[:18])

    def _dispatch(self) -> ServerSentEvent | None:
        event = None
        if self._data:
            event = ServerSentEvent(data="\n".join(self._data), event=self._event, id=self._id, retry=self._retry)
            self._data = []
        self._event, self._retry = "", None
        return event


class SSEEncoder:
    """Turns events into the bytes of a stream, with LF line ends and a space after each colon."""

    def __init__(self) -> None:
        self._id = ""

    def encode(self, event: ServerSentEvent) -> bytes:
        """The bytes of an event. An `id` is written when it differs from the one before.

        Raises:
            ValueError: A type or id that would break its line.
        """
        if any(character in event.event + event.id for character in "\r\n\0"):
            raise ValueError("an event's type and id are of one line, without NUL")
        lines: list[str] = []
        if event.event:
            lines.append(f"event: {event.event}")
        if event.id != self._id:
            self._id = event.id
            lines.append(f"id: {event.id}")
        if event.retry is not None:
            lines.append(f"retry: {event.retry}")
        text = event.data.replace("\r\n", "\n").replace("\r", "\n")
        lines.extend(f"data: {line}" for line in text.split("\n"))
        return ("\n".join(lines) + "\n\n").encode()

    def comment(self, text: str) -> bytes:
        """A comment, which every client ignores."""
        return b": " + " ".join(text.split()).encode() + b"\n\n"
