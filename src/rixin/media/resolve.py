"""Brings the images, videos and documents of a request into the form that its engine takes."""

import asyncio
import base64
import math
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias, TypeGuard

import msgspec
from msgspec import Struct

from rixin.core.messages import DocumentPart, ImagePart, Message, Part, TextPart, ToolResult, VideoPart
from rixin.core.requests import Change, Generate
from rixin.errors import Kind, RixinError, invalid
from rixin.media.allowance import Allowance
from rixin.media.describing import PREFACE, Describer, clock
from rixin.media.fetch import Fetcher
from rixin.media.fetch_error import FetchError
from rixin.media.guard import MAX_URL, parse_url
from rixin.media.jobs import WORDS, Clip, ImageJob, RefusedError, Still, VideoJob
from rixin.media.payload import Payload, data_of, plain_base64
from rixin.media.policy import Policy, described
from rixin.media.reading import MEDIA_TYPES, DocumentReader, kind_of
from rixin.media.recent import Recent
from rixin.media.worker import Decoders
from rixin.settings import Media

_SIDE_BY_SIDE: Final = 6
"""Images and videos of one request that are under way at a time."""

Medium: TypeAlias = ImagePart | VideoPart | DocumentPart

_NOUNS: dict[type[Medium], str] = {ImagePart: "image", VideoPart: "video", DocumentPart: "document"}


class Files(Protocol):
    """The files that one account keeps with us."""

    def named_by(self, url: str) -> str | None:
        """The id of the file that a URL of ours names; None for every other URL."""
        ...

    async def read(self, file_id: str, allowance: Allowance) -> bytes:
        """What is in a file.

        Args:
            file_id: The file's.
            allowance: The bytes are taken from it before they are kept.

        Raises:
            RixinError: `NOT_FOUND` where the account has no such file; as `Allowance.take`.
        """
        ...


class Resolver:
    """Resolves images, videos and documents.

    Args:
        fetcher: Gets what URLs name.
        decoders: Decode the images and videos that were got.
        reader: Reads the documents.
        settings: How much of each.
        describer: Describes images and videos to engines that take none; None where nobody does, and they are refused.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        decoders: Decoders,
        reader: DocumentReader,
        settings: Media,
        describer: Describer | None = None,
    ) -> None:
        self.fetcher = fetcher
        self.decoders = decoders
        self.reader = reader
        self.settings = settings
        self.describer = describer
        self.recent = Recent[Still](settings.recent_bytes)

    async def resolve(self, request: Generate, policy: Policy, files: Files | None = None) -> Generate:
        """A request whose images, videos and documents are as the engine takes them.

        What was done is in its changes: `fetch_image`, `reduce_image`, `still_image` (of an animation),
        `fetch_video`, `sample_video`, `fetch_document`, `read_document`, `describe_image`, `describe_video`. What is
        described stands as one text before all that its message says.

        Args:
            request: The client's; given back as it is where nothing is to be done.
            policy: What the engine takes.
            files: Those of the account that asks.

        Raises:
            RixinError: `INVALID_REQUEST`, naming the part that is wrong; `NOT_FOUND` for a file that is not there;
                `QUEUE_FULL` while too many others wait to be decoded.
        """
        if self.describer is not None:
            policy = described(policy)
        media = dict(_media(request.messages))
        _check_forms(media, policy)
        work = _Work(self, policy, files)
        media = {path: part for path, part in media.items() if work.is_needed(part)}
        if not media:
            return request
        _check_number(media, policy, self.settings)
        tasks: dict[int, asyncio.Task[_Resolved]] = {}
        named: dict[Medium, asyncio.Task[_Resolved]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for path, part in media.items():
                    task = named.get(part) if _is_name(part) else None
                    if task is None:
                        task = group.create_task(work.do(part, path))
                    tasks[id(part)] = task
                    if _is_name(part):
                        named[part] = task
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others were cancelled by it
        done = {each: task.result() for each, task in tasks.items()}
        messages = tuple(_with(message, done) for message in request.messages)
        changes = [Change(name, path) for path, part in media.items() for name in done[id(part)].changes]
        edited = request.edit(messages=messages)
        return msgspec.structs.replace(edited, changes=(*edited.changes, *changes))


class _Resolved(Struct, frozen=True):
    """What an image, a video or a document has become."""

    parts: tuple[Part, ...]
    changes: tuple[str, ...]
    description: str | None = None
    """What is told of it before all that its message says, instead of it."""


class _Work:
    """Resolves the parts of one request."""

    def __init__(self, resolver: Resolver, policy: Policy, files: Files | None) -> None:
        self._resolver = resolver
        self._settings = resolver.settings
        self._policy = policy
        self._files = files
        self._allowance = Allowance(self._settings.max_bytes)
        self._turns = asyncio.Semaphore(_SIDE_BY_SIDE)

    def is_needed(self, part: Medium) -> bool:
        """Whether a part cannot go as it is."""
        if isinstance(part, DocumentPart):
            return self._policy.documents == "text" or not _is_data(part)
        form = self._policy.images if isinstance(part, ImagePart) else self._policy.videos
        if form == "pass":
            return self._files is not None and self._file_of(part) is not None
        return form in ("inline", "frames", "describe")

    async def do(self, part: Medium, path: str) -> _Resolved:
        try:
            async with self._turns:
                payload, fetched = await self._load(part, path)
                if isinstance(part, ImagePart):
                    return await self._image(part, payload, fetched=fetched)
                if isinstance(part, DocumentPart):
                    return await self._document(part, payload, fetched=fetched)
                return await self._video(payload, fetched=fetched)
        except RefusedError as error:
            message = f"invalid {path}, {WORDS[error.fault]}."
            raise RixinError(Kind.INVALID_REQUEST, message, param=path, detail=error.detail) from None

    async def _load(self, part: Medium, path: str) -> tuple[Payload, bool]:
        """What a part holds or names, and whether it was fetched."""
        payload = await self._held(part, path)
        if payload is not None:
            return payload, False
        url = parse_url(part.url or "", path)
        try:
            return Payload(await self._resolver.fetcher.fetch(url, self._allowance)), True
        except FetchError as error:
            # In the words of the SenseNova guide, and no others: why would tell what there is in our network.
            message = f"{_NOUNS[type(part)]} down failed"
            raise RixinError(Kind.INVALID_REQUEST, message, param=path, detail=str(error)) from None

    async def _held(self, part: Medium, path: str) -> Payload | None:
        """What a part holds, or a file of ours that it names; None for a URL of somebody else's."""
        file_id = self._file_of(part)
        if file_id is not None:
            if self._files is None:
                raise invalid(f"invalid {path}, there is no file of this id.", path)
            return Payload(await self._files.read(file_id, self._allowance))
        if not isinstance(part, VideoPart) and part.base64 is not None:
            payload = Payload(part.base64)
        else:
            payload = data_of(part.url or "")
        if payload is not None:
            self._allowance.take(payload.size)
        return payload

    def _file_of(self, part: Medium) -> str | None:
        if part.file_id is not None or part.url is None or self._files is None:
            return part.file_id
        return self._files.named_by(part.url)

    async def _image(self, part: ImagePart, payload: Payload, *, fetched: bool) -> _Resolved:
        recent, digest = self._resolver.recent, await _digest(payload)
        still = recent.get(digest)
        if still is None:
            still = await self._resolver.decoders.image(self._image_job(payload), payload)
            recent.put(digest, still, len(still.picture.data))
        changes = {"fetch_image": fetched, "reduce_image": still.reduced, "still_image": still.animated}
        told = tuple(name for name, happened in changes.items() if happened)
        if self._policy.images == "describe":
            return _Resolved((), (*told, "describe_image"), await self._describer.image(still))
        return _Resolved((ImagePart(url=still.picture.url, detail=part.detail),), told)

    @property
    def _describer(self) -> Describer:
        if self._resolver.describer is None:
            raise TypeError("nobody describes")  # and no policy says otherwise
        return self._resolver.describer

    def _image_job(self, payload: Payload) -> ImageJob:
        settings = self._settings
        return ImageJob(
            base64=payload.is_text,
            max_bytes=settings.max_bytes,
            max_pixels=settings.max_pixels,
            long_edge=settings.long_edge,
            cpu_seconds=math.ceil(settings.decode_timeout),
        )

    async def _video(self, payload: Payload, *, fetched: bool) -> _Resolved:
        settings = self._settings
        sampled = self._policy.videos in ("frames", "describe")
        job = VideoJob(
            base64=payload.is_text,
            max_bytes=settings.max_bytes,
            max_seconds=settings.max_video_seconds,
            long_edge=settings.long_edge,
            frames=settings.video_frames if sampled else 0,
            cpu_seconds=math.ceil(settings.decode_timeout),
        )
        clip = await self._resolver.decoders.video(job, payload)
        changes = {"fetch_video": fetched, "sample_video": sampled}
        told = tuple(name for name, happened in changes.items() if happened)
        if not sampled:
            return _Resolved((VideoPart(url=f"data:{clip.media_type};base64,{await _encoded(payload)}"),), told)
        if self._policy.videos == "describe":
            return _Resolved((), (*told, "describe_video"), await self._describer.clip(clip))
        return _Resolved(_shown(clip), told)

    async def _document(self, part: DocumentPart, payload: Payload, *, fetched: bool) -> _Resolved:
        told = ("fetch_document",) if fetched else ()
        if self._policy.documents == "text":
            text = await self._resolver.reader.text(payload)
            read = DocumentPart(text=text, name=part.name, media_type=MEDIA_TYPES["text"])
            return _Resolved((read,), (*told, "read_document"))
        kind = MEDIA_TYPES[kind_of(payload)]
        return _Resolved((DocumentPart(base64=await _encoded(payload), name=part.name, media_type=kind),), told)


def _shown(clip: Clip) -> tuple[Part, ...]:
    """Images from a video, each after its second."""
    parts: list[Part] = [TextPart(f"[A video of {clock(clip.seconds)}. {len(clip.frames)} images from it follow.]")]
    for frame in clip.frames:
        parts += [TextPart(f"[{clock(frame.second)}]"), ImagePart(url=frame.picture.url)]
    return tuple(parts)


def has_media(messages: tuple[Message, ...]) -> bool:
    """Whether there is anything to resolve."""
    others = [part for message in messages for part in message.parts if type(part) is not TextPart]
    return bool(others) and next(_media(messages), None) is not None


def _media(messages: tuple[Message, ...]) -> Iterator[tuple[str, Medium]]:
    """All images and videos, and documents that are not text yet, by their places."""
    for number, message in enumerate(messages):
        for position, part in enumerate(message.parts):
            path = f"messages[{number}].content[{position}]"
            if _is_medium(part):
                yield path, part
            elif isinstance(part, ToolResult):
                for inner, each in enumerate(part.parts):
                    if _is_medium(each):
                        yield f"{path}.content[{inner}]", each


def _is_medium(part: Part) -> TypeGuard[Medium]:
    return isinstance(part, ImagePart | VideoPart) or (isinstance(part, DocumentPart) and part.text is None)


def _is_data(part: DocumentPart) -> bool:
    return part.base64 is not None or (part.url is not None and data_of(part.url) is not None)


def _check_forms(media: dict[str, Medium], policy: Policy) -> None:
    """Refuses what the engine takes in no form that there is."""
    for path, part in media.items():
        if isinstance(part, VideoPart):
            if policy.videos == "refuse":
                raise invalid(f"invalid {path}, this model does not take videos.", path)
        elif isinstance(part, DocumentPart):
            continue  # every model takes its words
        elif policy.images == "refuse":
            raise invalid(f"invalid {path}, this model does not take images.", path)
        elif policy.images == "urls" and (part.url is None or data_of(part.url) is not None):
            raise invalid(f"invalid {path}, this model takes images by URL only.", path)


def _check_number(media: dict[str, Medium], policy: Policy, settings: Media) -> None:
    """Refuses what is too much, before anything is fetched."""
    found = Counter(type(part) for part in media.values())
    images = settings.max_images
    if policy.images == "describe":
        images = min(images, settings.max_described_images)
    for kind, most in (
        (ImagePart, images),
        (VideoPart, settings.max_videos),
        (DocumentPart, settings.max_documents),
    ):
        if found[kind] > most:
            raise invalid(f"invalid messages, they should hold at most {most} {_NOUNS[kind]}s.", "messages")


def _is_name(part: Medium) -> bool:
    """Whether a part names something, rather than hold it: conversations name the same thing again and again."""
    return part.file_id is not None or (part.url is not None and len(part.url) <= MAX_URL)


def _with(message: Message, done: dict[int, _Resolved]) -> Message:
    parts = _replaced(message.parts, done)
    return message if parts == message.parts else msgspec.structs.replace(message, parts=parts)


def _replaced(parts: tuple[Part, ...], done: dict[int, _Resolved]) -> tuple[Part, ...]:
    written: list[Part] = []
    descriptions: list[str] = []
    for part in parts:
        resolved = done.get(id(part))
        if resolved is not None and resolved.description is not None:
            name = f"{'Video' if isinstance(part, VideoPart) else 'Image'} {len(descriptions) + 1}"
            descriptions.append(f"{name}: {resolved.description}")
            written.append(TextPart(f"[{name}]"))  # so that what is said of it in its place is understood
        elif resolved is not None:
            written += resolved.parts
        elif isinstance(part, ToolResult):
            written.append(msgspec.structs.replace(part, parts=_replaced(part.parts, done)))
        else:
            written.append(part)
    if descriptions:
        written.insert(0, TextPart("\n\n".join([f"[{PREFACE}", *descriptions]) + "]\n\n"))
    return tuple(written)


async def _digest(payload: Payload) -> bytes:
    """What tells it from every other, of the same text or bytes."""
    digest = blake2b(digest_size=32, person=b"text" if payload.is_text else b"bytes")
    for piece in payload.pieces():
        digest.update(piece)
        await asyncio.sleep(0)  # others are served meanwhile
    return digest.digest()


async def _encoded(payload: Payload) -> str:
    """It in base64."""
    pieces: list[bytes] = []
    for piece in payload.pieces():
        pieces.append(bytes(piece) if payload.is_text else base64.b64encode(piece))
        await asyncio.sleep(0)  # others are served meanwhile
    data = b"".join(pieces)
    return (plain_base64(data) if payload.is_text else data).decode("ascii")
