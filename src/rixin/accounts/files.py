"""Files that clients leave with us: each its owner's only, within what an owner may have, gone when its time is over.

Bytes and rows are in two stores, and either may fail between two steps: a row is made before its bytes and outlives
them, so that whatever is interrupted is found and ended by `run`.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager

import msgspec
import structlog
from msgspec import Struct

from rixin.accounts.file_kind import KindReader
from rixin.accounts.file_purposes import check, purpose_of
from rixin.clock import Clock, uuid7
from rixin.core.files import File, FilePage, Shape, Status, key_of
from rixin.errors import Kind, RixinError, invalid
from rixin.settings import Files
from rixin.store.file_bytes import ByteWriter, FileBytes
from rixin.store.files import FileTable, Room

_SWEPT_EVERY = 60.0
_SWEPT_AT_ONCE = 100
_GRACE = 300.0
"""Seconds after its latest end at which an upload without an end counts as interrupted."""

log = structlog.get_logger("rixin.accounts")


class FileWish(Struct, frozen=True, kw_only=True):
    """What a client says of a file that it sends."""

    shape: Shape
    purpose: str
    name: str = ""
    description: str = ""
    lifetime: float | None = None
    """Seconds for which it shall be kept; None for what is usual for its purpose."""


class FileBook:
    """The files of all accounts.

    Args:
        table: What is known of them.
        store: Their bytes.
        settings: How much of each.
        clock: Time.
    """

    def __init__(self, table: FileTable, store: FileBytes, settings: Files, clock: Clock) -> None:
        self._table = table
        self._store = store
        self._settings = settings
        self._room = Room(settings.max_account_bytes, settings.max_account_files)
        self._clock = clock

    @asynccontextmanager
    async def upload(self, owner: str, announced: int | None = None) -> "AsyncGenerator[Upload]":
        """Takes a new file, of which nothing stays unless `Upload.finish` was called.

        Args:
            owner: Whose file it will be.
            announced: The bytes that will come at most, as far as that is known.

        Raises:
            RixinError: `TOO_LARGE`, or `QUOTA_EXHAUSTED` where the owner has no room; `OVERLOADED` where a store cannot
                be used.
        """
        most = self._settings.max_file_bytes
        key = uuid7(self._clock.now()).replace("-", "")
        size = most if announced is None else max(1, min(announced, most))
        granted = await self._table.begin(key, owner, size, self._clock.now(), self._room)
        if granted is None:
            raise _no_room()
        upload = None
        try:
            upload = Upload(self._table, await self._store.writer(key), self._clock, key, owner, granted, most)
            yield upload
        finally:
            if upload is None or not upload.finished:
                await self._undo(key, upload)

    async def get(self, owner: str | None, id: str) -> File:  # noqa: A002 - it is the id
        """A file.

        Args:
            owner: Whose; None for whoever has proven by other means that it may be had.
            id: The file's.

        Raises:
            RixinError: `NOT_FOUND` where the owner has no such file; `OVERLOADED` where the store cannot be used.
        """
        named = key_of(id)
        file = None if named is None else await self._table.get(owner, named[1], self._clock.now())
        if file is None or file.id != id:
            raise _missing()
        return file

    async def list(self, owner: str, page: FilePage) -> tuple[list[File], bool]:
        """A page of an owner's files, and whether there are more behind it.

        Raises:
            RixinError: `INVALID_REQUEST` for an `after` that is no id; `OVERLOADED` where the store cannot be used.
        """
        named = None if page.after is None else key_of(page.after)
        if page.after is not None and named is None:
            raise invalid("invalid after, it should be the id of a file.", "after")
        one_more = msgspec.structs.replace(page, limit=page.limit + 1)
        after = None if named is None else named[1]
        found = await self._table.list(owner, self._clock.now(), one_more, after)
        return found[: page.limit], len(found) > page.limit

    async def delete(self, owner: str, id: str) -> File:  # noqa: A002 - it is the id
        """Deletes a file, which is told once more. Nobody can have it from then on, whatever happens to its bytes.

        Raises:
            RixinError: As `get`.
        """
        file = await self.get(owner, id)
        if not await self._table.condemn(owner, file.key, self._clock.now()):
            raise _missing()
        await self._end(file.key)
        return file

    async def set_status(self, owner: str, id: str, status: Status) -> None:  # noqa: A002 - it is the id
        """Says how far a file is. Raises as `get`."""
        file = await self.get(owner, id)
        if not await self._table.set_status(owner, file.key, status, self._clock.now()):
            raise _missing()

    def content(self, file: File) -> AsyncGenerator[bytes]:
        """The bytes of a file, in pieces. Raises `NOT_FOUND` or `OVERLOADED` before the first one."""
        return self._store.pieces(file.key)

    async def read(self, file: File) -> bytes:
        """The bytes of a file, all at once. Raises as `content`."""
        async with aclosing(self.content(file)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def run(self) -> None:
        """Ends, every minute, files whose time is over and what was interrupted, until it is cancelled."""
        while True:
            try:
                await self.sweep()
            except RixinError as error:
                if error.kind not in (Kind.OVERLOADED, Kind.SHUTTING_DOWN):
                    raise
                log.warning("Old files could not be deleted", detail=error.detail)
            await asyncio.sleep(_SWEPT_EVERY)

    async def sweep(self) -> None:
        """Ends what is to be ended now.

        Raises:
            RixinError: `OVERLOADED` where a store cannot be used.
        """
        while True:
            now = self._clock.now()
            since = now - self._settings.upload_timeout - _GRACE
            keys = await self._table.condemn_lost(now, since, _SWEPT_AT_ONCE)
            for key in keys:
                await self._store.delete(key)
            await self._table.forget(keys)
            if len(keys) < _SWEPT_AT_ONCE:
                return

    async def _end(self, key: str) -> None:
        """Deletes the bytes of a file, then its row; what fails here is done by the next sweep."""
        try:
            await self._store.delete(key)
            await self._table.forget([key])
        except RixinError as error:
            log.warning("The bytes of a file are deleted later", key=key, detail=error.detail)

    async def _undo(self, key: str, upload: "Upload | None") -> None:
        if upload is not None:
            await upload.abandon()
        await self._end(key)


class Upload:
    """A file while it comes."""

    def __init__(
        self, table: FileTable, writer: ByteWriter, clock: Clock, key: str, owner: str, granted: int, most: int
    ) -> None:
        self.finished = False
        self._table = table
        self._writer = writer
        self._clock = clock
        self._key = key
        self._owner = owner
        self._granted = granted
        self._most = most
        self._size = 0
        self._kind = KindReader()

    async def write(self, data: bytes) -> None:
        """Takes the next bytes; waits while the store does not.

        Raises:
            RixinError: `TOO_LARGE` or `QUOTA_EXHAUSTED` when they are too many; `OVERLOADED` where the store cannot be
                used.
        """
        self._size += len(data)
        if self._size > self._most:
            raise RixinError(Kind.TOO_LARGE, f"A file may have {self._most} bytes at most.", param="file")
        if self._size > self._granted:
            raise _no_room()
        self._kind.feed(data)
        await self._writer.write(data)

    async def finish(self, wish: FileWish) -> File:
        """Makes a file of what came.

        Raises:
            RixinError: `INVALID_REQUEST` where it does not fit its purpose; `OVERLOADED` where a store cannot be used.
        """
        purpose = purpose_of(wish.shape, wish.purpose)
        if not self._size:
            raise invalid("invalid file, it is empty.", "file")
        kind = self._kind.kind(wish.name)
        check(purpose, wish.purpose, kind.family, self._size)
        await self._writer.commit()
        now = self._clock.now()
        lifetime = purpose.lifetime if wish.lifetime is None else wish.lifetime
        file = File(
            key=self._key,
            shape=wish.shape,
            purpose=wish.purpose,
            name=wish.name,
            media_type=kind.media_type,
            size=self._size,
            status="valid",
            created_at=now,
            updated_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            description=wish.description,
        )
        if not await self._table.complete(self._owner, file):
            raise RixinError(Kind.REQUEST_TIMEOUT, "The upload took too long.")
        self.finished = True
        return file

    async def abandon(self) -> None:
        """Lets go of what came."""
        try:
            await self._writer.abandon()
        except RixinError as error:
            log.warning("An upload could not be abandoned", key=self._key, detail=error.detail)


def _missing() -> RixinError:
    return RixinError(Kind.NOT_FOUND, "There is no file with this id.")


def _no_room() -> RixinError:
    return RixinError(Kind.QUOTA_EXHAUSTED, "Your files take all the room that there is for them. Delete some.")
