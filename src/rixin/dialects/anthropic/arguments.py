"""A tool call's arguments as this wire has them: an object."""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.messages import ToolCall

RAW = "_raw"
"""The field that holds arguments which are no object, so that none are lost."""


def render_input(call: ToolCall) -> JsonObject:
    """The `input` of a `tool_use` block."""
    if call.kind == "custom":
        return {"input": call.arguments}
    if not call.arguments.strip():
        return {}
    try:
        value: JsonValue = msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError):
        return {RAW: call.arguments}
    return value if isinstance(value, dict) else {RAW: call.arguments}
