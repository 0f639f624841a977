"""Weights on their way from the disk into memory, before the library asks for them.

How far loading has come is told by this alone. The binding takes no progress callback, and llama.cpp counts the tensors
that it has mapped, which is done in a moment: what takes time is the disk. The files are read here once, so that the
library finds them in the system's cache of files; a file that is there already costs 0.15 s for each GB.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from rixin.errors import Kind, RixinError

_PIECE = 4 * 2**20


def read_ahead(paths: Sequence[Path], tell: Callable[[float], None]) -> None:
    """Reads files to their ends.

    Args:
        paths: What the library will load.
        tell: Told the part that has been read, from 0 to 1, at most once for each percent and at the end.

    Raises:
        RixinError: `CONFIGURATION` where a file cannot be read.
    """
    piece = memoryview(bytearray(_PIECE))
    done = percent = 0
    try:
        size = sum(path.stat().st_size for path in paths)
        for path in paths:
            with path.open("rb", buffering=0) as file:
                while count := file.readinto(piece):
                    done += count
                    if percent < (percent := done * 100 // size):
                        tell(done / size)
    except OSError as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot read the model: {error}") from None
