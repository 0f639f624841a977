"""One request for embeddings, from its reservation to its settlement; and embeddings for rooms of our own.

It ends in one row of the request log and a settled reservation, as a generation does.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from rixin.accounts.account import Account
from rixin.accounts.request_log import RequestLog
from rixin.clock import Clock
from rixin.core.embeddings import Embeddings, vector_bytes
from rixin.core.estimate import estimate_inputs
from rixin.core.requests import Embed, TextKind
from rixin.errors import RixinError
from rixin.limits.base import Cost, Limit, Limiter, Reservation
from rixin.moderation.moderator import Moderator
from rixin.routing.catalog import Catalog, Resolution
from rixin.routing.router import Router
from rixin.service.cancellation import reason
from rixin.service.costs import Costs
from rixin.service.served import Caller, Served

PORTION = 64
"""Texts of our own that are asked for at a time, so that requests of others come between."""


class Embedding(Served[Embed]):
    """One request under way."""

    operation = "embed"

    def __init__(self, embedder: "Embedder", request: Embed, caller: Caller, resolution: Resolution) -> None:
        self._embedder = embedder
        self._resolution = resolution
        trace = embedder.requests.trace(caller.request_id, caller.since, traceparent=caller.traceparent)
        request = msgspec.structs.replace(request, fairness_key=caller.account.id, observer=trace)
        super().__init__(caller, request, trace)

    async def run(self) -> Embeddings:
        """The answer.

        Raises:
            RixinError: Why there is none.
        """
        embedder, request = self._embedder, self.request
        reservation: Reservation | None = None
        failure: RixinError | None = None
        try:
            limits = embedder.limits_for(self.caller.account, request)
            if limits:
                reservation = await embedder.limiter.acquire(limits, self._presumed(request))
                self.standings = reservation.standings
            self._entry = embedder.requests.open(self)
            if embedder.moderator is not None:
                await embedder.moderator.admit(request, self.caller.request_id)
            attempt = self._attempt = embedder.router.attempt(
                request, self._resolution, presumed=self._presumed, spent=embedder.costs.spent
            )
            answer = await attempt.embeddings()
            self.usage = answer.usage
            return answer
        except RixinError as error:
            failure = error
            raise
        except asyncio.CancelledError as end:
            failure = reason(end)
            raise
        finally:
            await self._end(reservation, failure)

    async def _end(self, reservation: Reservation | None, failure: RixinError | None) -> None:
        """Writes the row, and settles what was reserved."""
        embedder = self._embedder
        self._take_down(embedder.requests, failure)
        if reservation is not None:
            if self.usage is not None:
                served_by = self._attempt.served_by if self._attempt is not None else None
                reservation.settle(embedder.costs.spent(self.request, self.usage, served_by))
            elif self._left_behind(failure):
                reservation.settle(self._presumed(self.request))
            else:
                reservation.release()

    def _presumed(self, request: Embed) -> Cost:
        return self._embedder.costs.presumed(request, self._resolution, self.caller.account.id)


class Embedder:
    """Begins requests for embeddings.

    Args:
        catalog: Resolves the request's model.
        router: Sends requests to engines.
        limiter: Admits requests within limits.
        limits_for: The limits that an account's request counts against.
        costs: What requests cost.
        requests: Takes down what became of each request.
        clock: Time.
        moderator: Looks at requests, where that is wanted.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        router: Router,
        limiter: Limiter,
        limits_for: Callable[[Account, Embed], tuple[Limit, ...]],
        costs: Costs,
        requests: RequestLog,
        clock: Clock,
        moderator: Moderator | None = None,
    ) -> None:
        self.catalog = catalog
        self.router = router
        self.limiter = limiter
        self.limits_for = limits_for
        self.costs = costs
        self.requests = requests
        self.clock = clock
        self.moderator = moderator

    def begin(self, request: Embed, caller: Caller) -> Embedding:
        """A request that starts when it is run."""
        return Embedding(self, request, caller, self.catalog.resolve(request.model))


class TextEmbedder:
    """Makes vectors for rooms of our own: `await embed(texts, "passage")`.

    Always the same model makes them, since vectors of different ones cannot be compared, whatever providers come and
    go. They are nobody's request: no row, no limit.

    Args:
        catalog: Resolves the model.
        router: Sends requests to engines.
        model: The model's name.
    """

    def __init__(self, catalog: Catalog, router: Router, model: str) -> None:
        self.model = model
        self._catalog = catalog
        self._router = router

    async def __call__(self, texts: Sequence[str], kind: TextKind) -> list[bytes]:
        """One vector a text, in order, as little-endian 32-bit floats; of length 1 where the embedded model makes them.

        Args:
            texts: Any number of them, none of them empty.
            kind: Whether they are looked for or looked through.

        Raises:
            RixinError: Why there are none.
        """
        resolution = self._catalog.resolve(self.model)
        vectors: list[bytes] = []
        for start in range(0, len(texts), PORTION):
            portion = tuple(texts[start : start + PORTION])
            request = Embed(model=self.model, card=resolution.card, inputs=portion, kind=kind)
            answer = await self._router.attempt(request, resolution, presumed=_presumed).embeddings()
            vectors += map(vector_bytes, answer.vectors)
        return vectors


def _presumed(request: Embed) -> Cost:
    """What a request of our own will presumably cost its upstream's limits."""
    return Cost(tokens=estimate_inputs(request.inputs))
