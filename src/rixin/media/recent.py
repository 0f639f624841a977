"""What was made lately: conversations bring the same images with each of their requests."""

from collections import OrderedDict
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class _Kept(Struct, Generic[T], frozen=True):
    thing: T
    size: int


class Recent(Generic[T]):
    """Keeps what things have become, the latest used of them.

    Args:
        size: Bytes that all of them may take.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._kept: OrderedDict[bytes, _Kept[T]] = OrderedDict()

    def get(self, digest: bytes) -> T | None:
        """What the thing of a digest has become, while it is remembered."""
        kept = self._kept.get(digest)
        if kept is None:
            return None
        self._kept.move_to_end(digest)
        return kept.thing

    def put(self, digest: bytes, thing: T, size: int) -> None:
        """Remembers what the thing of a digest has become, and forgets what was not used for longest.

        Args:
            digest: Of what it was.
            thing: What it is.
            size: Bytes that it takes.
        """
        before = self._kept.pop(digest, None)
        if before is not None:
            self._left += before.size
        if size > self._size:
            return
        self._kept[digest] = _Kept(thing, size)
        self._left -= size
        while self._left < 0:
            _, forgotten = self._kept.popitem(last=False)
            self._left += forgotten.size
