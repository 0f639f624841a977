"""What may be forgotten again."""

from typing import TypeVar

Entry = TypeVar("Entry")


class Remembered(dict[bytes, Entry]):
    """Entries by digest, of which the oldest makes room for a new one.

    Args:
        most: So many at the same time.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, digest: bytes, entry: Entry) -> None:
        if len(self) >= self._most:
            del self[next(iter(self))]
        super().__setitem__(digest, entry)
