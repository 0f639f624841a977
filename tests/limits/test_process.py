"""The back end in memory."""

from rixin.limits.base import Cost, Limit, Reservation
from rixin.limits.process import FIRST_SWEEP, ProcessLimiter
from tests.limits.manual_clock import MICROSECONDS, ManualClock


def run_at_once(limiter: ProcessLimiter, *limits: Limit, tokens: int = 1) -> Reservation:
    """Runs an admission without an event loop, which only work that never waits can do."""
    work = limiter.acquire(limits, Cost(tokens=tokens))
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the admission waited for something")


def test_admission_never_waits() -> None:
    """It finishes in the step that it begins in, so no other request comes between."""
    limit = Limit("k", "tokens", 100, 60)
    reservation = run_at_once(ProcessLimiter(ManualClock()), limit, tokens=40)
    assert reservation.standings[0].remaining == 60


def test_counters_that_count_nothing_are_dropped() -> None:
    """Memory follows those who are active, not all who ever were."""
    clock = ManualClock()
    limiter = ProcessLimiter(clock)
    for number in range(5 * FIRST_SWEEP):
        run_at_once(limiter, Limit(f"k{number}", "requests", 5, 60))
        clock.advance(MICROSECONDS)
    assert len(limiter) <= FIRST_SWEEP + 1


async def test_a_debt_is_kept_when_its_counter_was_dropped() -> None:
    """A long request that overshoots is counted even if its own reservation was forgotten long ago."""
    clock = ManualClock()
    limiter = ProcessLimiter(clock)
    limit = Limit("k", "tokens", 100, 60)
    reservation = run_at_once(limiter, limit, tokens=10)
    for number in range(2 * FIRST_SWEEP):
        run_at_once(limiter, Limit(f"k{number}", "requests", 5, 60))
        clock.advance(MICROSECONDS)
    reservation.settle(Cost(tokens=95))
    assert (await limiter.inspect([limit], Cost()))[0].remaining == 15
