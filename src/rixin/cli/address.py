"""Where the server of a data directory can be reached by programs of this machine, whatever port it was given."""

from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from rixin.errors import Kind, RixinError

_NAME = "serve.url"
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - what to connect to instead of them


def reachable_url(host: str, port: int) -> str:
    """The address of a server that listens on a host and a port."""
    host = _ANYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def recorded_address(data_dir: Path, url: str) -> Generator[None, None, None]:
    """Tells in a data directory, which is made where need be, where its server is.

    Where servers of a shared database share a directory, it tells of the one that was started last.

    Raises:
        RixinError: `CONFIGURATION` where the directory cannot be used.
    """
    file = data_dir / _NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.write_text(f"{url}\n", encoding="utf-8")
    except OSError as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot write {file}: {error.strerror}") from None
    try:
        yield
    finally:
        if find_address(data_dir) == url:
            with suppress(OSError):
                file.unlink()


def find_address(data_dir: Path) -> str | None:
    """The address of the server that was started last on a data directory; None where it has ended.

    One that was killed could not take its word back; nobody answers there.
    """
    try:
        return (data_dir / _NAME).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
