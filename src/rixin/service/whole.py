"""Requests whose answers come as a whole, from their reservation to their settlement.

Each ends in one row of the request log and a settled reservation, as a generation does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rixin.errors import RixinError
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
        failure: RixinError | None = None
        try:
            await self._reserve()
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
            self._end(failure)

    def _end(self, failure: RixinError | None) -> None:
        """Settles what was reserved, and writes the row."""
        if self._reservation is not None:
            if self.usage is not None:
                self._reservation.settle(self._spent(self.usage))
            elif self._left_behind(failure):
                self._reservation.settle(self._presumed(self.request))
            else:
                self._reservation.release()
        self._take_down(failure)
