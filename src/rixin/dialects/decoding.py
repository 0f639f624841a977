"""JSON that a client sent, decoded with errors that name the field and say what is wrong with it."""

import re
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Raw

from rixin.core.json import JsonObject, JsonValue
from rixin.errors import invalid

_T = TypeVar("_T")

MAX_DEPTH = 64
"""How deep JSON that is not ours (tool schemas, unknown fields) may nest."""

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?:`key` in )?`\$\.?(?P<path>.*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>.*)`$")
_TYPE_NAMES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}

_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_FIELDS = msgspec.json.Decoder(dict[str, Raw])


def decode(decoder: msgspec.json.Decoder[_T], data: bytes | Raw) -> _T:
    """Decodes a client's body.

    Raises:
        RixinError: `INVALID_REQUEST`. Its `param` is the path of the field whose type is wrong (`messages[0].role`);
            for text that is no JSON the message says where.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error)) from None
    except msgspec.DecodeError as error:
        text = "the JSON breaks off before its end" if "truncated" in str(error) else str(error)
        raise invalid(f"invalid arguments: {text}") from None
    except UnicodeDecodeError:
        raise invalid("invalid arguments: the body is not valid UTF-8") from None
    except RecursionError:
        raise invalid(f"invalid arguments: the JSON nests deeper than {MAX_DEPTH} levels") from None


def convert(value: JsonValue, kind: type[_T]) -> _T:
    """Makes a struct of decoded JSON. Raises as `decode` does where a type is wrong."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _wrong_type(str(error)) from None


def decode_any(data: bytes | Raw) -> JsonValue:
    """Decodes JSON of any shape. Raises as `decode` does."""
    return cast("JsonValue", decode(_ANY, data))


def decode_object(data: bytes | Raw) -> JsonObject:
    """Decodes a JSON object. Raises as `decode` does."""
    value = decode_any(data)
    if not isinstance(value, dict):
        raise _wrong_type("")
    return value


def decode_fields(data: bytes) -> dict[str, Raw]:
    """The fields of a JSON object, undecoded. Raises as `decode` does."""
    return decode(_FIELDS, data)


def is_null(raw: Raw) -> bool:
    """Whether an undecoded value is null."""
    return bytes(raw) == b"null"


def check_depth(value: JsonValue, path: str) -> None:
    """Refuses JSON of a client that nests deeper than `MAX_DEPTH`; `path` names it.

    Level by level instead of by recursion, so that depth costs no stack.
    """
    level = [value] if type(value) is dict or type(value) is list else []
    for _ in range(MAX_DEPTH):
        if not level:
            return
        level = [
            entry
            for container in level
            for entry in (container.values() if type(container) is dict else container)
            if type(entry) is dict or type(entry) is list
        ]
    if level:
        raise invalid(f"invalid {path}, it nests deeper than {MAX_DEPTH} levels.", path)


def _wrong_type(text: str) -> Exception:
    match = _PLACE.match(text)
    path = (match["path"] or "") if match else ""
    what = match["what"] if match else text
    if missing := _MISSING.match(what):
        param = f"{path}.{missing['name']}" if path else missing["name"]
        return invalid(f"invalid {param}, it is required.", param)
    if not path:
        return invalid("invalid arguments: the body should be a JSON object")
    what = re.sub(r"`([^`]*)`", lambda quoted: _readable(quoted[1]), what)
    return invalid(f"invalid {path}, {what[:1].lower()}{what[1:]}.", path)


def _readable(types: str) -> str:
    names = [_TYPE_NAMES.get(name, name) for name in types.split(" | ")]
    return " or ".join(name for name in names if name != "null" or len(names) == 1)
