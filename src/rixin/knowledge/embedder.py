"""What makes vectors of texts, as this room sees it."""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rixin.core.requests import TextKind
from rixin.errors import Kind, RixinError

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, each of length 1."""
WIRE: Final = np.dtype("<f4")
"""How a number of a vector is stored."""


UNRELATED: Final = 0.8
"""The cosine of two questions that have nothing to do with each other, by the embedded model (multilingual-e5-small),
whose vectors all lie in one narrow cone."""


class Embedder(Protocol):
    """A model that embeds."""

    @property
    def model(self) -> str:
        """The model's name; vectors of two models cannot be compared."""
        ...

    async def __call__(self, texts: Sequence[str], kind: TextKind) -> Sequence[bytes]:
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
