"""The JSON schema of what a language model writes, made of the specification's own types.

It keeps to what grammars and strict upstreams have in common: no references, no defaults, every field required and no
other, and bounds of lists only where they are asked for.
"""

from collections.abc import Sequence
from typing import Final, cast

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.engines.draw.palettes import PALETTES
from rixin.engines.draw.specification import Block, Specification
from rixin.engines.draw.templates import TEMPLATES

_DROPPED: Final = frozenset({"title", "default", "discriminator", "required"})
_LOOK: Final[JsonObject] = {
    "palette": {"type": "string", "enum": [palette.name for palette in PALETTES]},
    "layout": {"type": "string", "enum": [template.name for template in TEMPLATES]},
}


def schema_of(kinds: Sequence[type[Block]], *, look: bool = True, parts: tuple[int, int] | None = None) -> JsonObject:
    """The schema of a specification.

    Args:
        kinds: Of blocks that it may have.
        look: Whether it names a palette and a layout.
        parts: The fewest and the most members of every list in a block, for a model that would find no end; there is
            one block then.
    """
    _, components = msgspec.json.schema_components((Specification,), ref_template="{name}")
    blocks: list[JsonValue] = [_inlined(components[kind.__name__], components, parts) for kind in kinds]
    whole = _inlined(components[Specification.__name__], components, None)
    properties = cast("JsonObject", whole["properties"]) | _LOOK
    properties["blocks"] = {
        "type": "array",
        "items": blocks[0] if len(blocks) == 1 else {"anyOf": blocks},
        **({"minItems": 1, "maxItems": 1} if parts else {}),
    }
    properties = {name: value for name, value in properties.items() if look or name not in _LOOK}
    return {**whole, "properties": properties, "required": [*properties]}


def _inlined(part: object, components: dict[str, object], parts: tuple[int, int] | None) -> JsonObject:
    """A part of a schema of msgspec's, with what it refers to in its place and without what is ours."""
    schema = cast("JsonObject", part)
    if isinstance(name := schema.get("$ref"), str):
        return _inlined(components[name], components, parts)
    made: JsonObject = {name: value for name, value in schema.items() if name not in _DROPPED}
    if isinstance(listed := schema.get("properties"), dict):
        fields = {name: value for name, value in listed.items() if isinstance(value, dict) and "x-ours" not in value}
        properties: JsonObject = {name: _inlined(value, components, parts) for name, value in fields.items()}
        made |= {"properties": properties, "required": [*properties], "additionalProperties": False}
    if isinstance(inner := schema.get("items"), dict):
        made["items"] = _inlined(inner, components, parts)
        made |= {"minItems": parts[0], "maxItems": parts[1]} if parts else {}
    if isinstance(choices := schema.get("anyOf"), list):
        made["anyOf"] = [_inlined(choice, components, parts) for choice in choices]
    if "enum" in made:
        made["type"] = "string"
    return made
