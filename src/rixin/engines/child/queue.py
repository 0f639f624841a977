"""The queue before the slots: the admission policy with time and waiting added."""

import asyncio
from collections.abc import AsyncGenerator

from rixin.clock import Clock
from rixin.engines.child.admission import Admission, Ticket
from rixin.errors import Kind, RixinError

_SIGN_OF_LIFE = 5.0
"""Seconds between two signs of life of a request that waits."""
_SHORTEST_RETRY = 1.0
_LONGEST_RETRY = 60.0
_MEMORY = 0.2
"""How much the latest request weighs in the mean of how long requests run."""


class Queue:
    """Lets requests run when the policy says so.

    Args:
        admission: The policy.
        deadline: Seconds after which a request has waited too long.
        clock: Tells how long requests run.
    """

    def __init__(self, admission: Admission, deadline: float, clock: Clock) -> None:
        self.admission = admission
        self._deadline = deadline
        self._clock = clock
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._mean_run = 0.0

    def enter(self, key: str, cells: int) -> "Place":
        """Takes a place, which must be left again.

        Raises:
            RixinError: `QUEUE_FULL` or `CONTEXT_OVERFLOW`.
        """
        ticket = Ticket(key, cells)
        try:
            runs = self.admission.enter(ticket)
        except RixinError as error:
            if error.kind is Kind.QUEUE_FULL:
                error.retry_after = self._retry_after()
            raise
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if runs:
            turn.set_result(None)
        else:
            self._turns[ticket] = turn
        return Place(self, ticket, turn)

    async def wait(self, place: "Place") -> AsyncGenerator[None, None]:
        """Waits for a place's turn; each yield is a sign of life, by which `Place.queued` has been brought up to date.

        Raises:
            RixinError: `QUEUE_FULL` when the deadline has passed.
        """
        began = self._clock.monotonic()
        while not place.turn.done():
            yield
            left = began + self._deadline - self._clock.monotonic()
            if left <= 0:
                message = f"The model had no room for this request within {self._deadline:g} s."
                raise RixinError(Kind.QUEUE_FULL, message, retry_after=self._retry_after())
            await asyncio.wait({place.turn}, timeout=min(left, _SIGN_OF_LIFE))
            place.queued = self._clock.monotonic() - began
        place.since = self._clock.monotonic()

    def leave(self, place: "Place") -> None:
        """Gives a place back, wherever it stood."""
        if self._turns.pop(place.ticket, None) is not None:
            admitted = self.admission.give_up(place.ticket)
        else:
            if place.since is not None:
                took = self._clock.monotonic() - place.since
                self._mean_run += (took - self._mean_run) * (_MEMORY if self._mean_run else 1.0)
            admitted = self.admission.leave(place.ticket)
        for ticket in admitted:
            self._turns.pop(ticket).set_result(None)

    def _retry_after(self) -> float:
        """Seconds until about as many requests will have run as wait now."""
        seconds = self._mean_run * (self.admission.waiting + 1) / self.admission.slots
        return min(max(seconds, _SHORTEST_RETRY), _LONGEST_RETRY)


class Place:
    """A request's place, waiting or running. Leaving it twice is leaving it once."""

    def __init__(self, queue: Queue, ticket: Ticket, turn: "asyncio.Future[None]") -> None:
        self.ticket = ticket
        self.turn = turn
        self.since: float | None = None
        """When it began to run."""
        self.queued = 0.0
        """Seconds that it has waited."""
        self.read: float | None = None
        """The part of its prompt that has been read, while it runs and nothing has been answered."""
        self._queue: Queue | None = queue

    def leave(self) -> None:
        """Gives the place back."""
        queue, self._queue = self._queue, None
        if queue:
            queue.leave(self)
