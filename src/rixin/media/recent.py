"""Images that were decoded lately: a conversation brings the same ones with each of its requests."""

from collections import OrderedDict

from rixin.media.jobs import Still


class Recent:
    """Keeps what images have become, the latest used of them.

    Args:
        size: Bytes that all of them may take.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._stills: OrderedDict[bytes, Still] = OrderedDict()

    def get(self, digest: bytes) -> Still | None:
        """What the image of a digest has become, while it is remembered."""
        still = self._stills.get(digest)
        if still is not None:
            self._stills.move_to_end(digest)
        return still

    def put(self, digest: bytes, still: Still) -> None:
        """Remembers what the image of a digest has become, and forgets what was not used for longest."""
        before = self._stills.pop(digest, None)
        if before is not None:
            self._left += len(before.picture.data)
        if len(still.picture.data) > self._size:
            return
        self._stills[digest] = still
        self._left -= len(still.picture.data)
        while self._left < 0:
            _, forgotten = self._stills.popitem(last=False)
            self._left += len(forgotten.picture.data)
