"""What makes vectors of texts, as this room sees it."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rixin.errors import Kind, RixinError

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, each of length 1."""
WIRE = np.dtype("<f4")
"""How a number of a vector is stored."""


class Embedder(Protocol):
    """A model that embeds."""

    @property
    def name(self) -> str:
        """The model; vectors of two models cannot be compared."""
        ...

    @property
    def floor(self) -> float:
        """The cosine of two texts that have nothing to do with each other."""
        ...

    async def embed(self, texts: Sequence[str], kind: Literal["query", "passage"]) -> Sequence[bytes]:
        """The vectors of texts, as little-endian 32-bit floats.

        Args:
            texts: Some.
            kind: Whether they are looked for, or looked through.

        Raises:
            RixinError: Why there are none.
        """
        ...


def read_vectors(rows: Sequence[bytes]) -> Vectors:
    """Vectors from their stored form, brought to length 1.

    Raises:
        RixinError: `UPSTREAM_INVALID` for what are no vectors of one model.
    """
    if not rows:
        return np.zeros((0, 0), np.float32)
    if not rows[0] or any(len(row) != len(rows[0]) for row in rows) or len(rows[0]) % WIRE.itemsize:
        raise RixinError(Kind.UPSTREAM_INVALID, "The embedding model gave vectors of different lengths.")
    read = np.frombuffer(b"".join(rows), WIRE).reshape(len(rows), -1).astype(np.float32)
    lengths = np.linalg.norm(read, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths)):
        raise RixinError(Kind.UPSTREAM_INVALID, "The embedding model gave numbers that are none.")
    return read / np.maximum(lengths, np.finfo(np.float32).tiny)
