"""What stands before one engine: keys, limits, the breaker, the line of those who wait."""

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator, Callable
from fnmatch import fnmatchcase
from typing import Final

import structlog
from msgspec import Struct

from rixin.clock import Clock, jitter
from rixin.engines.base import Answers, Engine, Sends
from rixin.engines.empty_answers import EmptyAnswerError
from rixin.errors import Kind, RixinError
from rixin.limits.base import UNLIMITED, Cost, Limit, Limiter, LimitError, duration
from rixin.routing.breaker import Breaker
from rixin.routing.classify import VERDICTS, Fate, Then, Verdict
from rixin.routing.lease import Lease, Permit
from rixin.routing.pool import Key, Pool
from rixin.routing.provider_view import shown_key
from rixin.routing.queue import Queue, UnavailableError
from rixin.routing.retry_budget import RetryBudget
from rixin.settings import PlanLimit, Provider

TOLERANCE: Final = 4
"""Failures in a row that a provider's model may have without being left alone."""

STRETCH: Final = 0.3
"""By how much waits that we choose ourselves are lengthened at random, at most."""

SIGN_OF_LIFE: Final = 5.0
"""Seconds between two signs of life of a request that waits."""

SHORT_OUTAGE: Final = 6.5
"""Seconds for which it is worth waiting until a failing provider is asked again; beyond it clients know better."""

PATIENCE: Final = 1.0
"""Seconds after which to ask again where others wait, and nobody knows when they are through."""

CACHED: Final = 4096
"""Keys and models whose limits are remembered."""

RESTS: Final[dict[Kind, str]] = {
    Kind.RATE_LIMITED: "is at its rate limit",
    Kind.QUOTA_EXHAUSTED: "has used up its quota",
    Kind.UPSTREAM_CREDENTIAL: "is refused by the upstream",
}
"""Why keys rest."""

log = structlog.get_logger("rixin.routing")


class Ask(Struct, frozen=True, kw_only=True):
    """What a request wants of a gate."""

    model: str
    """By the engine's name for it."""
    cost: Cost
    """What it will presumably cost."""
    asker: str
    """Whose request it is; those who wait take turns."""
    favourite: str | None = None
    """The digest of the key that it had before."""
    avoid: frozenset[str] = frozenset()
    """Digests of keys that will not do."""


class Gate:
    """The way to one engine.

    Args:
        engine: The engine.
        provider: Its settings; None for an engine of our own, which has neither keys nor limits, and mends itself.
        limiter: Counts calls against the provider's limits, for all who share it.
        clock: Time.
        stretch: Lengthens waits, so that those who wait do not come back together.
        before: The gate in whose place it comes, after a change of settings: unless the provider is at another address,
            it and the keys that stay keep what was learned of them.

    Raises:
        RixinError: `CONFIGURATION`, naming the provider whose limit makes no sense.
    """

    def __init__(
        self,
        engine: Engine,
        provider: Provider | None,
        *,
        limiter: Limiter,
        clock: Clock,
        stretch: Callable[[float, float], float] = jitter,
        before: "Gate | None" = None,
    ) -> None:
        self.engine = engine
        self.sender = engine if isinstance(engine, Sends) else None
        """The engine where it shows what it sends, and takes a key to send it with."""
        self.answerer = engine if isinstance(engine, Answers) else None
        """The engine where it gives whole answers in one step."""
        self.settings = provider or Provider(name=engine.name, base_url="", retries=0, queue_deadline=0.0)
        if before is not None and before.settings.base_url != self.settings.base_url:
            before = None
        self.pool = Pool(self.settings.api_keys, () if before is None else before.pool.keys)
        self.budget = RetryBudget(self.settings.retry_share)
        self.has_limits = bool(self.settings.limits or self.settings.key_limits)
        """Whether it is worth knowing what a request will cost."""
        self._own = provider is None
        self._limiter = limiter
        self._clock = clock
        self._stretch = stretch
        self.breakers: dict[str, Breaker] = {} if before is None else before.breakers
        self._queues: dict[str, Queue] = {}
        self._limits: dict[tuple[str, str], tuple[Limit, ...]] = {}
        try:
            for rule in (*self.settings.limits, *self.settings.key_limits):
                Limit("", rule.unit, rule.amount, rule.window)
        except ValueError as error:
            raise RixinError(Kind.CONFIGURATION, f"provider {self.settings.name}: {error}") from None

    @property
    def name(self) -> str:
        """What logs and headers call the engine."""
        return self.engine.name

    def is_for(self, engine: Engine, provider: Provider | None) -> bool:
        """Whether nothing has changed since it was made."""
        return self.engine is engine and (self._own if provider is None else self.settings == provider)

    @property
    def waiting(self) -> int:
        """Requests that stand in line."""
        return sum(map(len, self._queues.values()))

    def now(self) -> float:
        """The instant, on the clock of deadlines."""
        return self._clock.monotonic()

    def breaker(self, model: str) -> Breaker:
        """What leaves a model alone that fails too often."""
        breaker = self.breakers.get(model)
        if breaker is None:
            breaker = self.breakers[model] = Breaker(TOLERANCE)
        return breaker

    async def enter(self, ask: Ask) -> Lease:
        """Lets a request through at once.

        Raises:
            UnavailableError: It cannot be, or others came before it.
        """
        if self._queues.get(ask.model):
            raise self._busy(ask)
        return await self._take(ask)

    async def line(self, ask: Ask, deadline: float) -> AsyncGenerator[Lease | None, None]:
        """Waits for a request's turn. Each None is a sign of life, and the last item is the way in.

        Args:
            ask: The request.
            deadline: The instant at which it gives up; before it, where it is known to wait in vain.

        Raises:
            RixinError: `QUEUE_FULL` where too many wait, `UnavailableError` where its turn does not come in time. Both
                say when to come back.
        """
        if self.waiting >= self.settings.queue:
            busy = self._busy(ask)
            raise RixinError(
                Kind.QUEUE_FULL, f"{self.waiting} requests wait for {self.name} already.", retry_after=busy.retry_after
            )
        queue = self._queues.setdefault(ask.model, Queue())
        place = queue.join(ask.asker)
        lease: Lease | None = None
        try:
            while lease is None:
                until = self.now() + SIGN_OF_LIFE
                if queue.front is place:
                    place.call.clear()
                    try:
                        lease = await self._take(ask)
                        break
                    except UnavailableError as refusal:
                        queue.obstacle = refusal
                        if not refusal.within(deadline):
                            raise
                        until = min(until, refusal.at)
                elif self.now() >= deadline:
                    raise self._busy(ask)
                yield None
                await _called(place.call, min(until, deadline) - self.now())
        finally:
            queue.leave(place)
            if not queue:
                self._queues.pop(ask.model, None)
        yield lease

    async def fail(self, lease: Lease, error: RixinError, cost: Cost | None) -> Verdict:
        """An attempt failed; what that means for others is remembered, and what it means for the request is told.

        Of what the upstream says the error then no longer holds the keys and headers that it was sent.
        """
        error.conceal(self.settings.secrets)
        verdict = self.judge(error)
        outcome = await lease.fail(error, verdict, cost)
        if outcome.tripped:
            log.warning("a model fails too often", provider=self.name, model=lease.model, kind=error.kind.value)
        if outcome.key_rests and verdict.fate is not Fate.COOLED:
            level = log.error if verdict.fate is Fate.DEAD else log.warning
            level(
                "a key is set aside",
                provider=self.name,
                base_url=self.settings.base_url,
                model=lease.model,
                key=lease.key.digest,
                ends=None if lease.key.secret is None else shown_key(lease.key.secret),
                kind=error.kind.value,
            )
        return verdict

    def judge(self, error: RixinError) -> Verdict:
        """What an error of this engine is worth; an engine of our own has no keys that cool, and mends itself."""
        verdict = VERDICTS[error.kind]
        if isinstance(error, EmptyAnswerError):
            verdict = verdict._replace(healthy=True)
        if not self._own:
            return verdict
        then = Then.ELSEWHERE if verdict.then is Then.ANOTHER_KEY else verdict.then
        return verdict._replace(then=then, fate=Fate.KEPT, healthy=None)

    def _wake(self) -> None:
        for queue in self._queues.values():
            queue.wake()

    async def _take(self, ask: Ask) -> Lease:
        now = self._clock.monotonic()
        breaker = self.breaker(ask.model)
        limited: dict[str, UnavailableError] = {}
        for key in self.pool.order(ask.model, now, favourite=ask.favourite, avoid=ask.avoid):
            permit = _permit(ask.model, key, breaker, now)
            if permit is None:
                break  # the breaker is open, or another request took the key while the limiter was asked
            try:
                limits = self._limits_of(key, ask.model)
                reservation = await self._limiter.acquire(limits, ask.cost) if limits else UNLIMITED
            except LimitError as error:
                permit.abandon(sent=False)
                now = self._clock.monotonic()  # a store may have been asked
                limited[key.digest] = refusal = self._limited(error)
                if error.retry_after is None or self._binds_all_keys(error, ask.cost):
                    raise refusal from None  # no other key would be let through either
            except BaseException:
                permit.abandon(sent=False)
                raise
            else:
                return Lease(
                    permit, reservation, ask.cost, clock=self._clock, stretch=self._stretched, on_change=self._wake
                )
        raise self._refusal(ask, breaker, limited)

    def _stretched(self, seconds: float) -> float:
        return self._stretch(seconds, STRETCH)

    def _limits_of(self, key: Key, model: str) -> tuple[Limit, ...]:
        found = self._limits.get((key.digest, model))
        if found is None:
            if len(self._limits) >= CACHED:
                self._limits.clear()
            ours = f"provider:{self.settings.name}"
            found = (
                *_limits(ours, self.settings.limits, model),
                *_limits(f"{ours}/key:{key.digest}", self.settings.key_limits, model),
            )
            self._limits[key.digest, model] = found
        return found

    def _binds_all_keys(self, error: LimitError, cost: Cost) -> bool:
        """Whether a limit of all keys together refused, and not one of the key's own."""
        own = f"provider:{self.settings.name}/key:"
        return any(
            standing.remaining < cost.of(standing.limit.unit)
            for standing in error.standings
            if not standing.limit.key.startswith(own)
        )

    def _limited(self, error: LimitError) -> UnavailableError:
        now = self.now()
        at = math.inf if error.retry_after is None else now + error.retry_after
        return UnavailableError(error.kind, f"{self.name}: {error.message}", at=at, now=now)

    def _refusal(self, ask: Ask, breaker: Breaker, limited: dict[str, UnavailableError]) -> UnavailableError:
        """Why nobody is let through now: of the keys that limits hold back and those that rest, the first to be free.

        A breaker holds back all of them.
        """
        now = self.now()
        if (at := breaker.free_at(now)) > now:
            message = f"{ask.model} of {self.name} fails too often; it is asked again in {duration(at - now)}."
            return UnavailableError(Kind.OVERLOADED, message, at=at, now=now, certain=at - now <= SHORT_OUTAGE)
        reasons = [*limited.values()]
        soonest = self.pool.soonest(ask.model, now, avoid=ask.avoid | limited.keys())
        if soonest is not None:
            at, kind = soonest
            who = f"Every key of {self.name}" if len(self.pool) > 1 else self.name
            message = f"{who} {RESTS[kind]}; try again in {duration(max(at - now, 1))}."
            certain = kind is not Kind.UPSTREAM_CREDENTIAL
            reasons.append(UnavailableError(kind, message, at=at, now=now, certain=certain))
        if not reasons:
            message = f"No key of {self.name} will do."
            reasons.append(UnavailableError(Kind.PERMISSION_DENIED, message, at=math.inf, now=now))
        return min(reasons, key=lambda reason: reason.at)

    def _busy(self, ask: Ask) -> UnavailableError:
        """The refusal of a request whose turn it is not: nobody is let through before the one at the front is."""
        now = self.now()
        queue = self._queues.get(ask.model)
        obstacle = queue.obstacle if queue is not None else None
        kind, at = Kind.RATE_LIMITED, now + PATIENCE
        if obstacle is not None and obstacle.at > now:
            kind, at = obstacle.kind, max(at, obstacle.at)
        return UnavailableError(kind, f"Other requests wait for {self.name}.", at=at, now=now)


def _permit(model: str, key: Key, breaker: Breaker, now: float) -> Permit | None:
    """The consent of both, or of neither."""
    passed = breaker.admit(now)
    if passed is None:
        return None
    grant = key.admit(model, now)
    if grant is None:
        breaker.abandoned(passed)
        return None
    return Permit(model, key, grant, breaker, passed)


def _limits(key: str, rules: tuple[PlanLimit, ...], model: str) -> tuple[Limit, ...]:
    """The limits that rules mean for a model; one for some models counts each of them apart."""
    limits: list[Limit] = []
    for rule in rules:
        if rule.model is None:
            limits.append(Limit(key, rule.unit, rule.amount, rule.window))
        elif fnmatchcase(model, rule.model):
            limits.append(Limit(f"{key}/model:{model}", rule.unit, rule.amount, rule.window))
    return tuple(limits)


async def _called(call: asyncio.Event, patience: float) -> None:
    """Waits until somebody calls, or for some seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, patience)):
            await call.wait()
