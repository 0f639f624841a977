"""Files that only their owner may read, put in place whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rixin.clock import random_text

MODE = 0o600
"""Nobody but the owner reads or writes."""


@contextmanager
def draft(path: Path) -> Generator[Path]:
    """An empty file beside `path`, of `MODE`, to be filled and then placed; what was not placed is removed.

    Raises:
        OSError: The directory cannot be made or written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = path.with_name(f"{path.name}.{random_text(6)}.draft")
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, MODE))
    try:
        yield name
    finally:
        name.unlink(missing_ok=True)


def write(draft: Path, content: str | bytes) -> None:
    """Fills a draft and waits until the disk has it."""
    with draft.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def place(path: Path, content: str | bytes, mode: int = MODE) -> None:
    """Puts content at `path`, in the place of what is there; whoever reads meanwhile sees the one or the other.

    Args:
        path: Where.
        content: The whole file.
        mode: Who may use it, where that is not its owner alone.

    Raises:
        OSError: It cannot be written.
    """
    with draft(path) as filled:
        write(filled, content)
        filled.chmod(mode)
        filled.replace(path)


def place_new(draft: Path, path: Path) -> bool:
    """Puts a draft at `path` unless something is there already: of several processes, one succeeds.

    Returns:
        Whether it was this draft that came to be at `path`.

    Raises:
        OSError: The file system cannot do it; some know no hard links.
    """
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    return True
