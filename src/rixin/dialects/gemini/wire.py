"""A request's body: brought to one spelling, and the structs of what is left. Parts of contents stay plain JSON.

Google reads JSON as protocol buffers do: names in camel or snake case, and one entry where a list of them may stand.
"""

import re

import msgspec
from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.decoding import check_depth, convert, decode_object

NAME = "gemini"
EVENTS = "events"
"""The form of a stream that was asked for with `alt=sse`; any other is one JSON array."""
THOUGHTS = "thoughts"
"""The form of an answer that shows what was thought."""

LISTS = frozenset({"contents", "parts", "tools", "functionDeclarations", "safetySettings", "stopSequences"})
"""Fields that hold a list, or its only entry."""
FREE = frozenset({
    "args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema",
    "_responseJsonSchema", "labels",
})  # fmt: skip
"""Fields whose JSON is the client's own, in its own spelling."""

_SNAKE = re.compile(r"(?<=[A-Za-z0-9])_([a-z])")


class WireContent(Struct, frozen=True):
    """A turn; without a role it is the user's."""

    parts: list[dict[str, object]] = []
    role: str | None = None


class WireFunction(Struct, frozen=True, rename="camel"):
    """A function on offer; its parameters are told by a schema of Google's kind, or by JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, object] | None = None
    parameters_json_schema: dict[str, object] | None = None


class WireTool(Struct, frozen=True, rename="camel"):
    """A tool. What is not functions is Google's servers' to run; `server_tools` tells of those."""

    function_declarations: list[WireFunction] = []


class WireCallingConfig(Struct, frozen=True, rename="camel"):
    """The choice among the functions."""

    mode: str | None = None
    allowed_function_names: list[str] | None = None


class WireToolConfig(Struct, frozen=True, rename="camel"):
    """How tools are used."""

    function_calling_config: WireCallingConfig | None = None


class WireThinking(Struct, frozen=True, rename="camel"):
    """How much a model shall think, and whether that is shown."""

    include_thoughts: bool | None = None
    thinking_budget: int | None = None
    thinking_level: str | None = None


class WireConfig(Struct, frozen=True, rename="camel"):
    """How an answer is made."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_output_tokens: int | None = None
    stop_sequences: list[str] | None = None
    candidate_count: int | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    response_mime_type: str | None = None
    response_schema: dict[str, object] | None = None
    response_json_schema: dict[str, object] | None = None
    thinking_config: WireThinking | None = None


class GenerateBody(Struct, frozen=True, rename="camel"):
    """The body of a request for an answer. None is absent."""

    contents: list[WireContent] = []
    system_instruction: WireContent | None = None
    tools: list[WireTool] | None = None
    tool_config: WireToolConfig | None = None
    generation_config: WireConfig | None = None


def read_fields(body: bytes) -> JsonObject:
    """The fields of a body, in camel case; what is null is not there.

    Raises:
        RixinError: `INVALID_REQUEST`: it is no JSON object, or nests too deeply.
    """
    value = decode_object(body)
    check_depth(value, "arguments")
    return _spelled(value)


def read_body(fields: JsonObject) -> GenerateBody:
    """The structs of a body's fields. Raises `INVALID_REQUEST`, naming the field whose type is wrong."""
    return convert(fields, GenerateBody)


def server_tools(fields: JsonObject) -> list[str]:
    """The names of the tools among a body's fields that only Google's servers can run."""
    tools = fields.get("tools")
    named = [name for tool in tools if isinstance(tool, dict) for name in tool] if isinstance(tools, list) else []
    return [name for name in named if name != "functionDeclarations"]


def unknown_fields(fields: JsonObject) -> list[str]:
    """The names of the fields that no struct describes, those of `generationConfig` included."""
    config = fields.get("generationConfig")
    unknown = [name for name in fields if name not in _KNOWN]
    if isinstance(config, dict):
        unknown += [f"generationConfig.{name}" for name in config if name not in _KNOWN_CONFIG]
    return unknown


def _spelled(value: JsonObject) -> JsonObject:
    spelled: JsonObject = {}
    for given, inner in value.items():
        if inner is None:
            continue
        name = _SNAKE.sub(lambda letter: letter[1].upper(), given)
        entries: JsonValue = [inner] if name in LISTS and not isinstance(inner, list) else inner
        spelled[name] = entries if name in FREE else _spelled_any(entries)
    return spelled


def _spelled_any(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _spelled(value)
    return [_spelled_any(entry) for entry in value] if isinstance(value, list) else value


_KNOWN = frozenset(field.encode_name for field in msgspec.structs.fields(GenerateBody)) | {"model"}
_KNOWN_CONFIG = frozenset(field.encode_name for field in msgspec.structs.fields(WireConfig))
