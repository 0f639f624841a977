"""The text inside `{"input": "..."}`, taken out while its JSON is still arriving (RFC 8259, section 7)."""

from enum import Enum, auto
from typing import Any

import msgspec

from rixin.core.json import JsonValue

_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BLANK = " \t\r\n"
_OPENING = '{"input":"'
_REPLACEMENT = "\ufffd"
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class _State(Enum):
    OPENING = auto()
    INSIDE = auto()
    AFTER = auto()
    PLAIN = auto()
    HELD = auto()


class InputUnwrapper:
    """Decodes the input of a custom tool from a function's arguments, cut anywhere.

    Models do not always keep to the form. What does not begin like an object is taken for the input itself; any other
    object is held until it is whole, and then its only text is the input, or else all of it.
    """

    def __init__(self) -> None:
        self._state = _State.OPENING
        self._read: list[str] = []
        self._matched = 0
        self._escape = ""
        self._high = ""

    def feed(self, text: str) -> str:
        """The part of the input that this text completes."""
        if self._state is _State.OPENING:
            text = self._open(text)
        if self._state is _State.INSIDE:
            return self._inside(text)
        if self._state is _State.PLAIN:
            return text
        if self._state is _State.HELD:
            self._read.append(text)
        return ""

    def end(self) -> str:
        """What is left of the input when the arguments are complete."""
        if self._state is _State.INSIDE:
            left, self._high, self._escape = _REPLACEMENT if self._high else "", "", ""
            return left
        if self._state in (_State.AFTER, _State.PLAIN):
            return ""
        text = "".join(self._read)
        self._read, self._state = [], _State.AFTER
        return _only_text(text)

    def _open(self, text: str) -> str:
        """Looks for the opening `{"input":"`; gives the text after it, or what is plain."""
        for position, character in enumerate(text):
            if character == _OPENING[self._matched]:
                self._matched += 1
                if self._matched == len(_OPENING):
                    self._state = _State.INSIDE
                    return text[position + 1 :]
            elif character not in _BLANK or 1 < self._matched < len(_OPENING) - 2:
                # Between `{"` and the closing quote of the key a blank would be part of the key.
                held = "".join(self._read) + text
                self._read = []
                self._state = _State.HELD if self._matched else _State.PLAIN
                if self._state is _State.HELD:
                    self._read.append(held)
                    return ""
                return held
        self._read.append(text)
        return ""

    def _inside(self, text: str) -> str:
        pieces: list[str] = []
        position = 0
        while position < len(text) and self._state is _State.INSIDE:
            if self._escape:
                self._escape += text[position]
                position += 1
                self._escaped(pieces)
                continue
            stop = _next_special(text, position)
            if stop > position:
                self._flush_high(pieces)
                pieces.append(text[position:stop])
            if stop < len(text):
                if text[stop] == '"':
                    self._flush_high(pieces)
                    self._state = _State.AFTER
                else:
                    self._escape = "\\"
            position = stop + 1
        return "".join(pieces)

    def _escaped(self, pieces: list[str]) -> None:
        """Decodes the escape under way, if it is complete."""
        escape = self._escape
        if escape[1] != "u":
            self._flush_high(pieces)
            pieces.append(_ESCAPES.get(escape[1], escape[1]))
            self._escape = ""
        elif len(escape) == 6:
            self._escape = ""
            self._unit(escape[2:], pieces)

    def _unit(self, digits: str, pieces: list[str]) -> None:
        try:
            unit = chr(int(digits, 16))
        except ValueError:
            unit = _REPLACEMENT
        if self._high and "\udc00" <= unit <= "\udfff":
            pieces.append((self._high + unit).encode("utf-16", "surrogatepass").decode("utf-16"))
            self._high = ""
            return
        self._flush_high(pieces)
        if "\ud800" <= unit <= "\udbff":
            self._high = unit
        else:
            pieces.append(_REPLACEMENT if "\udc00" <= unit <= "\udfff" else unit)

    def _flush_high(self, pieces: list[str]) -> None:
        """A high surrogate that no low one follows is no character."""
        if self._high:
            pieces.append(_REPLACEMENT)
            self._high = ""


def _next_special(text: str, start: int) -> int:
    """Where the next quote or backslash stands, or the end."""
    quote, slash = text.find('"', start), text.find("\\", start)
    return min(place for place in (quote, slash, len(text)) if place >= 0)


def _only_text(text: str) -> str:
    """The only text of an object that is not of the agreed form; all of it where there is no such one."""
    try:
        value = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
    return _text_of(value, text)


def _text_of(value: JsonValue, otherwise: str) -> str:
    if not isinstance(value, dict):
        return otherwise
    texts = [value["input"]] if "input" in value else [*value.values()]
    if not texts:
        return ""
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else otherwise
