"""The one loop that tries: candidates in order, and another attempt only while nothing has reached the client.

Everything that repeats a request lives here; engines and services never do. What an error means stands in `classify`,
who may be sent what in `gate`, what is sent instead of a refused request is a healer's to say; the loop holds them
together, waits, and knows when to stop.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Final, TypeVar

import msgspec

from rixin.clock import Clock, uniform
from rixin.core.embeddings import Embeddings
from rixin.core.estimate import estimate_drawing, estimate_inputs
from rixin.core.images import Images
from rixin.core.observer import QUEUE
from rixin.core.requests import Asked, Change, Draw, Embed, Generate
from rixin.core.usage import Usage
from rixin.engines.base import Batch, Counts, Draws, Embeds, Engine, Prepared
from rixin.errors import Kind, RixinError, invalid
from rixin.limits.base import Cost, Limiter, Standing
from rixin.routing.catalog import Candidate, Resolution
from rixin.routing.choice import Affinity, Home, conversation, order
from rixin.routing.classify import Fate, Then, Verdict
from rixin.routing.gate import SIGN_OF_LIFE, Ask, Gate
from rixin.routing.healer import Healer, Healing
from rixin.routing.lease import Lease
from rixin.routing.option import Option
from rixin.routing.queue import UnavailableError
from rixin.settings import Provider

_A = TypeVar("_A", Generate, Embed, Draw)

_FREE: Final = Cost()

MOST_ATTEMPTS: Final = 16
"""Calls that one request may cost, whatever they end in."""


class Router:
    """Sends requests to engines by name.

    Args:
        engines: All engines by name.
        providers: The settings of those that are upstreams; engines without are our own.
        limiter: Counts calls against the providers' limits, for all processes that share it.
        clock: Time.
        heal: Repairs what upstreams refuse as invalid.
        draw: Gives numbers from 0 up to but not including 1, for the choice between equals.

    Raises:
        RixinError: `CONFIGURATION`, naming the provider whose limit makes no sense.
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        *,
        limiter: Limiter,
        clock: Clock,
        providers: Iterable[Provider] = (),
        heal: Healer | None = None,
        draw: Callable[[], float] = uniform,
    ) -> None:
        self.gates: dict[str, Gate] = {}
        self.clock = clock
        self.heal = heal
        self.draw = draw
        self.affinity = Affinity()
        self._limiter = limiter
        self.serve(engines, providers)

    def serve(self, engines: Mapping[str, Engine], providers: Iterable[Provider] = ()) -> None:
        """Replaces the engines. What was learned of providers that stay is kept; attempts under way go on as they are.

        Raises:
            RixinError: As the constructor; all stays as it was.
        """
        settings = {provider.name: provider for provider in providers}
        gates: dict[str, Gate] = {}
        for name, engine in engines.items():
            before, provider = self.gates.get(name), settings.get(name)
            if before is not None and before.is_for(engine, provider):
                gates[name] = before
            else:
                gates[name] = Gate(engine, provider, limiter=self._limiter, clock=self.clock, before=before)
        self.gates = gates

    def attempt(
        self,
        request: _A,
        resolution: Resolution,
        *,
        presumed: Callable[[_A], Cost] = lambda _: Cost(),
        spent: Callable[[_A, Usage, Candidate], Cost] = lambda _, usage, __: Cost(tokens=usage.total),
    ) -> "Attempt":
        """A request on its way to the candidates of a model name.

        Args:
            request: What is asked.
            resolution: Of the model's name.
            presumed: What a request will presumably cost; asked where a provider has limits.
            spent: What it came to, by what was used, and who served it.
        """
        return Attempt(
            self,
            request,
            resolution.candidates,
            presumed=lambda: presumed(request),
            spent=lambda usage, candidate: spent(request, usage, candidate),
        )

    async def count(self, request: Generate, resolution: Resolution) -> int | None:
        """The exact prompt tokens of a request, where the first candidate's engine can tell, else None."""
        gate = self.gates.get(resolution.candidates[0].engine)
        return await gate.engine.count(request) if gate is not None and isinstance(gate.engine, Counts) else None


class Attempt:
    """One request on its way through its candidates; tells which of them answered."""

    _embeddings: Embeddings | None = None
    _images: Images | None = None

    def __init__(
        self,
        router: Router,
        request: Asked,
        candidates: tuple[Candidate, ...],
        *,
        presumed: Callable[[], Cost],
        spent: Callable[[Usage, Candidate], Cost],
    ) -> None:
        self.served_by: Candidate | None = None
        """The candidate that was asked last: the one that answers, once there are events."""
        self.count = 0
        """How many calls were made."""
        self._router = router
        self._request = request
        self._conversation: bytes | None = None
        self._options = self._plan(candidates, presumed)
        self._spent = spent
        self._repair: Option | None = None
        """Whose refused request has another version, which is what comes next."""
        self._told: RixinError | None = None
        """What the client is told, whatever others would say."""
        self._lease: Lease | None = None
        self._entered: tuple[Option, Lease] | None = None
        """A way that may be gone and was not yet."""
        self._prepared: Prepared | None = None
        self._engine_changes: tuple[Change, ...] = ()
        self._waits_since: float | None = None
        self._begun = False
        self._usage: Usage | None = None

    @property
    def _cost(self) -> Cost | None:
        """What the call cost: nothing before its answer began, and nobody knows where nobody told."""
        if self._usage is None or self.served_by is None:
            return None if self._begun else Cost(tokens=0)
        return self._spent(self._usage, self.served_by)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was done to the request on the way that it took last."""
        return (() if self._prepared is None else self._prepared.changes) + self._engine_changes

    @property
    def standings(self) -> tuple[Standing, ...]:
        """How the limits of the provider that was asked last stand, this request included."""
        return () if self._lease is None else self._lease.standings

    async def embeddings(self) -> Embeddings:
        """The answer to an `Embed`; its usage is estimated where nobody told it.

        Raises:
            RixinError: Why nobody answered.
        """
        await self._run()
        assert self._embeddings is not None  # noqa: S101 - batches that end without an error have brought them
        return self._embeddings

    async def images(self) -> Images:
        """The answer to a `Draw`; its usage is estimated where nobody told it.

        Raises:
            RixinError: Why nobody answered.
        """
        await self._run()
        assert self._images is not None  # noqa: S101 - as above
        return self._images

    async def _run(self) -> None:
        async with aclosing(self.batches()) as batches:
            async for _ in batches:
                pass

    async def whole(self) -> Batch | None:
        """The answer of the first way, where that can be gone at once and brings a whole answer in one step.

        None where it does not, or did not; `batches` then must be asked, and goes on from there.

        Raises:
            RixinError: As `batches`.
        """
        over = True
        try:
            way, _ = await self._enter()
            ask = None if way is None else _in_one_step(way[0])
            if way is None or ask is None:
                self._entered, over = way, False
                return None
            option, lease = way
            try:
                self._begin(option, lease)
                batch = await ask(lease.key.secret)
                self._note(option, lease, batch)
                await lease.complete(self._cost)
            except RixinError as error:
                await self._fail(option, lease, error)
                over = False
                return None
            finally:
                await lease.abandon(None if self._usage is None else self._cost)
            return batch
        finally:
            if over:
                self._close()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """The answer of the first candidate that gives one. Batches without events are signs of life.

        Raises:
            RixinError: Why nobody answered, or what broke the answer that had begun.
        """
        try:
            while True:
                way, waits = await self._enter()
                if waits:
                    async with aclosing(self._wait(min(waits, key=lambda wait: wait[0])[1])) as waiting:
                        async for way in waiting:
                            if way is None:
                                yield Batch([])
                if way is None:
                    continue
                option, lease = way
                try:
                    async with aclosing(self._open(option, lease)) as stream:
                        async for batch in stream:
                            self._note(option, lease, batch)
                            yield batch
                except RixinError as error:
                    await self._fail(option, lease, error)
                else:
                    await lease.complete(self._cost)
                    return
                finally:
                    await lease.abandon(None if self._usage is None else self._cost)
        except RixinError:
            held = self._held
            if self._begun or not held:
                raise
            for batch in held:
                self._engine_changes += batch.changes
                yield batch
        finally:
            self._close()

    async def _fail(self, option: Option, lease: Lease, error: RixinError) -> None:
        """An attempt has failed. Raises what broke an answer that had begun."""
        verdict = await option.gate.fail(lease, error, self._cost)
        if self._begun:
            raise error
        self._weigh(option, lease, error, verdict)

    def _close(self) -> None:
        self._waited()
        for healing in self._healings:
            healing.close()

    @property
    def _healings(self) -> list[Healing]:
        return [option.healing for option in self._options if option.healing is not None]

    @property
    def _held(self) -> Sequence[Batch]:
        """An answer that is better than none."""
        return next((healing.held for healing in self._healings if healing.held), ())

    def _plan(self, candidates: tuple[Candidate, ...], presumed: Callable[[], Cost]) -> list[Option]:
        router, request = self._router, self._request
        now = router.clock.monotonic()
        candidates = tuple([candidate for candidate in candidates if candidate.engine in router.gates])
        gates = [router.gates[candidate.engine] for candidate in candidates]
        home: Home | None = None
        ways = len(gates) > 1 or (bool(gates) and len(gates[0].pool.keys) > 1)
        if ways and isinstance(request, Generate):
            self._conversation = conversation(request)
            home = router.affinity.home(self._conversation, now)
        if len(candidates) > 1:
            candidates = tuple(order(candidates, home and home.engine, router.draw))
        cost = presumed() if [gate for gate in gates if gate.has_limits] else _FREE
        options: list[Option] = []
        for candidate in candidates:
            ask = Ask(
                model=candidate.model,
                cost=cost,
                asker=request.fairness_key or "",
                favourite=home.key if home is not None and home.engine == candidate.engine else None,
            )
            options.append(Option(candidate, router.gates[candidate.engine], request, ask, now))
        return options

    async def _enter(self) -> tuple[tuple[Option, Lease] | None, list[tuple[float, Option]]]:
        """The first way that can be gone at once, else those that can be waited for, with the instant of each.

        Raises:
            RixinError: There is none any more, and why.
        """
        if self._entered is not None:
            way, self._entered = self._entered, None
            return way, []
        if self._told is not None or self.count >= MOST_ATTEMPTS:
            raise self._told or self._reason()
        waits: list[tuple[float, Option]] = []
        for option in (self._repair,) if self._repair is not None else self._options:
            if option.closed or not self._prepare(option):
                continue
            now = self._router.clock.monotonic()
            if option.ready_at > now:
                waits.append((option.ready_at, option))
                continue
            if not option.pay(now):
                continue
            try:
                lease = await option.gate.enter(option.ask)
            except UnavailableError as refusal:
                if refusal.within(option.deadline) and not option.holds_an_answer:
                    waits.append((refusal.at, option))
                else:
                    self._refuse(option, refusal)
                continue
            return (option, lease), []
        if not waits:
            raise self._told or self._reason()
        return None, waits

    async def _wait(self, option: Option) -> AsyncGenerator[tuple[Option, Lease] | None, None]:
        """Waits for a candidate: until it may be asked again, or for its turn. Each None is a sign of life.

        The way, where there is one, comes last.
        """
        clock = self._router.clock
        if self._waits_since is None:
            self._waits_since = clock.monotonic()
        if option.ready_at > clock.monotonic():
            while (left := option.ready_at - clock.monotonic()) > 0:
                yield None
                await asyncio.sleep(min(left, SIGN_OF_LIFE))
            return
        try:
            async with aclosing(option.gate.line(option.ask, option.deadline)) as line:
                async for lease in line:
                    yield None if lease is None else (option, lease)
        except RixinError as refusal:
            self._refuse(option, refusal)

    def _waited(self) -> None:
        """Tells of a wait that is over."""
        since, self._waits_since = self._waits_since, None
        if since is not None and self._request.observer is not None:
            self._request.observer.on_phase(QUEUE, since, self._router.clock.monotonic())

    def _refuse(self, option: Option, refusal: RixinError) -> None:
        """A candidate cannot be asked in time. Where that is a repair, the client is told what it was to mend."""
        if option is self._repair and option.healing is not None:
            self._told = option.healing.hindered(refusal)
        else:
            option.refuse(refusal)

    def _prepare(self, option: Option) -> bool:
        """Makes what is sent; False where it cannot be made."""
        try:
            option.prepare(self._router.heal)
        except RixinError as error:
            self._give_up(option, error, option.gate.judge(error).then)
            return False
        return True

    def _begin(self, option: Option, lease: Lease) -> None:
        """The request is about to be sent, once."""
        self._waited()
        option.call(self._router.clock.monotonic())
        self.count += 1
        self._repair = None
        self.served_by = option.candidate
        self._lease = lease
        self._prepared = option.prepared
        self._engine_changes = ()

    def _open(self, option: Option, lease: Lease) -> AsyncGenerator[Batch, None]:
        """Sends the request, once."""
        self._begin(option, lease)
        request = option.request
        if isinstance(request, Embed):
            return self._embed(option.gate.engine, request, lease.key.secret)
        if isinstance(request, Draw):
            return self._draw(option.gate.engine, request, lease.key.secret)
        if option.gate.sender is None or option.prepared is None:
            return option.gate.engine.stream(request)
        answer = option.gate.sender.send(request, option.prepared, lease.key.secret)
        return answer if option.healing is None else option.healing.checked(answer)

    async def _embed(self, engine: Engine, request: Embed, key: str | None) -> AsyncGenerator[Batch, None]:
        """Asks for vectors, which are there all at once: their usage is the one event."""
        if not isinstance(engine, Embeds):
            raise invalid(f"the model {request.model} makes no embeddings", "model")
        answer = await engine.embed(request, key)
        usage = answer.usage or Usage(prompt=estimate_inputs(request.inputs), estimated=True)
        self._embeddings = msgspec.structs.replace(answer, usage=usage)
        yield Batch([usage], changes=answer.changes)

    async def _draw(self, engine: Engine, request: Draw, key: str | None) -> AsyncGenerator[Batch, None]:
        """Asks for images, which are there all at once, as vectors are."""
        if not isinstance(engine, Draws):
            raise invalid(f"the model {request.model} draws no images", "model")
        answer = await engine.draw(request, key)
        usage = answer.usage or Usage(prompt=estimate_drawing(request), estimated=True)
        self._images = msgspec.structs.replace(answer, usage=usage)
        yield Batch([usage], changes=answer.changes)

    def _note(self, option: Option, lease: Lease, batch: Batch) -> None:
        """Looks at a batch on its way to the client. From the first events on nothing is tried again."""
        self._engine_changes += batch.changes
        if not batch.events:
            return
        if not self._begun:
            self._begun = True
            lease.begun()
            if self._conversation is not None:
                home = Home(option.candidate.engine, lease.key.digest)
                self._router.affinity.remember(self._conversation, home, self._router.clock.monotonic())
            if option.healing is not None:
                option.healing.answered()
        if option.gate.has_limits:
            for event in batch.events:
                if isinstance(event, Usage):
                    self._usage = event

    def _weigh(self, option: Option, lease: Lease, error: RixinError, verdict: Verdict) -> None:
        """What may come after an attempt that failed before it began."""
        option.failure = error
        match verdict.then:
            case Then.REPAIR if option.healing is not None:
                version = option.healing.refused(error)
                if isinstance(version, Prepared):
                    option.prepared, self._repair = version, option
                else:
                    self._give_up(option, version, Then.STOP)
            case Then.ANOTHER_KEY:
                if verdict.fate is Fate.UNFIT:
                    option.avoid_key(lease.key.digest)
            case Then.AGAIN:
                option.postpone(error, self._router.clock.monotonic())
            case then:
                self._give_up(option, error, then)

    def _give_up(self, option: Option, error: RixinError, then: Then) -> None:
        """Closes a candidate; the client is told at once where no other could say anything else.

        A substitute that does not like the request is no news while the one that was preferred has failed.
        """
        substitute = any(other.failure is not None for other in self._options if other is not option)
        option.close(error)
        if then is not Then.ELSEWHERE and (not substitute or error.kind is Kind.CONTENT_POLICY):
            self._told = error

    def _reason(self) -> RixinError:
        """Why nobody answered: what is over the soonest, else what the first candidate said."""
        failures = [option.failure for option in self._options if option.failure is not None]
        waits = [failure for failure in failures if failure.retry_after is not None]
        if waits:
            return min(waits, key=lambda failure: failure.retry_after or 0.0)
        return failures[0] if failures else RixinError(Kind.OVERLOADED, "No engine can answer for this model now.")


def _in_one_step(option: Option) -> Callable[[str | None], Awaitable[Batch]] | None:
    """Sends a candidate's request with a key, where its engine gives the whole answer in one step as it is."""
    answerer, request, prepared = option.gate.answerer, option.request, option.prepared
    if answerer is None or prepared is None or not isinstance(request, Generate):
        return None
    if (option.healing is not None and option.healing.checks) or not answerer.answers(request, prepared):
        return None
    return partial(answerer.answer, request, prepared)
