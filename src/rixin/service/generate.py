"""One generation, from its reservation to its settlement.

Whatever happens to a request — an answer, an upstream's error, a client that leaves — it ends in one row of the request
log and a settled reservation; what was not served is never billed.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from msgspec import Struct

from rixin.core.estimate import estimate_prompt
from rixin.core.events import joined
from rixin.core.requests import Generate
from rixin.core.responses import Collector, Response
from rixin.core.usage import Usage
from rixin.engines.base import Batch
from rixin.engines.recorder import Recorder
from rixin.errors import RixinError
from rixin.media.resolve import has_media
from rixin.routing.router import Attempt
from rixin.service.cancellation import reason
from rixin.service.compact import compact, total, wants_compaction
from rixin.service.continuity import ContinuedAnswer, Continuity
from rixin.service.fit import fit_history, fit_output
from rixin.service.media import MediaStep
from rixin.service.meter import Meter
from rixin.service.probe import answer_to_nothing, asks_nothing
from rixin.service.retrieve import Retrieved, Retriever, one_batch
from rixin.service.served import Caller, Served
from rixin.service.serving import Serving
from rixin.store.usage_row import UsageRow

_LONGEST_NAME = 200
"""Characters that are kept of a model's name that nobody knows."""


class Generation(Served[Generate]):
    """One request under way. Its standings are there before the first batch, its route with the first batch."""

    operation = "generate"

    def __init__(self, generator: "Generator", request: Generate, caller: Caller) -> None:
        super().__init__(generator.serving, request, caller, answers=generator.recorder is not None)
        self._generator = generator
        self.request = generator.continuity.opened(self.request, caller.account.id)
        self._meter = Meter(self._serving.clock)
        self._retrieved = Retrieved(self.request)
        self._readings: list[Usage] = []
        """What was used to read a history that is compacted."""

    async def response(self) -> Response:
        """The whole answer, for a client who does not want it as a stream.

        Raises:
            RixinError: As `batches`.
        """
        collector = Collector()
        with _Settlement(self):
            await self._admit()
            answer = await self._in_one_step()
            if isinstance(answer, Batch):
                collector.feed(self._passed(answer).events)
            else:
                async with aclosing(answer) as batches:
                    async for batch in batches:
                        collector.feed(self._passed(batch).events)
            used = self._meter.usage(self.request)
            if used is not self._meter.reported:
                collector.feed([used])
        return collector.response()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """The answer.

        Raises:
            RixinError: Before the first batch or in the middle of the answer.
        """
        with _Settlement(self):
            await self._admit()
            async with aclosing(self._chosen()) as batches:
                async for batch in batches:
                    yield self._passed(batch)
            used = self._meter.usage(self.request)
            if used is not self._meter.reported:
                yield Batch([used])

    def _chosen(self) -> AsyncGenerator[Batch, None]:
        return self._compaction() if wants_compaction(self.request) else self._answer(self.request)

    async def _in_one_step(self) -> Batch | AsyncGenerator[Batch, None]:
        """The whole answer where whoever is asked gives it at once, else its batches to come."""
        request = self.request
        if self._screens or wants_compaction(request) or asks_nothing(request) or self._retrieved.answer is not None:
            return self._chosen()
        asked = self._asked(request)
        whole = await asked.attempt.whole()
        return self._relayed(asked, request) if whole is None else asked.told(whole)

    def _passed(self, batch: Batch) -> Batch:
        """A batch as the client is told it, taken down."""
        self._meter.feed(batch.events)
        self.sign = batch.sign or self.sign
        events = self._retrieved.tell(batch.events)
        if self.request.stream:
            if self._entry is not None:
                self._entry.relayed()
            if batch.raw is None:
                events = joined(events)
        return batch if events is batch.events else msgspec.structs.replace(batch, events=events)

    async def _answer(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """The answer of whoever gives one, its thoughts sealed and remembered."""
        if asks_nothing(request):
            yield Batch(answer_to_nothing(request))
            return
        if (direct := self._retrieved.direct()) is not None:
            async with aclosing(self._screened(one_batch(direct), request)) as batches:
                async for batch in batches:
                    yield batch
            return
        async with aclosing(self._relayed(self._asked(request), request)) as batches:
            async for batch in batches:
                yield batch

    def _asked(self, request: Generate) -> "_Asked":
        attempt = self._send(request)

        def issuer() -> str | None:
            return None if attempt.served_by is None else attempt.served_by.provider

        answer = self._generator.continuity.answer(request, self.caller.account.id, issuer)
        return _Asked(attempt, answer, self._retrieved)

    async def _relayed(self, asked: "_Asked", request: Generate) -> AsyncGenerator[Batch, None]:
        # Screened first: what is not told is neither sealed nor remembered.
        async with aclosing(self._screened(asked.attempt.batches(), request)) as batches:
            async for batch in batches:
                yield asked.told(batch)

    def _screened(self, answer: AsyncGenerator[Batch, None], request: Generate) -> AsyncGenerator[Batch, None]:
        """An answer, and what bases know where the client wants that told, without what must not be told."""
        if self._retrieved.discloses:
            answer = self._retrieved.disclosed(answer)
        moderator = self._serving.moderator
        if moderator is None or not moderator.screens:
            return answer
        return moderator.screened(answer, request, self.caller.request_id)

    @property
    def _screens(self) -> bool:
        """Whether `_screened` does anything."""
        moderator = self._serving.moderator
        return self._retrieved.discloses or (moderator is not None and moderator.screens)

    def _compaction(self) -> AsyncGenerator[Batch, None]:
        owner, identity = self.caller.account.id, f"cmp_{self.caller.request_id.replace('-', '')}"

        def seal(summary: str) -> str:
            return self._generator.continuity.envelopes.seal_summary(summary, owner)

        return compact(self.request, self._answer, seal, identity, self._readings)

    async def _admit(self) -> None:
        generator, request = self._generator, self.request
        await self._reserve()
        if generator.retriever is not None and request.extra and not wants_compaction(request):
            with self.trace.waiting("retrieval"):
                self._retrieved = await generator.retriever.retrieve(request, self.caller.account.id)
            request = self._retrieved.request
        if has_media(request.messages):
            with self.trace.waiting("media"):
                request = await generator.media.resolve(request, self._resolution, self.caller.account)
        if self._serving.moderator is not None:
            with self.trace.waiting("moderation"):
                await self._serving.moderator.admit(request, self.caller.request_id)
        if not wants_compaction(request):  # what does not fit then is read in pieces
            request = await fit_output(await fit_history(request, self._count), self._count)
        self.request = request

    async def _count(self, request: Generate) -> int | None:
        return await self._serving.router.count(request, self._resolution)

    def end(self, failure: RixinError | None) -> None:
        """Settles what was reserved, and writes the row.

        A client that was told nothing is billed nothing, be it that its whole answer broke off or that it left before.
        """
        begun = self._meter.first_event_at is not None
        used = Usage()
        if begun:
            used = self._meter.usage(self.request) if failure is None else self._meter.relayed(self.request)
        served, left_behind = begun and (self.request.stream or failure is None), self._left_behind(failure)
        self.usage = used if served else Usage(estimated=left_behind)
        if begun and failure is None:
            self._serving.costs.learn(self.caller.account.id, used.completion)
        if self._reservation is not None:
            if served or left_behind:
                billed = used if used.total else self._unanswered()
                self._reservation.settle(self._spent(billed))
            else:
                self._reservation.release()
        self._keep(failure)

    def _unanswered(self) -> Usage:
        """What a request came to of whose answer nobody was told anything."""
        return total(self._readings) if self._readings else Usage(prompt=estimate_prompt(self.request))

    def row_so_far(self, failure: RixinError | None = None) -> UsageRow:
        """What is taken down of the request if it ends now."""
        return self._row(
            failure,
            filtered=self._meter.filtered,
            stream=self.request.stream,
            first_event_at=self._meter.first_event_at,
            queued=None if self.sign is None else self.sign.queued,
        )

    def usage_so_far(self) -> Usage:
        """What was relayed of the answer by now."""
        return self._meter.relayed(self.request)

    def _keep(self, failure: RixinError | None) -> None:
        self._take_down(failure)
        if self._generator.recorder is not None:
            self._generator.recorder.keep(self.request, self.trace)


class _Settlement:
    """Ends a generation when what answers it has ended, however that was."""

    __slots__ = ("_generation",)

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        failure = error if isinstance(error, RixinError) else None
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            failure = reason(error)
        self._generation.end(failure)


class _Asked:
    """A request on its way, and care for what is told of its answer."""

    __slots__ = ("_answer", "_retrieved", "attempt")

    def __init__(self, attempt: Attempt, answer: ContinuedAnswer, retrieved: Retrieved) -> None:
        self.attempt = attempt
        self._answer = answer
        self._retrieved = retrieved

    def told(self, batch: Batch) -> Batch:
        """A batch with its thoughts sealed and remembered, and its tokens told apart."""
        events = self._retrieved.count(self._answer.feed(batch.events))
        same = events is batch.events and not self._retrieved.tells
        return batch if same else msgspec.structs.replace(batch, events=events, raw=None)


class Generator:
    """Begins generations.

    Args:
        serving: What serves them.
        continuity: Carries thoughts from one request of a conversation to the next.
        media: Resolves images and videos.
        recorder: Writes requests and their answers to files, where that is wanted.
        retriever: Puts in what knowledge bases know, where there are any.
    """

    def __init__(
        self,
        serving: Serving,
        *,
        continuity: Continuity,
        media: MediaStep,
        recorder: Recorder | None = None,
        retriever: Retriever | None = None,
    ) -> None:
        self.serving = serving
        self.continuity = continuity
        self.media = media
        self.recorder = recorder
        self.retriever = retriever

    def begin(self, request: Generate, caller: Caller) -> Generation:
        """A generation that starts when its batches are asked for."""
        return Generation(self, request, caller)

    def refuse(
        self, caller: Caller, body: bytes, error: RixinError, operation: str = Generation.operation, model: str = ""
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
            user_id=caller.account.user,
            team_id=caller.account.team,
            dialect=caller.dialect,
            operation=operation,
            model_asked=(model or named.model)[:_LONGEST_NAME],
            model="",
            provider="",
            status=error.status,
            error=error.kind.value,
            stream=named.stream is True,
            total_ms=(self.serving.clock.monotonic() - caller.since) * 1000,
        )
        requests = self.serving.requests
        trace = requests.trace(caller.request_id, caller.since, traceparent=caller.traceparent)
        requests.record(row, trace, body)


class _Named(Struct):
    """What a body that is wrong somewhere may still tell."""

    model: str = ""
    stream: bool | None = None


def _named(body: bytes) -> _Named:
    try:
        return msgspec.json.decode(body, type=_Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Named()
