"""Requests with media, and a resolver for them, which its tests share."""

import asyncio
import base64
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest

from rixin.core.cards import ModelCard
from rixin.core.messages import ImagePart, Message, Part
from rixin.core.requests import Generate
from rixin.errors import Kind, RixinError
from rixin.media.allowance import Allowance
from rixin.media.describing import Describer
from rixin.media.fetch import Fetcher, FetchTimeouts
from rixin.media.guard import Guard
from rixin.media.jobs import Picture
from rixin.media.policy import IMAGES_AS_DATA, Policy
from rixin.media.reading import DocumentReader
from rixin.media.resolve import Resolver
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.settings import Media
from tests.media.conftest import ENVIRONMENT
from tests.media.samples import shown
from tests.support.hang import HANG

CARD = ModelCard(name="model", target="model")
PATH = "messages[0].content[0]"


class Drawer:
    """Files of one account."""

    def __init__(self, **files: bytes) -> None:
        self.files: Mapping[str, bytes] = files

    def named_by(self, url: str) -> str | None:
        """Files have a URL with us."""
        found = re.fullmatch(r"https://rixin\.example/v1/files/(\w+)/content\?.*", url)
        return found and found[1]

    async def read(self, file_id: str, allowance: Allowance) -> bytes:
        """What is in it."""
        if file_id not in self.files:
            raise RixinError(Kind.NOT_FOUND, f"there is no file {file_id}")
        allowance.take(len(self.files[file_id]))
        return self.files[file_id]


def asking(*parts: Part) -> Generate:
    """A request of one message."""
    return Generate(model="model", card=CARD, messages=(Message(role="user", parts=parts),))


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Bytes in a URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@asynccontextmanager
async def opened(settings: Media | None = None, fetch: FetchTimeouts | None = None) -> AsyncGenerator[Resolver, None]:
    """A resolver that may reach the test's servers, and describes where the settings want it."""
    settings = settings or Media(decode_timeout=HANG)
    decoders = Decoders(ENVIRONMENT, timeout=settings.decode_timeout)
    readers = Decoders(ENVIRONMENT, timeout=settings.decode_timeout, program=DOCUMENTS)
    describer = Describer.open(settings, ENVIRONMENT) if settings.vision_adapter else None
    fetcher = Fetcher(Guard(["127.0.0.1"]), fetch)
    try:
        async with asyncio.timeout(HANG):
            yield Resolver(fetcher, decoders, DocumentReader(readers, settings), settings, describer)
    finally:
        if describer is not None:
            await describer.aclose()
        await fetcher.aclose()
        await decoders.aclose()
        await readers.aclose()


async def resolved(request: Generate, policy: Policy = IMAGES_AS_DATA, files: Drawer | None = None) -> Generate:
    """What becomes of a request."""
    async with opened() as resolver:
        return await resolver.resolve(request, policy, files)


async def refused(request: Generate, policy: Policy = IMAGES_AS_DATA, settings: Media | None = None) -> RixinError:
    """Why a request is not answered."""
    async with opened(settings) as resolver:
        with pytest.raises(RixinError) as caught:
            await resolver.resolve(request, policy, Drawer())
    return caught.value


def picture_of(part: Part) -> Picture:
    """The picture that a part has become."""
    assert isinstance(part, ImagePart)
    assert (part.base64, part.file_id) == (None, None)
    found = re.fullmatch(r"data:(image/png|image/jpeg);base64,(.+)", part.url or "")
    assert found is not None
    return msgspec.convert({"media_type": found[1], "data": found[2]}, Picture)


def color_of(part: Part) -> tuple[int, ...]:
    """The color of a picture, by its strongest channels."""
    color = shown(picture_of(part)).getpixel((5, 5))
    assert isinstance(color, tuple)
    return tuple(round(value / 255) * 255 for value in color)
