"""Google's schemas, a subset of OpenAPI 3.0's, as JSON Schema."""

from rixin.core.json import JsonObject, JsonValue

TYPES = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
"""What `type` says, in upper case on this wire."""
COUNTS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
"""Keywords whose numbers may be written as texts: protocol buffers write 64 bits so."""

_TABLES = frozenset({"properties", "defs"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_GONE = frozenset({"nullable", "propertyOrdering", "example"})


def json_schema(schema: JsonObject) -> JsonObject:
    """The same schema in JSON Schema's words. One that is in them already stays as it is.

    What nests deeper than Python's stack never gets here: a request's depth is bounded.
    """
    made: JsonObject = {}
    for name, value in schema.items():
        if name in _GONE or (name == "format" and value == "enum") or value is None:
            continue
        made[name] = _keyword(name, value)
    if made.get("type") == "type_unspecified":
        del made["type"]
    return _or_null(made) if schema.get("nullable") is True else made


def _keyword(name: str, value: JsonValue) -> JsonValue:
    match value:
        case str() if name == "type":
            return value.lower() if value.lower() in TYPES | {"type_unspecified"} else value
        case str() if name in COUNTS and value.isascii() and value.isdigit():
            return int(value[:18])
        case dict() if name in _TABLES:
            return {key: json_schema(inner) if isinstance(inner, dict) else inner for key, inner in value.items()}
        case dict() if name in ("items", "additionalProperties"):
            return json_schema(value)
        case list() if name in _LISTS:
            return [json_schema(inner) if isinstance(inner, dict) else inner for inner in value]
        case _:
            return value


def _or_null(schema: JsonObject) -> JsonObject:
    """A schema that admits null too."""
    kind, values = schema.get("type"), schema.get("enum")
    if not isinstance(kind, str):
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    listed: JsonObject = {"enum": [*values, None]} if isinstance(values, list) and None not in values else {}
    return {**schema, "type": [kind, "null"], **listed}
