"""Requests whose answers come as a whole, from their reservation to their settlement.

Each ends in one row of the request log and a settled reservation, as a generation does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from rixin.errors import RixinError
from rixin.limits.base import Cost, Reservation
from rixin.routing.router import Attempt
from rixin.service.cancellation import reason
from rixin.service.served import Caller, R, Served
from rixin.service.serving import Serving

Answer = TypeVar("Answer")


class Whole(Served[R]):
    """One request under way."""

    def __init__(self, serving: Serving, request: R, caller: Caller) -> None:
        self._serving = serving
        self._resolution = serving.catalog.resolve(request.model)
        trace = serving.requests.trace(caller.request_id, caller.since, traceparent=caller.traceparent)
        request = msgspec.structs.replace(request, fairness_key=caller.account.id, observer=trace)
        super().__init__(caller, request, trace)

    async def _admitted(self, answer: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `answer` gives, once the request may be served.

        Raises:
            RixinError: Why there is none.
        """
        serving, request = self._serving, self.request
        reservation: Reservation | None = None
        failure: RixinError | None = None
        try:
            limits = serving.limits_for(self.caller.account, request)
            if limits:
                reservation = await serving.limiter.acquire(limits, self._presumed(request))
                self.standings = reservation.standings
            self._entry = serving.requests.open(self)
            if serving.moderator is not None:
                await serving.moderator.admit(request, self.caller.request_id)
            return await answer()
        except RixinError as error:
            failure = error
            raise
        except asyncio.CancelledError as end:
            failure = reason(end)
            raise
        finally:
            self._end(reservation, failure)

    def _sent(self) -> Attempt:
        """The request as it is now, on its way to whoever may serve it."""
        self._attempt = self._serving.router.attempt(
            self.request, self._resolution, presumed=self._presumed, spent=self._serving.costs.spent
        )
        return self._attempt

    def _end(self, reservation: Reservation | None, failure: RixinError | None) -> None:
        """Writes the row, and settles what was reserved."""
        serving = self._serving
        self._take_down(serving.requests, failure)
        if reservation is None:
            return
        if self.usage is not None:
            served_by = self._attempt.served_by if self._attempt is not None else None
            reservation.settle(serving.costs.spent(self.request, self.usage, served_by))
        elif self._left_behind(failure):
            reservation.settle(self._presumed(self.request))
        else:
            reservation.release()

    def _presumed(self, request: R) -> Cost:
        return self._serving.costs.presumed(request, self._resolution, self.caller.account.id)
