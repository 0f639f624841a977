"""A tool call's arguments as an object, for wires that know them in no other form."""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import ToolCall

RAW = "_raw"
"""The field that holds arguments which are no object, so that none are lost."""


def call_input(call: ToolCall) -> JsonObject:
    """What a call gives its tool; the text of a custom tool is the one field of an object."""
    return {"input": call.arguments} if call.kind == "custom" else parse_arguments(call.arguments)


def parse_arguments(text: str) -> JsonObject:
    """The object that arguments are; a blank text is an empty one."""
    if not text.strip():
        return {}
    try:
        value: JsonValue = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return {RAW: text}
    return value if isinstance(value, dict) else {RAW: text}
