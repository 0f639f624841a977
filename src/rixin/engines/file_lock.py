"""A lock on a file, which the system lets go of when the process dies."""

import sys
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: BinaryIO) -> bool:
        """Locks a file for as long as it is open, and tells whether nobody else had."""
        try:
            file.seek(1 << 20)  # beyond what the file tells others, who must be able to read it
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

else:
    import fcntl

    def try_lock(file: BinaryIO) -> bool:
        """Locks a file for as long as it is open, and tells whether nobody else had."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
