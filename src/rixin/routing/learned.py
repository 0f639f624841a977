"""What was learned of upstreams, as one process knows it: rules that a control has proved.

A rule holds for everybody who asks that model of that provider, in every process: a revision that each change raises is
asked for each second. It does not hold for good. After a week it is due to be tested again, and it stays until a test
has shown that the upstream takes by now what it refused.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from rixin.clock import Clock
from rixin.profiles.explanation import Layer
from rixin.profiles.repairs import Part
from rixin.store.database import Database
from rixin.store.learned import LearnedRule, LearnedTable
from rixin.store.polling import poll_always

LIFETIME: Final = 7 * 86400.0
"""Seconds for which a rule is believed without another test."""

POSTPONED: Final = 3600.0
"""Seconds until another test, after one that told nothing."""

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class LearnedRules:
    """The rules of one database.

    Args:
        database: Where they are stored.
        address_of: The base URL of a provider; what was learned of the one that had its name elsewhere does not count.
        clock: Time.
    """

    def __init__(self, database: Database, address_of: Callable[[str], str], clock: Clock) -> None:
        self._table = LearnedTable(database)
        self._address_of = address_of
        self._clock = clock
        self._rules: dict[tuple[str, str], dict[str, LearnedRule]] = {}
        self._removals: dict[tuple[str, str], int] = {}
        self._revision = 0
        self._polling = asyncio.Lock()

    def rules(self, provider: str, model: str | None = None) -> list[LearnedRule]:
        """The rules of a provider, or of one of its models, in the order in which they were learned."""
        found = [
            rule
            for (name, target), rules in self._rules.items()
            if name == provider and model in (None, target)
            for rule in rules.values()
            if rule.base_url == self._address_of(name)
        ]
        return sorted(found, key=lambda rule: (rule.learned_at, rule.model, rule.part))

    def layers(self, provider: str, model: str, *, without: str | None = None) -> list[Layer]:
        """What the rules say of requests for a model; `without` names one that is to be left out."""
        return [Layer("learned", rule.rule) for rule in self._of(provider, model) if rule.part != without]

    @property
    def revision(self) -> int:
        """The number that every change raises."""
        return self._revision

    def era(self, provider: str, model: str) -> tuple[str, int]:
        """Changes when rules of a model are removed, and with its address: what was concluded before is void."""
        return self._address_of(provider), self._removals.get((provider, model), 0)

    def due(self, provider: str, model: str) -> LearnedRule | None:
        """The rule of a model that is to be tested again, where there is one."""
        if not self._rules:
            return None
        now = self._clock.now()
        return next((rule for rule in self._of(provider, model) if rule.expires_at <= now), None)

    async def learn(self, provider: str, model: str, part: Part) -> None:
        """Stores what a control has just proved.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        now = self._clock.now()
        rule = LearnedRule(
            provider=provider,
            model=model,
            part=part.name,
            base_url=self._address_of(provider),
            kind=part.kind,
            rule=part.rule,
            canonical=part.canonical or {},
            learned_at=now,
            tested_at=now,
            expires_at=now + LIFETIME,
        )
        await self._table.put(rule)
        log.info("an upstream was found to refuse something", provider=provider, model=model, part=part.name)
        await self.poll()

    async def tested(self, rule: LearnedRule, *, proved: bool) -> None:
        """A test of a rule that was due has proved it again, or has told nothing.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        now = self._clock.now()
        if proved:
            await self._table.postpone(rule, now + LIFETIME, now)
        else:
            await self._table.postpone(rule, now + POSTPONED, rule.tested_at)
        await self.poll()

    async def forget(self, provider: str, model: str | None = None, part: str | None = None) -> int:
        """Removes the rules of a provider; of one model, or for one part, where these are given.

        Returns:
            How many there were.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used.
        """
        count = await self._table.remove(provider, model, part)
        log.info("what was learned of an upstream is forgotten", provider=provider, model=model, part=part, count=count)
        await self.poll()
        return count

    async def poll(self) -> None:
        """Asks the store whether any rule has changed, in whatever process.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        async with self._polling:
            if await self._table.revision() <= self._revision:
                return
            rules, self._revision = await self._table.list()
            self._replace(rules)

    async def run(self) -> None:
        """Polls each second until it is cancelled."""
        await poll_always(self.poll, "learned rules")

    def _of(self, provider: str, model: str) -> list[LearnedRule]:
        rules = self._rules.get((provider, model))
        if not rules:
            return []
        address = self._address_of(provider)
        return [rule for rule in rules.values() if rule.base_url == address]

    def _replace(self, rules: Iterable[LearnedRule]) -> None:
        before, self._rules = self._rules, {}
        for rule in rules:
            self._rules.setdefault((rule.provider, rule.model), {})[rule.part] = rule
        for target, known in before.items():
            if known.keys() - self._rules.get(target, {}).keys():
                self._removals[target] = self._removals.get(target, 0) + 1
