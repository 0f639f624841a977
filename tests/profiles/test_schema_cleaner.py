"""Schemas that strict upstreams take."""

import copy
import time
from typing import Any

import pytest
from hypothesis import given, settings

from rixin.profiles.schema_cleaner import MAX_SCHEMAS, UNDERSTOOD, Level, clean
from tests.profiles.bodies import schemas

LEVELS: tuple[Level, ...] = ("safe", "strict")

CASES: list[tuple[str, Any, Any, Any]] = [
    ("nothing", None, {"type": "object", "properties": {}}, {"type": "object", "properties": {}}),
    ("anything", True, {"type": "object", "properties": {}}, {"type": "object", "properties": {}}),
    ("no properties", {"type": "object"}, {"type": "object", "properties": {}}, {"type": "object", "properties": {}}),
    (
        "no type",
        {"properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string"}}},
    ),
    (
        "annotations",
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {"u": {"type": "string", "format": "uri", "examples": ["x"], "description": "where"}},
            "additionalProperties": False,
            "required": ["u"],
        },
        {
            "type": "object",
            "properties": {"u": {"type": "string", "format": "uri", "description": "where"}},
            "additionalProperties": False,
            "required": ["u"],
        },
        {"type": "object", "properties": {"u": {"type": "string", "description": "where"}}, "required": ["u"]},
    ),
    (
        "alternatives at the root",
        {
            "oneOf": [
                {"type": "object", "properties": {"a": {"type": "string"}, "k": {}}, "required": ["a", "k"]},
                {"type": "object", "properties": {"b": {"type": "integer"}, "k": {}}, "required": ["k"]},
            ]
        },
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "k": {}, "b": {"type": "integer"}},
            "required": ["k"],
        },
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "k": {}, "b": {"type": "integer"}},
            "required": ["k"],
        },
    ),
    (
        "a reference",
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "integer"}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "integer"}}},
        {"type": "object", "properties": {"a": {"type": "integer"}}},
    ),
    (
        "a reference at the root",
        {"$ref": "#/$defs/x", "$defs": {"x": {"type": "object", "properties": {"a": {}}}}},
        {"type": "object", "properties": {"a": {}}, "$defs": {"x": {"type": "object", "properties": {"a": {}}}}},
        {"type": "object", "properties": {"a": {}}},
    ),
    (
        "constants, nulls, booleans",
        {"type": "object", "properties": {"c": {"const": "x"}, "n": {"type": ["string", "null"]}, "t": True}},
        {"type": "object", "properties": {"c": {"const": "x"}, "n": {"type": ["string", "null"]}, "t": {}}},
        {"type": "object", "properties": {"c": {"type": "string", "enum": ["x"]}, "n": {"type": "string"}, "t": {}}},
    ),
]


@pytest.mark.parametrize(("schema", "safe", "strict"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_r10_schemas_are_cut_down(schema: Any, safe: Any, strict: Any) -> None:
    """Safe keeps whatever judges a value, strict what every grammar understands."""
    assert clean(schema, "safe") == safe
    assert clean(schema, "strict") == strict


@settings(max_examples=200, deadline=None)
@given(schemas)
def test_r10_every_schema_becomes_an_object_and_then_stays(schema: Any) -> None:
    """Cleaned is cleaned, the root is an object with properties, and what was given is not changed."""
    before = copy.deepcopy(schema)
    for level in LEVELS:
        once = clean(schema, level)
        assert once["type"] == "object"
        assert isinstance(once["properties"], dict)
        assert clean(once, level) == once
    assert schema == before


@settings(max_examples=200, deadline=None)
@given(schemas)
def test_r10_strict_leaves_only_what_is_understood(schema: Any) -> None:
    """No keyword beyond the list is left anywhere."""
    waiting: list[dict[str, Any]] = [clean(schema, "strict")]
    while waiting:
        part = waiting.pop()
        assert set(part) <= UNDERSTOOD
        waiting += [*part.get("properties", {}).values(), *part.get("anyOf", [])]
        waiting += [part["items"]] if "items" in part else []


def test_references_that_lead_in_a_circle_end() -> None:
    """A tree's node refers to itself once, and then to anything."""
    tree: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#"}}}
    cleaned = clean(tree, "strict")
    assert cleaned["properties"] == {"next": {"type": "object", "properties": {"next": {}}}}


def test_references_that_branch_do_not_fill_the_memory() -> None:
    """Forty definitions that each name the next one twice would be a billion schemas."""
    names = [f"d{count}" for count in range(40)]
    definitions: dict[str, Any] = {
        name: {"type": "object", "properties": {"a": {"$ref": f"#/$defs/{after}"}, "b": {"$ref": f"#/$defs/{after}"}}}
        for name, after in zip(names, [*names[1:], "end"], strict=True)
    }
    started = time.monotonic()
    cleaned = clean({"type": "object", "properties": {"x": {"$ref": "#/$defs/d0"}}, "$defs": definitions}, "strict")
    assert str(cleaned).count("properties") <= MAX_SCHEMAS
    assert time.monotonic() - started < 10
