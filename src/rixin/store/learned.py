"""Rules that were learned of upstreams: parts of requests that one of their models was proved to refuse."""

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Row, and_, delete, insert, select, update

from rixin.core.json import JsonValue
from rixin.profiles.profile import Profile
from rixin.profiles.repairs import Part, PartClass
from rixin.store import revisions
from rixin.store.database import Database
from rixin.store.schema import learned

REVISION = "learned"


class LearnedRule(Struct, frozen=True, kw_only=True):
    """One rule. Instants are seconds since the epoch."""

    provider: str
    model: str
    """The provider's name for it."""
    part: str
    """The name of what is refused; a model has one rule for each."""
    base_url: str
    """Where the provider was; at another address it is another upstream."""
    kind: PartClass
    rule: Profile
    """What leaves it out, or says it otherwise."""
    canonical: dict[str, JsonValue]
    """The fields of the smallest request that has it, by which it is tested; no client's data."""
    learned_at: float
    tested_at: float
    """When a test proved it last."""
    expires_at: float
    """When it is to be tested again."""

    @property
    def as_part(self) -> Part:
        """What is refused."""
        return Part(name=self.part, kind=self.kind, rule=self.rule, canonical=self.canonical)


class LearnedTable:
    """The rules. Every change raises the revision, so that all processes hear of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> int:
        """The number that every change raises."""
        async with self._database.read() as connection:
            return await revisions.read(connection, REVISION)

    async def list(self) -> tuple[list[LearnedRule], int]:
        """All of them in the order in which they were learned, and the revision as of which that is so."""
        query = select(learned).order_by(learned.c.learned_at, learned.c.provider, learned.c.model, learned.c.part)
        async with self._database.read() as connection:
            revision = await revisions.read(connection, REVISION)
            return [_rule(row) for row in await connection.execute(query)], revision

    async def put(self, rule: LearnedRule) -> None:
        """Stores a rule, in place of the one for the same part where there is one."""
        values = {
            name: msgspec.to_builtins(value) if name in ("kind", "rule") else value
            for name, value in msgspec.structs.asdict(rule).items()
        }
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            await connection.execute(delete(learned).where(_is(rule.provider, rule.model, rule.part)))
            await connection.execute(insert(learned).values(**values))

    async def postpone(self, rule: LearnedRule, expires_at: float, tested_at: float) -> None:
        """Says when a rule is to be tested next, and when it was tested last. One that is gone stays so."""
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            await connection.execute(
                update(learned)
                .where(_is(rule.provider, rule.model, rule.part))
                .values(expires_at=expires_at, tested_at=tested_at)
            )

    async def remove(self, provider: str, model: str | None = None, part: str | None = None) -> int:
        """Removes the rules of a provider; of one model, or for one part, where these are given.

        Returns:
            How many there were.
        """
        async with self._database.begin(REVISION) as connection:
            await revisions.bump(connection, REVISION)
            return (await connection.execute(delete(learned).where(_is(provider, model, part)))).rowcount


def _is(provider: str, model: str | None, part: str | None) -> ColumnElement[bool]:
    conditions = [learned.c.provider == provider]
    if model is not None:
        conditions.append(learned.c.model == model)
    if part is not None:
        conditions.append(learned.c.part == part)
    return and_(*conditions)


def _rule(row: Row[*tuple[Any, ...]]) -> LearnedRule:
    return LearnedRule(
        provider=row.provider,
        model=row.model,
        part=row.part,
        base_url=row.base_url,
        kind=PartClass(row.kind),
        rule=msgspec.convert(row.rule, Profile),
        canonical=row.canonical,
        learned_at=row.learned_at,
        tested_at=row.tested_at,
        expires_at=row.expires_at,
    )
