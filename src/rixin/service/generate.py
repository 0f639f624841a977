"""One generation, from its reservation to its settlement.

Whatever happens to a request — an answer, an upstream's error, a client that leaves — it ends in one row of the request
log and a settled reservation; what was not served is never billed.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import msgspec
import structlog
from msgspec import Struct

from rixin.accounts.account import Account
from rixin.accounts.request_log import RequestLog
from rixin.clock import Clock
from rixin.core.estimate import estimate_prompt, estimate_text
from rixin.core.events import Event, Finish, Reasoning, Refusal, Text, ToolArguments
from rixin.core.requests import Change, Embed, Generate
from rixin.core.usage import Usage
from rixin.engines.base import Batch, Sign
from rixin.engines.recorder import Recorder
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit, Limiter, Reservation, Standing
from rixin.moderation.moderator import Moderator
from rixin.routing.catalog import Catalog, Resolution
from rixin.routing.router import Attempt, Router
from rixin.service.compact import compact, wants_compaction
from rixin.service.continuity import Continuity
from rixin.service.fit import fit_history, fit_output
from rixin.service.media import MediaStep
from rixin.service.probe import answer_to_nothing, asks_nothing
from rixin.service.retrieve import Retrieved, Retriever
from rixin.store.usage import UsageRow

_UNKNOWN_OUTPUT = 1024
"""Tokens reserved for an answer whose length nobody limited."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]$-]")
"""Characters of a client's field name that a header of tokens cannot hold."""
_LONGEST_FIELD = 100
_LONGEST_NAME = 200
"""Characters that are kept of a model's name that nobody knows."""

log = structlog.get_logger("rixin.service")


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks, in which dialect, and since when."""

    account: Account
    dialect: str
    request_id: str
    arrived: float
    """When the request arrived, in seconds since the epoch."""
    since: float
    """The same instant by the monotonic clock."""


class Meter:
    """Follows an answer: what it cost, when it began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.reported: Usage | None = None
        self.first_event_at: float | None = None
        self.filtered = False
        """Whether a choice was ended because of what it says, by us or by its upstream."""
        self._text_tokens = 0
        self._reasoning_tokens = 0

    def feed(self, events: list[Event]) -> None:
        """Takes events on their way to the client."""
        if self.first_event_at is None and events:
            self.first_event_at = self._clock.monotonic()
        for event in events:
            if isinstance(event, Usage):
                self.reported = event
            elif isinstance(event, Text | ToolArguments | Refusal):
                self._text_tokens += estimate_text(event.text)
            elif isinstance(event, Reasoning):
                self._reasoning_tokens += estimate_text(event.text)
            elif isinstance(event, Finish) and event.reason == "content_filter":
                self.filtered = True

    def usage(self, request: Generate) -> Usage:
        """What was used: as reported, else estimated from what passed."""
        if self.reported is not None:
            return self.reported
        return Usage(
            prompt=estimate_prompt(request) - request.knowledge_tokens,
            knowledge=request.knowledge_tokens,
            completion=self._text_tokens + self._reasoning_tokens,
            reasoning=self._reasoning_tokens,
            estimated=True,
        )


class Generation:
    """One request under way. Its standings are there before the first batch, its route with the first batch."""

    def __init__(self, generator: "Generator", request: Generate, caller: Caller, resolution: Resolution) -> None:
        self.caller = caller
        self.standings: tuple[Standing, ...] = ()
        self.usage: Usage | None = None
        """What was used, once the generation has ended."""
        self.sign: Sign | None = None
        """How far the request was when its engine told that last."""
        self._generator = generator
        self._resolution = resolution
        self._trace = generator.requests.trace(caller.request_id, caller.since, answers=generator.recorder is not None)
        request = msgspec.structs.replace(request, fairness_key=caller.account.id, observer=self._trace)
        self.request = generator.continuity.opened(request, caller.account.id)
        self._meter = Meter(generator.clock)
        self._attempt: Attempt | None = None
        self._retrieved = Retrieved(self.request)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done to the request so far."""
        return self.request.changes + (self._attempt.changes if self._attempt is not None else ())

    @property
    def attempts(self) -> int:
        """How many calls were made."""
        return self._attempt.count if self._attempt is not None else 0

    @property
    def upstream_standings(self) -> tuple[Standing, ...]:
        """How the limits of the provider that was asked last stand."""
        return self._attempt.standings if self._attempt is not None else ()

    @property
    def served_by(self) -> str | None:
        """Who answers, as `engine/model`."""
        candidate = self._attempt.served_by if self._attempt is not None else None
        if candidate is None:
            return None
        engine, model = candidate.engine, candidate.model
        return engine if engine.endswith(f"/{model}") else f"{engine}/{model}"

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """The answer.

        Raises:
            RixinError: Before the first batch or in the middle of the answer.
        """
        reservation: Reservation | None = None
        failure: RixinError | None = None
        try:
            reservation = await self._admit()
            answer = self._compaction() if wants_compaction(self.request) else self._answer(self.request)
            async with aclosing(answer) as batches:
                async for batch in batches:
                    self._meter.feed(batch.events)
                    self.sign = batch.sign or self.sign
                    yield batch
            if self._meter.reported is None:
                yield Batch([self._meter.usage(self.request)])
        except RixinError as error:
            failure = error
            raise
        except (asyncio.CancelledError, GeneratorExit):
            failure = RixinError(Kind.CANCELLED, "The client left before the answer was complete.")
            raise
        finally:
            await self._end(reservation, failure)

    async def _answer(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """The answer of whoever gives one, its thoughts sealed and remembered."""
        if asks_nothing(request):
            yield Batch(answer_to_nothing(request))
            return
        if (direct := self._retrieved.direct()) is not None:
            yield Batch(self._retrieved.feed(direct))
            return
        generator = self._generator
        attempt = self._attempt = generator.router.attempt(request, self._resolution, tokens=presumed_tokens)

        def issuer() -> str | None:
            return None if attempt.served_by is None else attempt.served_by.provider

        answer = generator.continuity.answer(request, self.caller.account.id, issuer)
        arriving = attempt.batches()
        if generator.moderator is not None and generator.moderator.screens:
            # What is not told is neither sealed nor remembered.
            arriving = generator.moderator.screened(arriving, request, self.caller.request_id)
        async with aclosing(arriving) as batches:
            async for batch in batches:
                events = self._retrieved.feed(answer.feed(batch.events))
                yield batch if events is batch.events else msgspec.structs.replace(batch, events=events, raw=None)

    def _compaction(self) -> AsyncGenerator[Batch, None]:
        owner, identity = self.caller.account.id, f"cmp_{self.caller.request_id.replace('-', '')}"

        def seal(summary: str) -> str:
            return self._generator.continuity.envelopes.seal_summary(summary, owner)

        return compact(self.request, self._answer, seal, identity)

    async def _admit(self) -> Reservation | None:
        generator, request = self._generator, self.request
        limits = generator.limits_for(self.caller.account, request)
        reservation = None
        if limits:
            reservation = await generator.limiter.acquire(limits, tokens=presumed_tokens(request))
            self.standings = reservation.standings
        try:
            if generator.retriever is not None and not wants_compaction(request):
                self._retrieved = await generator.retriever.retrieve(request, self.caller.account.id)
                request = self._retrieved.request
            request = await generator.media.resolve(request, self._resolution, self.caller.account)
            if generator.moderator is not None:
                await generator.moderator.admit(request, self.caller.request_id)
            if not wants_compaction(request):  # what does not fit then is read in pieces
                request = await fit_output(await fit_history(request, self._count), self._count)
            self.request = request
        except BaseException:
            if reservation is not None:
                await reservation.release()
            raise
        return reservation

    async def _count(self, request: Generate) -> int | None:
        return await self._generator.router.count(request, self._resolution)

    async def _end(self, reservation: Reservation | None, failure: RixinError | None) -> None:
        """Writes the row, and settles what was reserved.

        A client that was told nothing is billed nothing, be it that its whole answer broke off or that it left before.
        When it left, its limits count the work it made all the same: to leave early is no way around them.
        """
        begun = self._meter.first_event_at is not None
        used = self._meter.usage(self.request) if begun else Usage()
        served = begun and (self.request.stream or failure is None)
        self.usage = used if served else Usage()
        self._keep(failure)
        if reservation is None:
            return
        left = failure is not None and failure.kind is Kind.CANCELLED and self._attempt is not None
        try:
            if served or left:
                await reservation.settle(used.total or estimate_prompt(self.request))
            else:
                await reservation.release()
        except RixinError as error:
            # The answer is the client's already; the reservation stays spent.
            log.warning("A reservation could not be settled", id=self.caller.request_id, detail=error.detail)

    def _keep(self, failure: RixinError | None) -> None:
        generator, origin = self._generator, self.request.origin
        generator.requests.record(self._row(failure), self._trace, b"" if origin is None else origin.body)
        if generator.recorder is not None:
            generator.recorder.keep(self.request, self._trace)

    def _row(self, failure: RixinError | None) -> UsageRow:
        now, caller, usage = self._generator.clock.monotonic(), self.caller, self.usage or Usage()
        first = self._meter.first_event_at
        error = failure.kind if failure is not None else Kind.CONTENT_POLICY if self._meter.filtered else None
        served_by = self._attempt.served_by if self._attempt is not None else None
        card = self.request.card
        return UsageRow(
            id=caller.request_id,
            time=caller.arrived,
            key_id=caller.account.id,
            key_name=caller.account.name,
            dialect=caller.dialect,
            operation="generate",
            model_asked=self.request.model,
            model=card.target if served_by is None else served_by.model,
            provider=card.provider if served_by is None else served_by.provider,
            status=failure.status if failure is not None else 200,
            error=None if error is None else error.value,
            stream=self.request.stream,
            prompt_tokens=usage.prompt,
            completion_tokens=usage.completion,
            cached_tokens=usage.cached,
            reasoning_tokens=usage.reasoning,
            knowledge_tokens=usage.knowledge,
            estimated=usage.estimated,
            queue_ms=None if self.sign is None else self.sign.queued * 1000,
            first_token_ms=None if first is None else (first - caller.since) * 1000,
            total_ms=(now - caller.since) * 1000,
            changes=changes_text(self.changes),
        )


class Generator:
    """Begins generations.

    Args:
        catalog: Resolves the request's model.
        router: Sends requests to engines.
        limiter: Admits requests within limits.
        limits_for: The limits that an account's request counts against.
        requests: Takes down what became of each request.
        continuity: Carries thoughts from one request of a conversation to the next.
        media: Resolves images and videos.
        clock: Time.
        recorder: Writes requests and their answers to files, where that is wanted.
        moderator: Looks at requests and answers, where that is wanted.
        retriever: Puts in what knowledge bases know, where there are any.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        router: Router,
        limiter: Limiter,
        limits_for: Callable[[Account, Generate | Embed], tuple[Limit, ...]],
        requests: RequestLog,
        continuity: Continuity,
        media: MediaStep,
        clock: Clock,
        recorder: Recorder | None = None,
        moderator: Moderator | None = None,
        retriever: Retriever | None = None,
    ) -> None:
        self.catalog = catalog
        self.router = router
        self.limiter = limiter
        self.limits_for = limits_for
        self.requests = requests
        self.continuity = continuity
        self.media = media
        self.clock = clock
        self.recorder = recorder
        self.moderator = moderator
        self.retriever = retriever

    def begin(self, request: Generate, caller: Caller) -> Generation:
        """A generation that starts when its batches are asked for."""
        return Generation(self, request, caller, self.catalog.resolve(request.model))

    def refuse(
        self, caller: Caller, body: bytes, error: RixinError, operation: str = "generate", model: str = ""
    ) -> None:
        """Takes down a request that was none: its body is wrong, or asks for what its account may not have.

        `model` is the one that its path names, where it is not the body that does.
        """
        named = _named(body)
        row = UsageRow(
            id=caller.request_id,
            time=caller.arrived,
            key_id=caller.account.id,
            key_name=caller.account.name,
            dialect=caller.dialect,
            operation=operation,
            model_asked=(model or named.model)[:_LONGEST_NAME],
            model="",
            provider="",
            status=error.status,
            error=error.kind.value,
            stream=named.stream is True,
            total_ms=(self.clock.monotonic() - caller.since) * 1000,
        )
        self.requests.record(row, None, body)


class _Named(Struct):
    """What a body that is wrong somewhere may still tell."""

    model: str = ""
    stream: bool | None = None


def _named(body: bytes) -> _Named:
    try:
        return msgspec.json.decode(body, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Named()


def presumed_tokens(request: Generate) -> int:
    """What a request will presumably cost, for limits that must be asked before it is known."""
    return estimate_prompt(request) + min(request.max_tokens or _UNKNOWN_OUTPUT, _UNKNOWN_OUTPUT)


def changes_text(changes: tuple[Change, ...], limit: int = 1000) -> str:
    """Changes as the response header tells them: `name(field)` tokens, and `+N` for those beyond `limit` bytes."""
    tokens: list[str] = []
    size = 0
    for position, change in enumerate(changes):
        token = f"{change.name}({_UNSAFE.sub('?', change.field)[:_LONGEST_FIELD]})"
        size += len(token) + 2
        if size > limit:
            tokens.append(f"+{len(changes) - position}")
            break
        tokens.append(token)
    return ", ".join(tokens)
