"""Vectors of texts, in the two forms in which they come and go."""

import struct
from typing import TypeAlias

from msgspec import Struct

from rixin.core.requests import Change
from rixin.core.usage import Usage

Vector: TypeAlias = bytes | list[float]
"""Little-endian 32-bit floats in a row, or the numbers themselves, as whoever made them gave them."""


class Embeddings(Struct, frozen=True, kw_only=True):
    """One vector a text, in the order of the texts. `usage` is None where none was reported."""

    model: str
    vectors: tuple[Vector, ...]
    usage: Usage | None = None
    changes: tuple[Change, ...] = ()
    """What the engine did to the request."""


def vector_numbers(vector: Vector) -> list[float]:
    """The numbers of a vector."""
    return vector if isinstance(vector, list) else list(struct.unpack(f"<{len(vector) // 4}f", vector))


def vector_bytes(vector: Vector) -> bytes:
    """A vector as little-endian 32-bit floats.

    Raises:
        OverflowError: A number is too large for 32 bits.
    """
    return vector if isinstance(vector, bytes) else struct.pack(f"<{len(vector)}f", *vector)
