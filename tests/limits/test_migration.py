"""What was counted before limits were leased, and after."""

from rixin.clock import SystemClock, machine
from rixin.limits.base import Cost, Limit
from rixin.limits.shared import SharedLimiter
from rixin.limits.sql_counters import SqlCounters
from rixin.limits.window import microseconds, slot_length
from rixin.store.database import Database
from tests.support.databases import Place, execute

LIMIT = Limit("key:1", "requests", 10, 18000)
ROWS = "SELECT limit_key, slot, amount FROM counters ORDER BY limit_key, slot"


async def test_a_migration_forgets_nothing_that_was_counted(place: Place) -> None:
    """The calls of the last hours still count, and are there again on the way back."""
    database = Database(place)
    await database.migrate("0012")
    now, wall = microseconds(1_000), microseconds(500)
    slot = now // slot_length(18000)
    before = [(LIMIT.counter, slot - 3, 4), (LIMIT.counter, slot, 2)]
    before += [("timeline", 0, now), ("timeline", 1, wall), ("timeline", 2, 0)]
    for row in before:
        execute(place, f"INSERT INTO counters VALUES {row}")
    await database.migrate()
    limiter = SharedLimiter(SqlCounters(database, SystemClock(), machine(), own_wall=True), SystemClock())
    assert (await limiter.inspect([LIMIT], Cost()))[0].remaining == 4
    await database.migrate("0012")
    assert execute(place, ROWS)[:3] == before[:3]
    await limiter.aclose()
    await database.aclose()
