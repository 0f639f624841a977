"""One request for images, from its reservation to its settlement.

It ends in one row of the request log and a settled reservation, as a generation does.
"""

import asyncio
import re
from collections.abc import Callable

import msgspec

from rixin.accounts.account import Account
from rixin.accounts.request_log import RequestLog
from rixin.clock import Clock
from rixin.core.images import Images
from rixin.core.messages import ImagePart, Message
from rixin.core.requests import Draw, Generate
from rixin.errors import RixinError
from rixin.limits.base import Cost, Limit, Limiter, Reservation
from rixin.moderation.moderator import Moderator
from rixin.routing.catalog import Catalog, Resolution
from rixin.routing.router import Router
from rixin.service.cancellation import reason
from rixin.service.costs import Costs
from rixin.service.image_delivery import ImageDelivery
from rixin.service.media import MediaStep
from rixin.service.served import Caller, Served
from rixin.store.usage_row import UsageRow

_PLACE = re.compile(r"messages\[0\]\.content\[(\d+)\]")


class Drawing(Served[Draw]):
    """One request under way."""

    operation = "draw"

    def __init__(self, drawer: "Drawer", request: Draw, caller: Caller, resolution: Resolution) -> None:
        self._drawer = drawer
        self._resolution = resolution
        trace = drawer.requests.trace(caller.request_id, caller.since, traceparent=caller.traceparent)
        request = msgspec.structs.replace(request, fairness_key=caller.account.id, observer=trace)
        super().__init__(caller, request, trace)

    async def run(self, link: Callable[[str], str]) -> Images:
        """The answer.

        Args:
            link: Makes a link of a file's id.

        Raises:
            RixinError: Why there is none.
        """
        drawer, account = self._drawer, self.caller.account
        reservation: Reservation | None = None
        failure: RixinError | None = None
        try:
            limits = drawer.limits_for(account, self.request)
            if limits:
                reservation = await drawer.limiter.acquire(limits, self._presumed(self.request))
                self.standings = reservation.standings
            self._entry = drawer.requests.open(self)
            if drawer.moderator is not None:
                await drawer.moderator.admit(self.request, self.caller.request_id)
            self.request = await self._with_images(self.request)
            attempt = self._attempt = drawer.router.attempt(
                self.request, self._resolution, presumed=self._presumed, spent=drawer.costs.spent
            )
            drawn = await attempt.images()
            delivered = await drawer.delivery.deliver(drawn, self.request, account.id, link)
            self.usage = drawn.usage
            return delivered
        except RixinError as error:
            failure = error
            raise
        except asyncio.CancelledError as end:
            failure = reason(end)
            raise
        finally:
            await self._end(reservation, failure)

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

    async def _end(self, reservation: Reservation | None, failure: RixinError | None) -> None:
        """Writes the row, and settles what was reserved."""
        drawer = self._drawer
        self._take_down(drawer.requests, failure)
        if reservation is None:
            return
        if self.usage is not None:
            served_by = self._attempt.served_by if self._attempt is not None else None
            reservation.settle(drawer.costs.spent(self.request, self.usage, served_by))
        elif self._left_behind(failure):
            reservation.settle(self._presumed(self.request))
        else:
            reservation.release()

    def _presumed(self, request: Draw) -> Cost:
        return self._drawer.costs.presumed(request, self._resolution, self.caller.account.id)


class Drawer:
    """Begins requests for images.

    Args:
        catalog: Resolves the request's model.
        router: Sends requests to engines.
        limiter: Admits requests within limits.
        limits_for: The limits that an account's request counts against.
        costs: What requests cost.
        requests: Takes down what became of each request.
        media: Brings what is edited into the form that its engine takes.
        delivery: Brings what was drawn into the form that the client wants.
        clock: Time.
        moderator: Looks at prompts, where that is wanted.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        router: Router,
        limiter: Limiter,
        limits_for: Callable[[Account, Draw], tuple[Limit, ...]],
        costs: Costs,
        requests: RequestLog,
        media: MediaStep,
        delivery: ImageDelivery,
        clock: Clock,
        moderator: Moderator | None = None,
    ) -> None:
        self.catalog = catalog
        self.router = router
        self.limiter = limiter
        self.limits_for = limits_for
        self.costs = costs
        self.requests = requests
        self.media = media
        self.delivery = delivery
        self.clock = clock
        self.moderator = moderator

    def begin(self, request: Draw, caller: Caller) -> Drawing:
        """A request that starts when it is run."""
        return Drawing(self, request, caller, self.catalog.resolve(request.model))


def _of_images(error: RixinError) -> RixinError:
    """An error that names a part of a message, naming the image instead."""
    message = _PLACE.sub(r"images[\1]", error.message)
    param = None if error.param is None else _PLACE.sub(r"images[\1]", error.param)
    return RixinError(error.kind, message, param=param, retry_after=error.retry_after, detail=error.detail)
