"""What one process was refused by is left alone by all of them."""

import pytest

from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.errors import Kind
from rixin.limits.process import ProcessLimiter
from rixin.routing.classify import Fate
from rixin.routing.gate import TOLERANCE, Gate
from rixin.routing.shared_rests import SharedRests
from rixin.settings import Provider
from rixin.store.database import Database
from rixin.store.rests import RestTable
from tests.limits.manual_clock import MICROSECONDS, ManualClock

UP = Provider(name="up", base_url="http://127.0.0.1:9/v1", api_keys=("sk-1", "sk-2"))


class Process:
    """One of those that share a store. Each has a monotonic clock of its own, as on another machine."""

    def __init__(self, database: Database, clock: ManualClock, provider: Provider = UP) -> None:
        self.clock = clock
        self.gate = Gate(
            Remote.connect(provider, DIALECT, {}), provider, limiter=ProcessLimiter(clock), clock=clock
        )  # fmt: skip
        self.rests = SharedRests(RestTable(database), lambda: {"up": self.gate}, clock)

    def trip(self, seconds: float) -> None:
        """Fails so often that the model `m` is left alone."""
        breaker = self.gate.breaker("m")
        for _ in range(TOLERANCE + 1):
            given = breaker.admit(self.clock.monotonic())
            assert given is not None
            breaker.failed(given, self.clock.monotonic(), lambda _: seconds)

    def refuse(self, fate: Fate, seconds: float) -> None:
        """Has the upstream refuse the first key."""
        key = self.gate.pool.keys[0]
        grant = key.admit("m", self.clock.monotonic())
        assert grant is not None
        key.refused("m", grant, self.clock.monotonic(), fate, lambda _: seconds)

    @property
    def rest(self) -> float | None:
        """Seconds for which the model is left alone."""
        until = self.gate.breaker("m").open_until(self.clock.monotonic())
        return None if until is None else until - self.clock.monotonic()

    def key_rest(self, model: str = "m") -> float:
        """Seconds for which the first key is."""
        return self.gate.pool.keys[0].free_at(model, self.clock.monotonic()) - self.clock.monotonic()

    async def aclose(self) -> None:
        """Closes what it opened."""
        await self.gate.engine.aclose()


@pytest.fixture
def clock() -> ManualClock:
    """Time."""
    return ManualClock()


async def test_an_open_breaker_is_open_everywhere(database: Database, clock: ManualClock) -> None:
    """For as long as the first one's; then each process lets one request find out."""
    one, other = Process(database, clock), Process(database, clock)
    one.trip(30.0)
    assert other.rest is None
    await one.rests.exchange()
    await other.rests.exchange()
    assert other.rest == pytest.approx(30.0, abs=0.5)
    assert other.gate.breaker("m").admit(clock.monotonic()) is None
    clock.advance(31 * MICROSECONDS)
    given = other.gate.breaker("m").admit(clock.monotonic())
    assert given is not None
    assert given.trial
    other.gate.breaker("m").succeeded(given)
    for process in (one, other, one, other):
        await process.rests.exchange()
    assert other.rest is None
    for process in (one, other):
        await process.aclose()


async def test_the_longer_rest_counts(database: Database, clock: ManualClock) -> None:
    """Where two processes were refused, whoever was told to wait longer is heeded by both."""
    one, other = Process(database, clock), Process(database, clock)
    one.trip(10.0)
    other.trip(40.0)
    for process in (one, other, one, other):
        await process.rests.exchange()
    assert one.rest == pytest.approx(40.0, abs=0.5)
    assert other.rest == pytest.approx(40.0, abs=0.5)
    for process in (one, other):
        await process.aclose()


@pytest.mark.parametrize(("fate", "kind", "elsewhere"), [
    (Fate.COOLED, Kind.RATE_LIMITED, 0.0),
    (Fate.EXHAUSTED, Kind.QUOTA_EXHAUSTED, 0.0),
    (Fate.DEAD, Kind.UPSTREAM_CREDENTIAL, 60.0),
])  # fmt: skip
async def test_a_key_that_rests_does_so_everywhere(
    database: Database, clock: ManualClock, fate: Fate, kind: Kind, elsewhere: float
) -> None:
    """For the model that it was refused for, or for all where it is dead; and for the same reason."""
    one, other = Process(database, clock), Process(database, clock)
    one.refuse(fate, 60.0)
    await one.rests.exchange()
    await other.rests.exchange()
    assert other.key_rest() == pytest.approx(60.0, abs=0.5)
    assert other.key_rest("another") == pytest.approx(elsewhere, abs=0.5)
    assert other.gate.pool.keys[0].reason("m", clock.monotonic()) is kind
    assert other.gate.pool.keys[1].free_at("m", clock.monotonic()) == clock.monotonic()
    for process in (one, other):
        await process.aclose()


async def test_another_upstream_of_the_same_name_is_not_meant(database: Database, clock: ManualClock) -> None:
    """What was learned at one address says nothing of another one."""
    one = Process(database, clock)
    elsewhere = Process(database, clock, Provider(name="up", base_url="http://127.0.0.1:10/v1"))
    one.trip(30.0)
    await one.rests.exchange()
    await elsewhere.rests.exchange()
    assert elsewhere.rest is None
    for process in (one, elsewhere):
        await process.aclose()


async def test_nothing_is_written_where_nothing_is_new(database: Database, clock: ManualClock) -> None:
    """A rest that all know of is told once."""
    one, other = Process(database, clock), Process(database, clock)
    one.trip(30.0)
    await one.rests.exchange()
    told = await RestTable(database).list(clock.now())
    for _ in range(5):
        clock.advance(MICROSECONDS)
        for process in (other, one):
            await process.rests.exchange()
    assert await RestTable(database).list(clock.now()) == told
    for process in (one, other):
        await process.aclose()
