"""JSON that was cut off, as far as it came."""

from typing import Final

import msgspec

from rixin.core.json import JsonValue

_CLOSING: Final = {"{": "}", "[": "]"}


def read_partial(text: str) -> JsonValue:
    """The JSON in a text, which may go on behind it or be cut off.

    Of an object or a list that was cut off the members that are whole remain; an object in a list counts as a whole.

    Returns:
        None where there is none, or it nests too deep.
    """
    start = text.find("{")
    if start < 0:
        return None
    for found in _readings(text[start:]):
        try:
            return msgspec.json.decode(found)
        except (msgspec.DecodeError, RecursionError):
            continue
    return None


def _readings(text: str) -> tuple[str, str]:
    """The text up to the end of its first object, and the text closed behind its last whole member."""
    open_: list[str] = []
    quoted = escaped = False
    whole = 0
    closing = ""
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in _CLOSING:
            open_.append(character)
        elif character in "]}":
            if not open_ or _CLOSING[open_.pop()] != character:
                break
            if not open_:
                return text[: place + 1], ""
            if open_[-1] == "[" or len(open_) == 1:
                whole, closing = place + 1, _closed(open_)
        elif character == "," and (open_[-1:] == ["["] or len(open_) == 1):
            whole, closing = place, _closed(open_)
    return text, text[:whole] + closing


def _closed(open_: list[str]) -> str:
    return "".join(_CLOSING[character] for character in reversed(open_))
