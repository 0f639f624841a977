"""What can be asked of a block whatever its kind."""

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from rixin.core.json import JsonValue
from rixin.engines.draw.specification import Block, Chart, Comparison, Note, Quote, Table

S = TypeVar("S", bound=Struct)

_NO_TEXTS: Final = frozenset({"type", "kind", "icon", "language", "palette", "layout"})
"""Fields that hold words of ours."""


def kind_of(block: Block) -> str:
    """The name of its kind."""
    return str(block.__struct_config__.tag)


def count(block: Block) -> int:
    """How many things it says."""
    match block:
        case Chart():
            return len(block.labels)
        case Table():
            return len(block.rows)
        case Quote() | Note():
            return 1
        case Comparison():
            return sum(len(side.points) for side in block.items)
        case _:
            return len(block.items)


def texts_of(value: Struct | str) -> Iterator[str]:
    """All texts in a part of a specification."""
    found: list[str] = []

    def keep(text: str) -> str:
        found.append(text)
        return text

    _walk(_plain(value), keep)
    return iter(found)


def changed(value: S, change: Callable[[str], str]) -> S:
    """The same with all of its texts changed."""
    return msgspec.convert(_walk(_plain(value), change), type(value))


def _plain(value: Struct | str) -> JsonValue:
    return msgspec.json.decode(msgspec.json.encode(value))


def _walk(value: JsonValue, change: Callable[[str], str]) -> JsonValue:
    match value:
        case str():
            return change(value)
        case dict():
            return {name: part if name in _NO_TEXTS else _walk(part, change) for name, part in value.items()}
        case list():
            return [_walk(part, change) for part in value]
        case _:
            return value
