"""Arguments of replayed calls: always the text of a JSON object.

A call that broke off leaves half a text in the history, and an upstream that parses it refuses every request from then
on. What can be closed safely is closed; what cannot is wrapped, so that the model still sees what it wrote.
"""

from typing import Any

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.profiles.sanitizers.draft import Draft, objects

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_OBJECT: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_CLOSING = {"{": "}", "[": "]"}


def arguments(draft: Draft) -> None:
    """Repairs the arguments of the conversation's calls."""
    if draft.profile.tool_history != "keep":
        draft.rewrite_messages("repair_arguments", _repaired)


def _repaired(message: JsonObject) -> JsonObject:
    calls = objects(message.get("tool_calls"))
    written = [_repaired_call(call) for call in calls]
    if all(new is old for new, old in zip(written, calls, strict=True)):
        return message
    return {**message, "tool_calls": list[JsonValue](written)}


def _repaired_call(call: JsonObject) -> JsonObject:
    function = call.get("function")
    if not isinstance(function, dict):
        return call
    value = function.get("arguments")
    text = repaired(value)
    return call if text == value else {**call, "function": {**function, "arguments": text}}


def repaired(value: JsonValue) -> str:
    """The text of a JSON object that says what `value` says.

    An object is written out, no text is no arguments, an object that was encoded twice is unwrapped, a text that broke
    off is closed; anything else is held whole under `_raw`.
    """
    if not isinstance(value, str):
        return "{}" if value is None else _text(value if isinstance(value, dict) else {"_raw": _text(value)})
    if _is_object(value):
        return value
    if not value.strip():
        return "{}"
    inner = _decoded(value)
    if isinstance(inner, str) and _is_object(inner):
        return inner
    closed = _closed(value) if value.lstrip().startswith("{") else ""
    return closed if _is_object(closed) else _text({"_raw": value})


def _is_object(text: str) -> bool:
    try:
        _OBJECT.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _decoded(text: str) -> JsonValue:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def _closed(text: str) -> str:
    """A text that broke off, with what is open in it closed."""
    waiting: list[str] = []
    in_string = escaped = False
    for letter in text:
        if in_string:
            in_string = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
        elif letter == '"':
            in_string = True
        elif letter in _CLOSING:
            waiting.append(_CLOSING[letter])
        elif waiting and letter == waiting[-1]:
            waiting.pop()
    if in_string:
        text = (text[:-1] if escaped else text) + '"'
    return text.rstrip().removesuffix(",") + "".join(reversed(waiting))


def _text(value: JsonValue) -> str:
    return msgspec.json.encode(value).decode()
