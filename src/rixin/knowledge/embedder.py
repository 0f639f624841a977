"""What makes vectors of texts, as this room sees it."""

from collections.abc import Sequence
from typing import Final, Protocol

from rixin.core.requests import TextKind

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
