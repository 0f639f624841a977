"""Tool calls put together from the fragments of a stream.

Upstreams disagree on what ties a fragment to its call: an index, an index that all parallel calls share, an id on the
first fragment or on each, a name that is repeated, comes late, or is all there is. So a fragment is placed by index,
id and by whether the call it would continue already holds a whole JSON value (`JSONBalance`).
"""

import re

import msgspec
from msgspec import Struct

from rixin.core.events import Event, ToolArguments, ToolEnd, ToolStart
from rixin.core.json import JsonObject, JsonValue
from rixin.errors import Kind, RixinError

_OUTSIDE = re.compile(r'["{}\[\]]')
_INSIDE = re.compile(r'["\\]')
_ID_LENGTH = 24


class Fragment(Struct, frozen=True, kw_only=True):
    """A piece of a call, as a delta or a message holds it. Empty texts say nothing."""

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""
    custom: bool = False


def read_fragment(value: JsonValue) -> Fragment:
    """A fragment from an entry of `tool_calls`, or from a legacy `function_call`."""
    if not isinstance(value, dict):
        raise RixinError(
            Kind.UPSTREAM_INVALID, "The upstream sent a tool call that is none.", detail=type(value).__name__
        )
    custom = isinstance(value.get("custom"), dict)
    inner = value.get("custom" if custom else "function", value if "name" in value or "arguments" in value else None)
    call: JsonObject = inner if isinstance(inner, dict) else {}
    index = value.get("index")
    return Fragment(
        index=index if isinstance(index, int) and not isinstance(index, bool) else None,
        id=_text(value.get("id")),
        name=_text(call.get("name")),
        arguments=_arguments(call.get("input" if custom else "arguments")),
        custom=custom,
    )


class JSONBalance:
    """Follows JSON text in pieces, and tells whether an object or array has come to its end. Linear in the text."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.complete = False

    def feed(self, text: str) -> None:
        """Takes the next piece."""
        position, end = 0, len(text)
        while position < end:
            if self._escaped:
                self._escaped = False
                position += 1
                continue
            match = (_INSIDE if self._in_string else _OUTSIDE).search(text, position)
            if match is None:
                return
            position = match.end()
            self._take(match[0])

    def _take(self, character: str) -> None:
        if character == "\\":
            self._escaped = True
        elif character == '"':
            self._in_string = not self._in_string
        elif character in "{[":
            self._depth += 1
        else:
            self._depth -= 1
            self.complete = self._depth <= 0


class _Call:
    """One call under way."""

    def __init__(self, index: int, wire_index: int | None) -> None:
        self.index = index
        self.wire_index = wire_index
        self.id = ""
        self.name = ""
        self.custom = False
        self.pieces: list[str] = []
        self.announced = False
        self.ended = False
        self._balance = JSONBalance()
        self._weighed = 0

    @property
    def complete(self) -> bool:
        """Whether the arguments are a whole JSON value; asked rarely, so pieces are weighed only then."""
        for piece in self.pieces[self._weighed :]:
            self._balance.feed(piece)
        self._weighed = len(self.pieces)
        return self._balance.complete


class CallAssembler:
    """The calls of one choice.

    Args:
        choice: The index of the choice.
        seed: Makes ids for calls whose upstream gives none; the id of the upstream's answer.
    """

    def __init__(self, choice: int, seed: str) -> None:
        self._choice = choice
        self._seed = re.sub(r"[^0-9A-Za-z]", "", seed)[-_ID_LENGTH:]
        self._calls: list[_Call] = []

    def __len__(self) -> int:
        return len(self._calls)

    def take(self, fragment: Fragment, *, whole: bool = False) -> list[Event]:
        """The events that a fragment completes; `whole` says that it is a call of its own, not a part of one."""
        call = None if whole else self._find(fragment)
        events: list[Event] = []
        if call is None:
            events += self.end_complete()
            call = _Call(len(self._calls), fragment.index)
            self._calls.append(call)
        call.id = call.id or fragment.id
        call.name = call.name or fragment.name
        call.custom = call.custom or fragment.custom
        return events + self._extend(call, fragment.arguments)

    def _find(self, fragment: Fragment) -> _Call | None:
        """The call that a fragment continues, or None where it begins another."""
        if fragment.id and (named := next((call for call in self._calls if call.id == fragment.id), None)):
            return named
        calls = reversed(self._calls)
        current = next((call for call in calls if fragment.index is None or call.wire_index == fragment.index), None)
        if current is None:
            return None
        if fragment.id and current.id:
            renamed = bool(fragment.name) or not current.pieces or current.complete
            return None if renamed else current
        if fragment.name and current.name:
            another = current.complete and (bool(fragment.arguments) or fragment.name != current.name)
            return None if another or (fragment.name != current.name and not current.pieces) else current
        return current

    def _extend(self, call: _Call, text: str) -> list[Event]:
        if text and (call.ended or (call.pieces and not call.custom and call.complete)):
            if not text.strip() or text == "".join(call.pieces):
                text = ""  # white space at the end, or all of it once more
            elif call.ended:
                raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent more of a tool call that was complete.")
        if text:
            call.pieces.append(text)
        if call.announced:
            return [ToolArguments(index=call.index, text=text, choice=self._choice)] if text else []
        return self._announce(call) if call.name else []

    def _announce(self, call: _Call) -> list[Event]:
        call.announced = True
        call.id = call.id or f"call_{self._seed}{call.index}"
        kind = "custom" if call.custom else "function"
        events: list[Event] = [ToolStart(index=call.index, id=call.id, name=call.name, choice=self._choice, kind=kind)]
        if call.pieces:
            events.append(ToolArguments(index=call.index, text="".join(call.pieces), choice=self._choice))
        return events

    def end_complete(self) -> list[Event]:
        """Ends the calls that hold all of their arguments, because another item begins.

        A call whose JSON is still open stays so: some upstreams interleave the fragments of parallel calls. So does one
        whose name has not come yet.
        """
        begun = (call for call in self._calls if call.announced and not call.ended)
        return [self._end(call) for call in begun if call.custom or call.complete]

    def end_all(self) -> list[Event]:
        """Ends every call, because the finish has come. A function without arguments is given `{}`.

        Raises:
            RixinError: `UPSTREAM_INVALID` when a call never had a name.
        """
        events: list[Event] = []
        for call in self._calls:
            if call.ended:
                continue
            if not call.announced:
                raise RixinError(Kind.UPSTREAM_INVALID, "The upstream sent a tool call without a name.")
            if not call.custom and not "".join(call.pieces).strip():
                events += self._extend(call, "{}")
            events.append(self._end(call))
        return events

    def _end(self, call: _Call) -> ToolEnd:
        call.ended = True
        return ToolEnd(index=call.index, choice=self._choice)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None or isinstance(value, dict | list) else str(value)


def _arguments(value: JsonValue) -> str:
    if isinstance(value, dict | list):
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, str) else ""
