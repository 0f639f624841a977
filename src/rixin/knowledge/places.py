"""Places in documents, and how near they are to a question."""

from typing import Final, TypeAlias

from msgspec import Struct

Place: TypeAlias = tuple[int, int]
"""A document's id, and a position in it."""

DEPTH: Final = 30
"""Passages that each way of searching gives."""


class Near(Struct, frozen=True):
    """What is near a question."""

    places: tuple[Place, ...]
    """The nearest first."""
    questions: dict[int, tuple[float, int]]
    """Of each document that answers questions, the nearest one: its cosine and its entry."""
