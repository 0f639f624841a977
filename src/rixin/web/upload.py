"""A file as it is sent: a multipart body that goes to its store while it comes, and is never held."""

import asyncio
import re

from rixin.accounts.file_purposes import purpose_of
from rixin.accounts.files import FileBook, FileWish, Upload
from rixin.core.files import File, Shape
from rixin.dialects.multipart import MultipartReader, Part
from rixin.errors import Kind, RixinError, invalid
from rixin.settings import Settings
from rixin.web.exchange import Exchange

_MAX_FIELD = 8192
"""Bytes of a field."""
_MAX_DESCRIPTION = 1024
_MAX_NAME = 255
_MIN_LIFETIME, _MAX_LIFETIME = 3600, 2_592_000
"""Seconds that OpenAI's `expires_after` may say."""
_DRAINED = 64 * 2**20
"""Bytes of a refused upload that are read on, so that its sender reads why and finds no reset."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Uploads:
    """Takes files.

    Args:
        book: Keeps them.
        settings: Of the server.
    """

    def __init__(self, book: FileBook, settings: Settings) -> None:
        self._book = book
        self._settings = settings

    async def take(self, exchange: Exchange, owner: str, otherwise: Shape) -> File:
        """The file that a request sends.

        Args:
            exchange: The request.
            owner: Whose file it will be.
            otherwise: The shape that it gets when it has neither `scheme` nor `purpose`, which is then missed.

        Raises:
            RixinError: What is wrong with it; as `FileBook.upload` and `Upload`; `REQUEST_TIMEOUT` when it does not
                come; `CANCELLED` when the client has gone.
        """
        try:
            async with asyncio.timeout(self._settings.files.upload_timeout):
                return await self._take(exchange, owner, otherwise)
        except TimeoutError:
            raise RixinError(Kind.REQUEST_TIMEOUT, "The upload took too long.") from None
        except RixinError as error:
            if error.kind is not Kind.CANCELLED:
                await exchange.discard_body(_DRAINED, self._settings.server.body_timeout)
            raise

    async def _take(self, exchange: Exchange, owner: str, otherwise: Shape) -> File:
        if exchange.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, "A file must be sent without content-encoding.")
        reader = MultipartReader(exchange.headers.get("content-type", ""))
        async with self._book.upload(owner, _announced(exchange)) as upload:
            form = _Form(upload, otherwise)
            async for data in exchange.body_pieces(self._settings.server.body_timeout):
                for event in reader.feed(data):
                    await form.feed(event)
            if not reader.complete:
                raise invalid("The request's multipart body is cut off.")
            return await upload.finish(form.wish())


class _Form:
    """The fields of an upload, and where its file goes."""

    def __init__(self, upload: Upload, otherwise: Shape) -> None:
        self._upload = upload
        self._otherwise: Shape = otherwise
        self._fields: dict[str, bytearray] = {}
        self._filename: str | None = None
        self._current: str | None = None

    async def feed(self, event: Part | bytes) -> None:
        """Takes what comes next."""
        if isinstance(event, Part):
            self._begin(event)
        elif self._current is None:
            await self._upload.write(event)
        else:
            field = self._fields[self._current]
            field += event
            if len(field) > _MAX_FIELD:
                raise invalid(f"invalid {self._current[:50]}, it is too long.", self._current[:50])

    def wish(self) -> FileWish:
        """What the client says of its file.

        Raises:
            RixinError: `INVALID_REQUEST`, naming what is wrong.
        """
        if self._filename is None:
            raise invalid("invalid file, it is required.", "file")
        shape, purpose = self._purpose()
        description = self._text("description")
        if len(description) > _MAX_DESCRIPTION:
            raise invalid(f"invalid description, it should have at most {_MAX_DESCRIPTION} characters.", "description")
        name = self._text("user_provided_filename") or self._filename
        return FileWish(
            shape=shape, purpose=purpose, name=_clean(name), description=description, lifetime=self._lifetime()
        )

    def _begin(self, part: Part) -> None:
        if part.name != "file":
            if part.name in self._fields:
                raise invalid(f"invalid {part.name[:50]}, it is there twice.", part.name[:50])
            self._fields[part.name] = bytearray()
            self._current = part.name
            return
        if self._filename is not None:
            raise invalid("invalid file, one file is sent at a time.", "file")
        if "scheme" in self._fields or "purpose" in self._fields:
            purpose_of(*self._purpose())  # so that nobody sends all of a file in vain
        self._filename = part.filename or "file"
        self._current = None

    def _purpose(self) -> tuple[Shape, str]:
        scheme, purpose = self._text("scheme"), self._text("purpose")
        if scheme and purpose:
            raise invalid("invalid purpose, a file has either a scheme or a purpose.", "purpose")
        if scheme:
            return "native", scheme
        if purpose:
            return "openai", purpose
        return self._otherwise, ""

    def _lifetime(self) -> float | None:
        seconds, anchor = self._text("expires_after[seconds]"), self._text("expires_after[anchor]")
        if not seconds and not anchor:
            return None
        if anchor != "created_at":
            raise invalid("invalid expires_after.anchor, should be created_at.", "expires_after.anchor")
        lifetime = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 10 else 0
        if not _MIN_LIFETIME <= lifetime <= _MAX_LIFETIME:
            message = f"invalid expires_after.seconds, should in [{_MIN_LIFETIME},{_MAX_LIFETIME}]."
            raise invalid(message, "expires_after.seconds")
        return float(lifetime)

    def _text(self, name: str) -> str:
        try:
            return self._fields.get(name, b"").decode("utf-8").strip()
        except UnicodeDecodeError:
            raise invalid(f"invalid {name}, it should be in UTF-8.", name) from None


def _announced(exchange: Exchange) -> int | None:
    length = exchange.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else None


def _clean(name: str) -> str:
    """A name without folders, and without what would make it look like another one."""
    name = _CONTROL.sub("", name.replace("\\", "/").rpartition("/")[2]).strip()
    return name[:_MAX_NAME] or "file"
