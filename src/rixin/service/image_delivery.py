"""Images on their way to a client: as bytes or as links, whichever it asked for."""

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from rixin.accounts.files import FileBook, FileWish
from rixin.core.images import Image, Images
from rixin.core.requests import Draw
from rixin.errors import RixinError
from rixin.service.media import MediaStep

PURPOSE = "image_generation"
"""What the files of images are for."""

log = structlog.get_logger("rixin.service")


class ImageDelivery:
    """Delivers images.

    Args:
        files: Keeps those that a link is wanted to.
        media: Fetches those whose bytes are wanted.
        keep: Whether a copy is kept of what a provider gives a link to.
    """

    def __init__(self, files: FileBook, media: MediaStep, *, keep: bool) -> None:
        self._files = files
        self._media = media
        self._keep = keep

    async def deliver(self, images: Images, request: Draw, owner: str, link: Callable[[str], str]) -> Images:
        """The images as the client wants them; who does not say is given what there is.

        Args:
            images: As they were drawn.
            request: What was asked.
            owner: Whose files they become, where they do.
            link: Makes a link of a file's id.

        Raises:
            RixinError: `UPSTREAM_INVALID` where the image behind a provider's link is not to be had; as
                `FileBook.upload`.
        """
        delivering = [self._one(image, request, owner, link) for image in images.images]
        return msgspec.structs.replace(images, images=tuple(await asyncio.gather(*delivering)))

    async def _one(self, image: Image, request: Draw, owner: str, link: Callable[[str], str]) -> Image:
        content, wanted = image.content, request.response_format
        if isinstance(content, str):
            if wanted == "b64_json":
                return msgspec.structs.replace(image, content=await self._media.fetch_image(content))
            if self._keep:
                return await self._copied(image, content, owner, link)
        elif wanted == "url":
            return await self._linked(image, content, owner, link)
        return image

    async def _linked(self, image: Image, content: bytes, owner: str, link: Callable[[str], str]) -> Image:
        """An image by a link to a file that is made of it."""
        async with self._files.upload(owner, len(content)) as upload:
            await upload.write(content)
            file = await upload.finish(FileWish(shape="openai", purpose=PURPOSE, name=f"image.{image.format}"))
        return msgspec.structs.replace(image, content=link(file.id))

    async def _copied(self, image: Image, url: str, owner: str, link: Callable[[str], str]) -> Image:
        """An image by a link to a copy; by its provider's where no copy can be had."""
        try:
            return await self._linked(image, await self._media.fetch_image(url), owner, link)
        except RixinError as error:
            log.warning("an image was not kept", kind=error.kind.value, detail=error.detail)
            return image
