"""The bytes of files, in a directory or a bucket: each under its key, there as a whole or not at all.

Errors of the store become ours here: `OVERLOADED` where it cannot be used, `NOT_FOUND` where it has no such bytes.
"""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, cast

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from rixin.errors import Kind, RixinError

if TYPE_CHECKING:
    from obstore.store import S3Config  # there for type checkers only

PIECE: Final = 2**18
"""Bytes that are handed on at a time, at least."""
PART: Final = 8 * 2**20
"""Bytes that are held until they are written; what has fewer is written at once."""
_PARTS = 2
"""Of them, how many are on their way at a time."""
_S3 = "s3://"


class FileBytes:
    """The bytes of all files.

    Args:
        store: Where they are.
        folder: The directory that `store` is, where it is one.
    """

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, url: str | None, options: Mapping[str, str], default: Path) -> Self:
        """The bytes at a place.

        Args:
            url: `s3://bucket/prefix`, or a directory; `default` unless given.
            options: For S3, in the words of obstore (`endpoint`, `region`, ...); what is not said is in the
                environment (`AWS_...`).
            default: A directory.

        Raises:
            RixinError: `CONFIGURATION` where it cannot be there.
        """
        try:
            if url is not None and url.startswith(_S3):
                plain = options.get("endpoint", "").startswith("http://")
                config = cast("S3Config", options)  # the store checks it
                return cls(S3Store.from_url(url, config=config, client_options={"allow_http": plain}))
            folder = default if url is None else Path(url).expanduser()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder, mkdir=True), folder)
        except (BaseError, OSError, ValueError) as error:
            raise RixinError(Kind.CONFIGURATION, f"files.url: files cannot be kept in {url}: {error}") from None

    async def writer(self, key: str) -> "ByteWriter":
        """What writes the bytes of a new file."""
        return await ByteWriter.open(self._store, _path(key))

    async def pieces(self, key: str) -> AsyncGenerator[bytes]:
        """A file's bytes, in pieces. Raises before the first one where there are none."""
        with _translated():
            found = await obstore.get_async(self._store, _path(key))
            async for piece in found.stream(min_chunk_size=PIECE):
                yield bytes(piece)

    async def delete(self, key: str) -> None:
        """Deletes a file's bytes, and what an interrupted writer left of them. It is well if there are none."""
        with _translated():
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, _path(key))
            if self._folder is not None:
                await asyncio.to_thread(_delete_drafts, self._folder / _path(key))


class ByteWriter:
    """Writes the bytes of one file, of which nothing is there before they are committed."""

    def __init__(self, file: "obstore.AsyncWritableFile") -> None:
        self._file = file
        self._committed = False

    @classmethod
    async def open(cls, store: ObjectStore, path: str) -> Self:
        """A writer at the beginning."""
        with _translated():
            return cls(
                await obstore.open_writer_async(store, path, buffer_size=PART, max_concurrency=_PARTS).__aenter__()
            )

    async def write(self, data: bytes) -> None:
        """Takes bytes; waits while the store does not."""
        with _translated():
            await self._file.write(data)

    async def commit(self) -> None:
        """Puts the bytes in place."""
        with _translated():
            await self._file.close()
        self._committed = True

    async def abandon(self) -> None:
        """Lets go of what was written, unless it is in place already."""
        if self._committed:
            return
        reason = RuntimeError("abandoned")
        with _translated():
            await self._file.__aexit__(type(reason), reason, None)  # pyright: ignore[reportUnknownMemberType] - untyped there


def _path(key: str) -> str:
    # Of a key that begins with the time, the end is what spreads.
    return f"{key[-2:]}/{key}"


def _delete_drafts(path: Path) -> None:
    """Removes what obstore stages beside a file of a directory, as `NAME#1`, and a killed process leaves behind."""
    for draft in path.parent.glob(f"{path.name}#*"):
        draft.unlink(missing_ok=True)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise RixinError(Kind.NOT_FOUND, "The content of this file is gone.") from None
    except (BaseError, OSError, ValueError) as error:
        message = "The server cannot use its file store at the moment. Try again shortly."
        raise RixinError(Kind.OVERLOADED, message, retry_after=1.0, detail=str(error)) from error
