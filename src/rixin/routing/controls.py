"""Proves what upstreams are suspected of, in the background: two smallest requests, one with a part and one without.

A control is a call like any other: it takes a key's turn and counts in its limits. There are at most ten an hour for a
provider's model, in all processes together, none while a key cools or others wait, and whoever shuts the server down
does not wait for them. Rules that are due are tested in the same way.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, TypeAlias

import structlog
from msgspec import Struct

from rixin.clock import Clock
from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.engines.base import Prepared
from rixin.errors import Kind, RixinError
from rixin.limits.base import Cost, Limit, Limiter
from rixin.profiles.profile import Profile
from rixin.profiles.repairs import Control, Part
from rixin.routing.gate import Ask, Gate
from rixin.routing.learned import LearnedRules
from rixin.routing.suspicions import Suspicions
from rixin.store.learned import LearnedRule

AN_HOUR: Final = 10
"""Controls of one model in an hour."""

AT_ONCE: Final = 4
"""Models under test at a time."""

PATIENCE: Final = 120.0
"""Seconds that one call may take."""

PAUSE: Final = 60.0
"""Seconds for which a model is let be that could not be tested."""

TOKENS: Final = 64
"""What a call will presumably cost."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.routing")

ProfileOf: TypeAlias = Callable[[str, str, str | None], Profile]
"""What a provider's model accepts: provider, model, and the learned rule that is left out."""


class _Subject(Struct, frozen=True):
    """A model under test."""

    provider: str
    model: str
    card: ModelCard


class Controls:
    """Tests models, each alone at its time.

    Args:
        gate_of: Finds the way to an engine, by its name.
        suspicions: What each model is suspected of.
        learned: Takes what is proved.
        profile_of: All that is known.
        limiter: Counts controls for all processes that share it.
        clock: Time.
    """

    def __init__(
        self,
        gate_of: Callable[[str], Gate | None],
        suspicions: Suspicions,
        learned: LearnedRules,
        profile_of: ProfileOf,
        *,
        limiter: Limiter,
        clock: Clock,
    ) -> None:
        self._gate_of = gate_of
        self._suspicions = suspicions
        self._learned = learned
        self._profile_of = profile_of
        self._limiter = limiter
        self._clock = clock
        self._asked: asyncio.Queue[_Subject] = asyncio.Queue()
        self._busy: set[tuple[str, str]] = set()
        self._rests: dict[tuple[str, str], float] = {}
        """Models that are not done with, and the instant at which it makes sense to go on."""
        self._unsaved: dict[tuple[str, str], list[Part]] = {}
        """What was proved, and could not be stored yet."""
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def cools(self, provider: str, model: str) -> bool:
        """Whether a key of a provider rests, for this model or for all."""
        gate = self._gate_of(provider)
        now = self._clock.monotonic()
        return gate is not None and any(key.free_at(model, now) > now for key in gate.pool.keys)

    def notice(self, provider: str, model: str, card: ModelCard, *, searched: bool) -> None:
        """A request is over; something may be to be tested now.

        Args:
            provider: Who was asked.
            model: Its name for the model.
            card: The model's.
            searched: Whether the request was refused at first, so that there is something new to know.
        """
        name = provider, model
        resumes_at = self._rests.get(name)
        if resumes_at is None and not searched and self._learned.due(provider, model) is None:
            return
        if name in self._busy or (resumes_at is not None and self._clock.monotonic() < resumes_at):
            return
        self._busy.add(name)
        self._asked.put_nowait(_Subject(provider, model, card))

    async def settled(self) -> None:
        """Returns once nothing that was noticed so far is left to be done now."""
        await self._asked.join()

    async def run(self) -> None:
        """Tests what is to be tested, until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                group.create_task(self._visit(await self._asked.get()))

    async def _visit(self, subject: _Subject) -> None:
        name = subject.provider, subject.model
        try:
            async with self._at_once:
                self._rests.pop(name, None)
                await self._prove(subject)
                await self._test_again(subject)
        except RixinError as error:
            self._rests[name] = self._clock.monotonic() + max(PAUSE, error.retry_after or 0.0)
            log.debug("a control is put off", provider=subject.provider, model=subject.model, kind=error.kind.value)
        finally:
            self._busy.discard(name)
            self._asked.task_done()

    async def _prove(self, subject: _Subject) -> None:
        """Makes the controls that there are to be made.

        Raises:
            RixinError: None may be made now, or one told nothing.
        """
        provider, model = subject.provider, subject.model
        suspicion = self._suspicions(provider, model)
        await self._save(provider, model)
        while (control := suspicion.next_control(model, self._profile_of(provider, model, None))) is not None:
            having_passed, lacking_passed = await self._outcome(subject, control)
            part = suspicion.controlled(control, having_passed=having_passed, lacking_passed=lacking_passed)
            if part is not None:
                self._unsaved.setdefault((provider, model), []).append(part)
                await self._save(provider, model)

    async def _save(self, provider: str, model: str) -> None:
        """Stores what was proved.

        Raises:
            RixinError: The store cannot be used; it is tried again.
        """
        unsaved = self._unsaved.get((provider, model), [])
        while unsaved:
            await self._learned.learn(provider, model, unsaved[0])
            del unsaved[0]
        self._unsaved.pop((provider, model), None)

    async def _test_again(self, subject: _Subject) -> None:
        """Tests the rules that are due.

        Raises:
            RixinError: As of `_prove`.
        """
        while (rule := self._learned.due(subject.provider, subject.model)) is not None:
            control = self._control_of(rule)
            if control is None:  # what is known otherwise makes up for it
                await self._learned.forget(rule.provider, rule.model, rule.part)
                continue
            having_passed, lacking_passed = await self._outcome(subject, control)
            if having_passed:
                await self._learned.forget(rule.provider, rule.model, rule.part)
            else:
                await self._learned.tested(rule, proved=lacking_passed)

    def _control_of(self, rule: LearnedRule) -> Control | None:
        return rule.as_part.control(rule.model, self._profile_of(rule.provider, rule.model, rule.part))

    async def _outcome(self, subject: _Subject, control: Control) -> tuple[bool, bool]:
        """Makes one control: whether the request with the part passed, and the one without it.

        The second is not made where the first has passed, which tells all.

        Raises:
            RixinError: It may not be made now, or told nothing.
        """
        provider, model = subject.provider, subject.model
        if self.cools(provider, model):
            raise RixinError(Kind.RATE_LIMITED, f"A key of {provider} cools.")
        allowance = Limit(f"controls:{provider}/model:{model}", "requests", AN_HOUR, 3600.0)
        reservation = await self._limiter.acquire((allowance,), Cost())
        made = False
        try:
            having_passed = await self._passes(subject, control.having)
            made = True
            return having_passed, having_passed or await self._passes(subject, control.lacking)
        finally:
            if made:
                reservation.settle(Cost())
            else:
                reservation.release()

    async def _passes(self, subject: _Subject, body: JsonObject) -> bool:
        """Whether the upstream answers a body, rather than refuse it.

        Raises:
            RixinError: It did neither, or may not be asked now.
        """
        gate = self._gate_of(subject.provider)
        if gate is None or gate.sender is None:
            raise RixinError(Kind.CONFIGURATION, f"{subject.provider} is not there any more.")
        lease = await gate.enter(Ask(model=subject.model, cost=Cost(tokens=TOKENS), asker=""))
        request = Generate(model=subject.card.name, card=subject.card, stream=body.get("stream") is True)
        usage: Usage | None = None
        try:
            async with (
                asyncio.timeout(PATIENCE),
                aclosing(gate.sender.send(request, Prepared(body=body), lease.key.secret)) as answer,
            ):
                async for batch in answer:
                    if batch.events:
                        lease.begun()
                        usage = next((event for event in batch.events if isinstance(event, Usage)), usage)
                        if request.stream:
                            break
            await lease.complete(None if usage is None else Cost(tokens=usage.total))
        except RixinError as error:
            await gate.fail(lease, error, None)
            if error.kind is not Kind.INVALID_REQUEST:
                raise
            return False
        except TimeoutError:
            raise RixinError(Kind.UPSTREAM_TIMEOUT, f"{subject.provider} took too long.") from None
        finally:
            await lease.abandon(None)
        return True
