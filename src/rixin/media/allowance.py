"""How many bytes the images and videos of one request may have together."""

from rixin.errors import RixinError, invalid


class Allowance:
    """What is left of a number of bytes.

    Args:
        size: The bytes in all.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size

    def expect(self, size: int) -> None:
        """Raises as `take` would, where `size` bytes more would be too many; takes none."""
        if size > self._left:
            raise self._exceeded()

    def take(self, size: int) -> None:
        """Takes bytes that are about to be kept.

        Raises:
            RixinError: `INVALID_REQUEST` where they are too many.
        """
        self.expect(size)
        self._left -= size

    def _exceeded(self) -> RixinError:
        size = f"{self._size / 2**20:.4g} MB" if self._size >= 2**20 else f"{self._size} bytes"
        return invalid(f"invalid messages, the images and videos should be no larger than {size} in all.", "messages")
