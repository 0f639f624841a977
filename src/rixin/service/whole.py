"""Requests whose answers come as a whole, from their reservation to their settlement.

Each ends in one row of the request log and a settled reservation, as a generation does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rixin.errors import RixinError
from rixin.limits.base import Reservation
from rixin.service.cancellation import reason
from rixin.service.served import R, Served

Answer = TypeVar("Answer")


class Whole(Served[R]):
    """One request under way."""

    async def _admitted(self, answer: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `answer` gives, once the request may be served.

        Raises:
            RixinError: Why there is none.
        """
        reservation: Reservation | None = None
        failure: RixinError | None = None
        try:
            reservation = await self._reserve()
            if self._serving.moderator is not None:
                await self._serving.moderator.admit(self.request, self.caller.request_id)
            return await answer()
        except RixinError as error:
            failure = error
            raise
        except asyncio.CancelledError as end:
            failure = reason(end)
            raise
        finally:
            self._end(reservation, failure)

    def _end(self, reservation: Reservation | None, failure: RixinError | None) -> None:
        """Writes the row, and settles what was reserved."""
        self._take_down(failure)
        if reservation is None:
            return
        if self.usage is not None:
            reservation.settle(self._spent(self.usage))
        elif self._left_behind(failure):
            reservation.settle(self._presumed(self.request))
        else:
            reservation.release()
