"""The audit log: what is done is written down with it, and nobody changes that unseen."""

import asyncio
import hashlib
from contextlib import suppress

import msgspec
import pytest

from rixin.accounts.audit import Act, Actor, AuditLog, Problem
from rixin.accounts.root_secret import RootSecret
from rixin.store.audit import AuditFilter
from rixin.store.database import Database
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import Place, execute

ADA = Actor(id="usr_1", name="Ada", address="192.0.2.7")


@pytest.fixture
async def audit(database: Database, root_secret: RootSecret, clock: ManualClock) -> AuditLog:
    """A log of six acts."""
    log = AuditLog(database, root_secret, clock)
    for number in range(1, 7):
        await log.record(
            Act(actor=ADA, action="key.create", target=f"key_{number}", detail={"name": "日新", "n": number})
        )
    return log


async def test_acts_come_back_as_they_were(audit: AuditLog, clock: ManualClock) -> None:
    """Who, what, to what, when, from where, the latest first."""
    rows = await audit.list(AuditFilter(), limit=2)
    assert [row.sequence for row in rows] == [6, 5]
    row = rows[0]
    assert (row.actor, row.actor_name, row.address) == ("usr_1", "Ada", "192.0.2.7")
    assert (row.action, row.target, row.detail) == ("key.create", "key_6", '{"n":6,"name":"日新"}')
    assert (row.time, row.previous) == (clock.now(), rows[1].hash)
    assert [row.target for row in await audit.list(AuditFilter(target="key_2"))] == ["key_2"]
    assert [row.sequence for row in await audit.list(AuditFilter(actor="usr_1"), before=3)] == [2, 1]
    assert await audit.list(AuditFilter(action="' OR 1=1 --")) == []


async def test_a_log_as_it_was_written_is_in_order(audit: AuditLog) -> None:
    """An untouched one, and an empty one too."""
    verdict = await audit.verify()
    assert (verdict.rows, verdict.problems) == (6, ())
    assert verdict.head == (await audit.list(AuditFilter(), limit=1))[0].hash


async def test_an_empty_log_is_in_order(database: Database, root_secret: RootSecret, clock: ManualClock) -> None:
    """Nothing was done, and nothing is missing."""
    assert (await AuditLog(database, root_secret, clock).verify()).problems == ()


COPY = (
    "INSERT INTO audit SELECT {0}, time, actor, actor_name, address, action, target, detail, previous, hash "
    "FROM audit WHERE sequence = 3"
)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE audit SET target = 'key_9' WHERE sequence = 3"], [(3, "changed")]),
        (["UPDATE audit SET time = time + 1 WHERE sequence = 1"], [(1, "changed")]),
        (["UPDATE audit SET address = NULL WHERE sequence = 6"], [(6, "changed")]),
        (["DELETE FROM audit WHERE sequence = 3"], [(3, "removed")]),
        (["DELETE FROM audit WHERE sequence = 1"], [(1, "removed")]),
        (["DELETE FROM audit WHERE sequence IN (2, 3)"], [(2, "removed")]),
        (["DELETE FROM audit WHERE sequence = 6"], [(6, "removed")]),
        (["DELETE FROM audit"], [(1, "removed")]),
        ([COPY.format(7)], [(7, "inserted")]),
        ([COPY.format(0)], [(0, "inserted")]),
        (["UPDATE audit_head SET seal = 'x'"], [(6, "unsealed")]),
        (
            ["DELETE FROM audit WHERE sequence = 6", "UPDATE audit_head SET sequence = 5"],
            [(5, "replaced"), (5, "unsealed")],
        ),
    ],
)
async def test_what_was_done_to_a_log_is_found(
    audit: AuditLog, place: Place, statements: list[str], expected: list[tuple[int, str]]
) -> None:
    """A row that was changed, removed or inserted behind the server's back is named."""
    for statement in statements:
        execute(place, statement)
    found = (await audit.verify()).problems
    assert [(problem.sequence, problem.tampering) for problem in found] == expected
    assert all(str(problem.sequence) in problem.message for problem in found)


async def test_a_row_forged_with_its_hash_is_found(audit: AuditLog, place: Place) -> None:
    """Everybody can hash a row anew, and the next one still follows the one that was there."""
    row = next(row for row in await audit.list(AuditFilter()) if row.sequence == 3)
    forged = msgspec.structs.replace(row, target="key_9")
    fields = [getattr(forged, name) for name in forged.__struct_fields__ if name != "hash"]
    digest = hashlib.sha256(msgspec.json.encode(fields)).hexdigest()
    execute(place, f"UPDATE audit SET target = 'key_9', hash = '{digest}' WHERE sequence = 3")
    found = (await audit.verify()).problems
    assert [(problem.sequence, problem.tampering) for problem in found] == [(3, "replaced")]


async def test_a_row_inserted_between_others_is_found(audit: AuditLog, place: Place) -> None:
    """Although those after it were numbered anew to make room for it."""
    for sequence in (6, 5, 4):
        execute(place, f"UPDATE audit SET sequence = {sequence + 1} WHERE sequence = {sequence}")
    execute(place, COPY.format(4))
    problems = (await audit.verify()).problems
    assert Problem(4, "changed", "Row 4 was changed.") in problems


async def test_another_server_cannot_write_a_log_anew(
    audit: AuditLog, database: Database, place: Place, clock: ManualClock
) -> None:
    """Whoever knows how rows are hashed, but not the secret, cannot seal them."""
    execute(place, "DELETE FROM audit")
    execute(place, "UPDATE audit_head SET sequence = 0, hash = '', seal = ''")
    forger = AuditLog(database, RootSecret(bytes(32)), clock)
    await forger.record(Act(actor=ADA, action="nothing"))
    assert (await forger.verify()).problems == ()
    assert [problem.tampering for problem in (await audit.verify()).problems] == ["unsealed"]


async def test_many_write_at_the_same_time(
    place: Place, root_secret: RootSecret, clock: ManualClock, database: Database
) -> None:
    """Several processes make one chain without gaps."""
    others = [Database(place) for _ in range(3)]
    logs = [AuditLog(each, root_secret, clock) for each in (database, *others)]
    acts = [log.record(Act(actor=ADA, action=f"act.{number}")) for number in range(20) for log in logs]
    await asyncio.gather(*acts)
    verdict = await logs[0].verify()
    assert (verdict.rows, verdict.problems) == (80, ())
    for other in others:
        await other.aclose()


async def test_an_act_that_fails_is_not_written_down(audit: AuditLog, database: Database) -> None:
    """The row goes with the transaction that it belongs to."""
    with suppress(LookupError):
        async with database.begin() as connection:
            await audit.append(connection, Act(actor=ADA, action="never"))
            raise LookupError
    assert (await audit.verify()).rows == 6
