"""The shapes of bodies as JSON schemas, each kind of struct once, under the name of the room that it comes from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import cast, get_args

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.description import Shape

_SCHEMAS = "#/components/schemas/"
_NUMBERS, _TEXTS, _LISTS = ("number", "integer"), ("string",), ("array",)
_APPLIES = {
    "minimum": _NUMBERS,
    "maximum": _NUMBERS,
    "exclusiveMinimum": _NUMBERS,
    "exclusiveMaximum": _NUMBERS,
    "enum": _TEXTS,
    "minLength": _TEXTS,
    "maxLength": _TEXTS,
    "minItems": _LISTS,
    "maxItems": _LISTS,
}
"""The types that a keyword says something of."""


class Components:
    """The schemas of shapes. A tuple of shapes is any one of them.

    Args:
        shapes: All that there will be.
        details: By room, what is told of fields besides their types; see `DialectDescription.details`.
    """

    def __init__(self, shapes: Iterable[Shape], details: Mapping[str, Mapping[str, JsonObject]]) -> None:
        self.schemas: JsonObject = {}
        """By name, what the schemas of shapes refer to."""
        self._of: dict[Shape, JsonObject] = {}
        by_room: dict[str, list[Shape]] = defaultdict(list)
        for single in {single: None for shape in shapes for single in _singles(shape)}:
            by_room[_room(single)].append(single)
        for room, members in by_room.items():
            schemas, components = msgspec.json.schema_components(
                members, schema_hook=_any, ref_template=f"{_SCHEMAS}{room}.{{name}}"
            )
            self._of.update(zip(members, cast("tuple[JsonObject, ...]", schemas), strict=True))
            for name, schema in components.items():
                _refine(name, cast("JsonObject", schema), details.get(room, {}))
                self.schemas[f"{room}.{name}"] = cast("JsonValue", schema)

    def schema(self, shape: Shape) -> JsonObject:
        """The schema of a shape that was announced."""
        schemas: list[JsonValue] = [self._of[single] for single in _singles(shape)]
        return {"anyOf": schemas} if isinstance(shape, tuple) else cast("JsonObject", schemas[0])


def _singles(shape: Shape) -> tuple[Shape, ...]:
    return cast("tuple[Shape, ...]", shape) if isinstance(shape, tuple) else (shape,)


def _refine(name: str, schema: JsonObject, details: Mapping[str, JsonObject]) -> None:
    """Puts what is told of a struct's fields into its schema."""
    for field, value in cast("dict[str, JsonObject]", schema.get("properties", {})).items():
        detail = details.get(f"{name}.{field}", details.get(field, {}))
        for kind in (value, *cast("list[JsonObject]", value.get("anyOf", []))):
            kind.update({word: told for word, told in detail.items() if kind.get("type") in _APPLIES[word]})


def _any(kind: type) -> dict[str, object]:
    """The schema of JSON that is not ours."""
    if kind is object:
        return {"description": "Any JSON."}
    # What msgspec wants of a hook that is given a type it does not know.
    raise NotImplementedError(kind)


def _room(shape: Shape) -> str:
    """The dialect of a struct, or of those in a list; `rixin` for what is none's."""
    for kind in (shape, *get_args(shape)):
        package, _, rest = str(getattr(kind, "__module__", "")).removeprefix("rixin.").partition(".")
        if package == "dialects":
            return rest.partition(".")[0]
    return "rixin"
