"""The lock that keeps a second server off a data directory."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from rixin.engines.file_lock import try_lock
from rixin.errors import Kind, RixinError

_NAME = "serve.lock"


@contextlib.contextmanager
def data_lock(data_dir: Path) -> Generator[None, None, None]:
    """Holds a data directory, which is made where need be. The system lets go of it when the process dies.

    Raises:
        RixinError: `CONFIGURATION`, with the process that holds it, or why it cannot be used.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Opened without truncation: the file may hold the pid of the one who has the lock.
        file = os.fdopen(os.open(data_dir / _NAME, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    except OSError as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot use the data directory {data_dir}: {error.strerror}") from None
    with file:
        if not try_lock(file):
            pid = file.read(32).decode("ascii", "replace").strip() or "unknown"
            raise RixinError(
                Kind.CONFIGURATION,
                f"another server (process {pid}) uses the data directory {data_dir}; stop it, or give this one "
                "another directory with --data-dir",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        yield
        file.truncate(0)
