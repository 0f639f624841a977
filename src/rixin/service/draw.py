"""Requests for images."""

import re
from collections.abc import Callable

import msgspec

from rixin.core.images import Images
from rixin.core.messages import ImagePart, Message
from rixin.core.requests import Draw, Generate
from rixin.errors import RixinError
from rixin.service.image_delivery import ImageDelivery
from rixin.service.media import MediaStep
from rixin.service.served import Caller
from rixin.service.serving import Serving
from rixin.service.whole import Whole
from rixin.store.usage_row import UsageRow

_PLACE = re.compile(r"messages\[0\]\.content\[(\d+)\]")


class Drawing(Whole[Draw]):
    """One request under way."""

    operation = "draw"

    def __init__(self, drawer: "Drawer", request: Draw, caller: Caller) -> None:
        super().__init__(drawer.serving, request, caller)
        self._drawer = drawer

    async def run(self, link: Callable[[str], str]) -> Images:
        """The answer.

        Args:
            link: Makes a link of a file's id.

        Raises:
            RixinError: Why there is none.
        """
        return await self._admitted(lambda: self._images(link))

    async def _images(self, link: Callable[[str], str]) -> Images:
        self.request = await self._with_images(self.request)
        drawn = await self._send(self.request).images()
        delivered = await self._drawer.delivery.deliver(drawn, self.request, self.caller.account.id, link)
        self.usage = drawn.usage
        return delivered

    def row_so_far(self, failure: RixinError | None = None) -> UsageRow:
        """What is taken down of the request if it ends now."""
        return self._row(failure, stream=self.request.stream)

    async def _with_images(self, request: Draw) -> Draw:
        """The request with the images that are to be edited in the form in which whoever may draw takes them."""
        parts = (*request.images, request.mask) if request.mask is not None else request.images
        if not parts:
            return request
        carrier = Generate(model=request.model, card=request.card, messages=(Message(role="user", parts=parts),))
        try:
            carrier = await self._drawer.media.resolve(carrier, self._resolution, self.caller.account)
        except RixinError as error:
            raise _of_images(error) from None
        resolved = [part for part in carrier.messages[0].parts if isinstance(part, ImagePart)]
        return msgspec.structs.replace(
            request,
            images=tuple(resolved[: len(request.images)]),
            mask=resolved[-1] if request.mask is not None else None,
            changes=(*request.changes, *carrier.changes),
        )


class Drawer:
    """Begins requests for images.

    Args:
        serving: What serves them.
        media: Brings what is edited into the form that its engine takes.
        delivery: Brings what was drawn into the form that the client wants.
    """

    def __init__(self, serving: Serving, media: MediaStep, delivery: ImageDelivery) -> None:
        self.serving = serving
        self.media = media
        self.delivery = delivery

    def begin(self, request: Draw, caller: Caller) -> Drawing:
        """A request that starts when it is run."""
        return Drawing(self, request, caller)


def _of_images(error: RixinError) -> RixinError:
    """An error that names a part of a message, naming the image instead."""
    message = _PLACE.sub(r"images[\1]", error.message)
    param = None if error.param is None else _PLACE.sub(r"images[\1]", error.param)
    return RixinError(error.kind, message, param=param, retry_after=error.retry_after, detail=error.detail)
