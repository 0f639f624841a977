"""The schema that models write under."""

from collections.abc import Iterator
from typing import cast

import msgspec
import pytest

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject, JsonValue
from rixin.engines.draw.palettes import PALETTES
from rixin.engines.draw.schema import schema_of
from rixin.engines.draw.specification import Chart, Comparison, Sections, Specification, Steps
from rixin.engines.draw.templates import TEMPLATES
from rixin.engines.draw.writing import task

LARGE = ModelCard(name="large", target="large", provider="up")
SMALL = ModelCard(name="local", target="local", context_length=32_768, max_output_length=8192)
KINDS = {"figures", "steps", "sections", "comparison", "timeline", "chart", "quote", "list", "table", "hierarchy"}


def parts(schema: JsonValue) -> Iterator[JsonObject]:
    """All objects in a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from parts(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts(value)


def kinds(schema: JsonObject) -> list[str]:
    """The kinds of blocks that a schema admits."""
    return [
        str(values[0]) for part in parts(schema) if isinstance(values := part.get("enum"), list) and len(values) == 1
    ]


def test_a_large_model_is_asked_for_a_whole_specification() -> None:
    """Blocks of every kind, one of our palettes and one of our layouts."""
    asked = task("Tea", LARGE)
    properties = cast("dict[str, JsonObject]", asked.schema["properties"])
    assert [*properties] == ["title", "subtitle", "palette", "layout", "blocks"]
    assert properties["palette"]["enum"] == [palette.name for palette in PALETTES]
    assert properties["layout"]["enum"] == [template.name for template in TEMPLATES]
    assert set(kinds(asked.schema)) == KINDS
    assert all(f'"{kind}"' in asked.instructions for kind in KINDS)
    assert all(each.name in asked.instructions for each in (*PALETTES, *TEMPLATES))


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("The water cycle", "steps"),
        ("Tea vs coffee", "comparison"),
        ("Why we dream", "sections"),
        ("如何泡茶", "steps"),
        ("对比高铁和飞机", "comparison"),
        ("介绍长城", "sections"),
    ],
)
def test_a_small_model_is_asked_for_one_block(prompt: str, kind: str) -> None:
    """Of the kind that the prompt's words call for, in the prompt's language, with an end to every list."""
    asked = task(prompt, SMALL)
    assert kinds(asked.schema) == [kind]
    assert ("信息图" in asked.instructions) is not prompt.isascii()
    assert all("maxItems" in part for part in parts(asked.schema) if part.get("type") == "array")
    assert asked.max_tokens < task(prompt, LARGE).max_tokens / 5


@pytest.mark.parametrize(
    ("card", "small"),
    [
        (LARGE, False),
        (SMALL, True),
        (msgspec.structs.replace(LARGE, context_length=131_072, max_output_length=8192), False),
        (msgspec.structs.replace(LARGE, context_length=4096), True),
        (msgspec.structs.replace(LARGE, max_output_length=1024), True),
    ],
)
def test_the_card_says_how_much_is_asked(card: ModelCard, small: bool) -> None:
    """Embedded models, short windows and short answers get the small task."""
    assert (len(kinds(task("Tea", card).schema)) == 1) is small


@pytest.mark.parametrize("schema", [task("Tea", LARGE).schema, task("Tea", SMALL).schema])
def test_strict_upstreams_take_it(schema: JsonObject) -> None:
    """No reference, no default, every field required and no other, and nothing of what is ours."""
    words = msgspec.json.encode(schema).decode()
    assert not any(f'"{word}"' in words for word in ("$ref", "$defs", "default", "discriminator", "x-ours", "icon"))
    for part in parts(schema):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert part["required"] == [*cast("JsonObject", part["properties"])]


def test_the_types_of_the_specification_are_its_source() -> None:
    """What is written under the schema is read by those types."""
    schema = schema_of([Chart, Comparison, Sections, Steps])
    assert set(cast("JsonObject", schema["properties"])) == set(Specification.__struct_fields__) - {"language"}
    chart = next(part for part in parts(schema) if part.get("description") == Chart.__doc__)
    assert set(cast("JsonObject", chart["properties"])) == {"type", *Chart.__struct_fields__}
