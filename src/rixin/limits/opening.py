"""Which back end counts, by the settings."""

from pathlib import Path

from rixin.clock import Clock, machine
from rixin.limits.base import Limiter
from rixin.limits.page import CounterStore
from rixin.limits.process import ProcessLimiter
from rixin.limits.shared import SharedLimiter
from rixin.limits.sql_counters import SqlCounters
from rixin.limits.tiered import TieredLimiter
from rixin.settings import Settings
from rixin.store.database import Database


def open_limiter(settings: Settings, database: Database, clock: Clock) -> Limiter:
    """The limiter that the settings ask for; nothing is read or written yet.

    One process with a database to itself keeps its rates to itself. Several share everything.

    Raises:
        RixinError: `CONFIGURATION` where `server.redis_url` is none that can be used.
    """
    shared = SharedLimiter(_store(settings, database, clock), clock)
    own_file = isinstance(database.place, Path) and settings.server.redis_url is None
    if own_file and settings.server.workers == 1:
        return TieredLimiter(ProcessLimiter(clock), shared, clock)
    return shared


def _store(settings: Settings, database: Database, clock: Clock) -> CounterStore:
    url = settings.server.redis_url
    if url is None:
        return SqlCounters(database, clock, machine(), own_wall=isinstance(database.place, Path))
    # The client takes a tenth of a second to import, which a server without a Redis is spared.
    from rixin.limits.redis_counters import RedisCounters  # noqa: PLC0415 - see above

    return RedisCounters(url, clock, machine())
