"""What every back end promises."""

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.errors import Kind
from rixin.limits.base import Cost, Limit, LimitError, Reservation
from rixin.limits.leases import CLAIM
from rixin.limits.window import slot_length
from tests.limits.backends import Backend
from tests.limits.examples import examples
from tests.limits.manual_clock import MICROSECONDS

MINUTE = 60 * MICROSECONDS
FIVE_HOURS = 5 * 3600 * MICROSECONDS


class Record:
    """A request that was admitted, as an observer with a good watch remembers it."""

    def __init__(self, at: int, estimate: int, reservation: Reservation) -> None:
        self.reservation = reservation
        self.released = False
        self.charges = [(at, estimate)]

    def settle(self, at: int, tokens: int) -> None:
        """The truth is known: what was too little counts from the end on."""
        begun, estimate = self.charges[0]
        self.charges = [(begun, min(tokens, estimate)), (at, max(0, tokens - estimate))]

    def requests(self, since: int) -> int:
        """1 if it counts as a request of the time since an instant."""
        return int(not self.released and self.charges[0][0] >= since)

    def tokens(self, since: int) -> int:
        """Its tokens that count in the time since an instant."""
        return 0 if self.released else sum(amount for at, amount in self.charges if at >= since)


class Observer:
    """Knows what was admitted when, and what therefore may still be."""

    def __init__(self, requests: Limit, tokens: Limit) -> None:
        self.requests = requests
        self.tokens = tokens
        self.records: list[Record] = []
        self.lost_time = False
        """Whether a clock was set back, the machine was off or a process killed: limits may bind longer then."""

    def crashed(self) -> None:
        """What the process had leased is spent, and what it had not yet written of ends is not known to the store."""
        self.lost_time = True
        for record in self.records:
            del record.charges[1:]

    def check_admitted(self, now: int) -> None:
        """No more was admitted in the windows that end now than the limits say."""
        length = round((self.requests.window or 0) * MICROSECONDS)
        assert sum(record.requests(now - length) for record in self.records) <= self.requests.amount
        length = round((self.tokens.window or 0) * MICROSECONDS)
        assert sum(record.tokens(now - length) for record in self.records) <= self.tokens.amount

    def check_refused(self, now: int, estimate: int) -> None:
        """A limit was used up, but for a sixtieth of its window."""
        if self.lost_time:
            return
        since = now - 61 * slot_length(self.requests.window or 0)
        full = sum(record.requests(since) for record in self.records) + 1 > self.requests.amount
        since = now - 61 * slot_length(self.tokens.window or 0)
        full |= sum(record.tokens(since) for record in self.records) + estimate > self.tokens.amount
        assert full


def histories(length: int) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """What may happen within a few windows of some microseconds each, which are full most of the time."""
    slot = -(-length // 60)
    passing = st.one_of(
        st.integers(0, 2 * slot),
        st.integers(length - slot, length),
        st.integers(length - 2 * slot, length + 2 * slot),
        st.sampled_from([0, 1, slot - 1, slot, slot + 1, length - 1, length, length + slot]),
    )
    rush = st.tuples(st.just("rush"), st.just(1), st.just(0))
    passed = st.tuples(st.just("pass"), passing, st.just(0))
    event = st.one_of(
        rush,
        st.tuples(st.just("acquire"), st.integers(1, 60), st.just(0)),
        passed,
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 200)),
        st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
    )
    jump = st.one_of(st.integers(-3 * length, 3 * length), st.sampled_from([-length, length, 2 * length]))
    trouble = st.one_of(
        st.tuples(st.just("set wall"), jump, st.just(0)),
        st.tuples(st.sampled_from(["restart", "crash"]), st.just(0), st.just(0)),
        st.tuples(st.just("reboot"), st.integers(0, 3 * length), st.just(0)),
    )
    # What trouble does shows where as much is wanted as there may be.
    parts = (rush, passed), (rush, event), (event, event), (rush, trouble), (trouble, trouble)
    return st.lists(st.one_of(*(st.tuples(*part) for part in parts)), max_size=20).map(
        lambda pairs: [*itertools.chain.from_iterable(pairs)]
    )


def begin_anew(backend: Backend, observer: Observer, why: str, off: int) -> None:
    """Has a process take over from one that ended, was killed, or went down with its machine for a while."""
    match why:
        case "crash":
            backend.abandon()
            observer.crashed()
        case "reboot":
            backend.clock.reboot(off)
            backend.restart()
            observer.lost_time = True
        case _:
            backend.restart()


def play(backend: Backend, history: list[tuple[str, int, int]], requests: Limit, tokens: Limit) -> Observer:
    """Lets a history happen, and checks each admission and each refusal of it."""
    observer = Observer(requests, tokens)
    records, clock = observer.records, backend.clock
    running: list[Record] = []

    def acquire(estimate: int) -> bool:
        outcome = backend.try_acquire(requests, tokens, tokens=estimate)
        if isinstance(outcome, LimitError):
            observer.check_refused(clock.steady, estimate)
            return False
        running.append(Record(clock.steady, estimate, outcome))
        records.append(running[-1])
        observer.check_admitted(clock.steady)
        return True

    for name, number, more in history:
        match name:
            case "acquire":
                acquire(number)
            case "rush":
                while acquire(number):
                    pass
            case "pass":
                clock.advance(number)
            case "set wall":
                clock.set_wall(number)
                observer.lost_time |= number < 0
            case "restart" | "crash" | "reboot" if backend.remembers:
                running.clear()
                begin_anew(backend, observer, name, number)
            case "settle" if number < len(running):
                record = running.pop(number)
                backend.end(record.reservation, more)
                record.settle(clock.steady, more)
            case "release" if number < len(running):
                record = running.pop(number)
                backend.end(record.reservation, None)
                record.released = True
            case _:
                pass
    return observer


@given(history=histories(MINUTE), amount=st.integers(1, 5), tokens=st.integers(60, 200))
@examples(30)
def test_no_minute_ever_holds_more_than_the_amount(
    backend: Backend, history: list[tuple[str, int, int]], amount: int, tokens: int
) -> None:
    """Whatever clocks, restarts, kills and refunds do, no window holds too much; nobody waits a sixtieth too long."""
    limits = backend.limit("requests", amount, 60), backend.limit("tokens", tokens, 60)
    play(backend, history, *limits)


def test_a_clock_that_is_set_right_again_admits_nobody(backend: Backend) -> None:
    """While it was behind, time stood still; what was missed then is not taken off what was counted since."""
    limits = backend.limit("requests", 3, 60), backend.limit("concurrency", 2)
    backend.inspect(limits[0])
    backend.clock.set_wall(-FIVE_HOURS)
    backend.clock.advance(2 * MINUTE)
    running = [backend.acquire(*limits) for _ in range(2)]
    backend.clock.set_wall(FIVE_HOURS)
    for limit in limits:
        assert backend.inspect(limit).remaining == limit.amount - 2
    with pytest.raises(LimitError):
        backend.acquire(limits[1])
    for reservation in running:
        backend.end(reservation, None)


@given(history=histories(FIVE_HOURS), amount=st.integers(1, 5))
@examples(40)
def test_no_five_hours_ever_hold_more_than_the_amount(
    backend: Backend, history: list[tuple[str, int, int]], amount: int
) -> None:
    """Q2: the same holds of the window that subscriptions have, beside a shorter one."""
    play(backend, history, backend.limit("requests", amount, 18000), backend.limit("tokens", 200, 7))


@given(history=histories(MINUTE), amount=st.integers(1, 4), tokens=st.integers(60, 200), estimate=st.integers(1, 60))
@examples(30)
def test_the_reset_is_the_very_instant(
    backend: Backend, history: list[tuple[str, int, int]], amount: int, tokens: int, estimate: int
) -> None:
    """A refused request is refused until a microsecond before the instant that it was told, and admitted on it."""
    limits = backend.limit("requests", amount, 60), backend.limit("tokens", tokens, 61)
    play(backend, history, *limits)
    while not isinstance(outcome := backend.try_acquire(*limits, tokens=estimate), LimitError):
        pass
    assert outcome.retry_after is not None
    wait = round(outcome.retry_after * MICROSECONDS)
    assert wait > 0
    backend.clock.advance(wait - 1)
    assert isinstance(backend.try_acquire(*limits, tokens=estimate), LimitError)
    backend.clock.advance(1)
    backend.acquire(*limits, tokens=estimate)


@given(history=histories(MINUTE), which=st.integers(0, 1))
@examples(30)
def test_the_standing_of_an_admitted_request_tells_when_more_remains(
    backend: Backend, history: list[tuple[str, int, int]], which: int
) -> None:
    """`remaining` stays what it is until `reset`, and is more from then on."""
    limits = backend.limit("requests", 3, 60), backend.limit("tokens", 100, 60)
    play(backend, history, *limits)
    outcome = backend.try_acquire(*limits)
    if isinstance(outcome, LimitError):
        return
    standing = outcome.standings[which]
    backend.clock.advance(round((standing.reset - backend.clock.monotonic()) * MICROSECONDS) - 1)
    assert backend.inspect(standing.limit).remaining == standing.remaining
    backend.clock.advance(1)
    assert backend.inspect(standing.limit).remaining > standing.remaining


@given(
    amounts=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    costs=st.lists(st.integers(1, 50), min_size=1, max_size=12),
)
@examples(20)
def test_a_refused_request_is_written_nowhere(backend: Backend, amounts: list[int], costs: list[int]) -> None:
    """Of several limits all admit a request, or none counts it."""
    limits = [backend.limit("requests", amount, 60) for amount in amounts]
    limits += [backend.limit("tokens", 100, 3600), backend.limit("concurrency", 3)]
    for cost in costs:
        before = backend.run(backend.limiter.inspect(limits, Cost()))
        outcome = backend.try_acquire(*limits, tokens=cost)
        after = backend.run(backend.limiter.inspect(limits, Cost()))
        if isinstance(outcome, LimitError):
            assert after == before
            assert [standing.limit for standing in outcome.standings] == limits
        else:
            spent = [cost if limit.unit == "tokens" else 1 for limit in limits]
            left = [standing.remaining - cost for standing, cost in zip(before, spent, strict=True)]
            assert [standing.remaining for standing in after] == left
            assert [standing.remaining for standing in outcome.standings] == left


@given(
    requests=st.lists(
        st.tuples(st.integers(0, 100), st.one_of(st.none(), st.just(-1), st.integers(0, 300)), st.integers(0, 900_000)),
        max_size=15,
    )
)
@examples(20)
def test_settled_and_released_requests_add_up(backend: Backend, requests: list[tuple[int, int | None, int]]) -> None:
    """What remains is the amount without the truth of the settled, the estimate of the open, and nothing else."""
    tokens, calls = backend.limit("tokens", 100_000, 60), backend.limit("requests", 100, 60)
    at_once = backend.limit("concurrency", 100)
    used = count = still_open = 0
    for estimate, truth, passing in requests:
        reservation = backend.acquire(tokens, calls, at_once, tokens=estimate)
        backend.clock.advance(passing)
        if truth == -1:
            used, count, still_open = used + max(1, estimate), count + 1, still_open + 1
            continue
        for _ in range(2):
            backend.end(reservation, truth)
        if truth is not None:
            used, count = used + truth, count + 1
    assert backend.inspect(tokens).remaining == 100_000 - used
    assert backend.inspect(calls).remaining == 100 - count
    assert backend.inspect(at_once).remaining == 100 - still_open


def test_an_overshoot_is_a_debt_that_later_requests_wait_for(backend: Backend) -> None:
    """Tokens beyond the estimate count from the end of the request on, even beyond the amount."""
    limit = backend.limit("tokens", 100, 60)
    reservation = backend.acquire(limit, tokens=10)
    backend.clock.advance(90 * MICROSECONDS)
    backend.end(reservation, 250)
    outcome = backend.try_acquire(limit, tokens=1)
    assert isinstance(outcome, LimitError)
    assert outcome.standings[0].remaining == 0
    assert outcome.retry_after is not None
    assert 59 <= outcome.retry_after <= 61


@pytest.mark.parametrize("tokens", [10**30, -5])
def test_a_cost_that_cannot_be_is_taken_for_the_nearest_that_can(backend: Backend, tokens: int) -> None:
    """What an upstream reports is somebody else's number, and breaks no counter."""
    limit = backend.limit("tokens", 1000, 60)
    backend.end(backend.acquire(limit, tokens=10), tokens)
    assert backend.inspect(limit).remaining == (0 if tokens > 0 else 1000)
    backend.acquire(backend.limit("tokens", 1000, 60))


def test_the_reset_holds_although_the_wall_clock_was_set_back_before(backend: Backend) -> None:
    """A refusal is measured on a timeline that goes on from there, whoever set a clock before."""
    limit = backend.limit("requests", 1, 60)
    backend.acquire(limit)
    backend.clock.set_wall(-3600 * MICROSECONDS)
    outcome = backend.try_acquire(limit)
    assert isinstance(outcome, LimitError)
    assert outcome.retry_after is not None
    backend.clock.advance(round(outcome.retry_after * MICROSECONDS))
    backend.acquire(limit)


def test_one_call_left_and_five_hundred_who_want_it(backend: Backend) -> None:
    """Of 500 requests at the same time exactly one gets the last call."""
    limit = backend.limit("requests", 3, 18000)
    backend.acquire(limit)
    backend.acquire(limit)

    async def rush() -> list[object]:
        calls = [backend.limiter.acquire([limit], Cost()) for _ in range(500)]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    outcomes = backend.run(rush())
    refused = [outcome for outcome in outcomes if isinstance(outcome, LimitError)]
    assert len(refused) == 499
    assert {error.kind for error in refused} == {Kind.QUOTA_EXHAUSTED}


def test_what_runs_at_the_same_time_is_counted_until_it_ends(backend: Backend) -> None:
    """A concurrency limit admits as many as it says, and one more for each that ends, in whatever way."""
    limit = backend.limit("concurrency", 2)
    first, second = backend.acquire(limit), backend.acquire(limit)
    outcome = backend.try_acquire(limit)
    assert isinstance(outcome, LimitError)
    assert outcome.kind is Kind.RATE_LIMITED
    assert outcome.retry_after == 1
    assert outcome.message == "The limit of 2 requests at a time is reached; try again in 1s."
    backend.end(first, 5)
    backend.acquire(limit)
    backend.end(second, None)
    backend.acquire(limit)
    assert isinstance(backend.try_acquire(limit), LimitError)


def test_a_crash_frees_shares_after_a_while(backend: Backend) -> None:
    """What ran at the same time in a process that was killed is soon forgotten, and its calls are not."""
    if not backend.remembers:
        return
    at_once, calls = backend.limit("concurrency", 1), backend.limit("requests", 5, 3600)
    backend.acquire(at_once, calls)
    backend.abandon()
    backend.clock.advance(round(CLAIM * MICROSECONDS) - 1)
    assert isinstance(backend.try_acquire(at_once, calls), LimitError)
    backend.clock.advance(1)
    backend.acquire(at_once, calls)
    assert backend.inspect(calls).remaining == 3


def test_the_error_names_the_limit_that_binds_longest(backend: Backend) -> None:
    """Of a minute and five hours that are both used up, the error is about the five hours."""
    key = backend.limit("requests", 1, 60).key
    limits = Limit(key, "requests", 1, 60), Limit(key, "requests", 1, 18000)
    backend.acquire(*limits)
    backend.clock.advance(MICROSECONDS)
    outcome = backend.try_acquire(*limits)
    assert isinstance(outcome, LimitError)
    assert outcome.kind is Kind.QUOTA_EXHAUSTED
    assert "1 request per 5 hours" in outcome.message
    assert outcome.retry_after is not None
    assert 17999 <= outcome.retry_after <= 18300


def test_a_rate_that_is_used_up_says_how_long_to_wait(backend: Backend) -> None:
    """The error of a rate names it, and the wait in its message is that of `retry_after`."""
    limit = backend.limit("requests", 60, 60)
    for _ in range(60):
        backend.acquire(limit)
    outcome = backend.try_acquire(limit)
    assert isinstance(outcome, LimitError)
    assert outcome.kind is Kind.RATE_LIMITED
    assert outcome.retry_after is not None
    assert outcome.message.startswith("The limit of 60 requests per minute is reached; try again in 1m")


def test_a_request_larger_than_its_limit_is_told_that_waiting_does_not_help(backend: Backend) -> None:
    """An estimate beyond the whole amount is too large, names both numbers, and has no time to wait."""
    limit = backend.limit("tokens", 1000, 60)
    outcome = backend.try_acquire(limit, tokens=1001)
    assert isinstance(outcome, LimitError)
    assert (outcome.kind, outcome.retry_after) == (Kind.TOO_LARGE, None)
    assert "1001 tokens" in outcome.message
    assert "1000 tokens per minute" in outcome.message


def test_a_limit_of_nothing_forbids(backend: Backend) -> None:
    """An amount of 0 is no rate to wait for but a permission that is missing."""
    outcome = backend.try_acquire(backend.limit("requests", 0, 60))
    assert isinstance(outcome, LimitError)
    assert (outcome.kind, outcome.retry_after) == (Kind.PERMISSION_DENIED, None)


def test_limits_on_the_same_counter_count_once(backend: Backend) -> None:
    """Of two limits on one counter the smaller one binds, and a request is counted once."""
    small = backend.limit("requests", 2, 60)
    large = Limit(small.key, "requests", 5, 60)
    assert [standing.limit for standing in backend.acquire(large, small).standings] == [small]
    assert backend.inspect(large).remaining == 4


def test_a_request_without_limits_is_always_admitted(backend: Backend) -> None:
    """No limits, no standings, and ending it does nothing."""
    reservation = backend.acquire()
    assert reservation.standings == ()
    backend.end(reservation, 5)
    backend.end(reservation, None)


@pytest.mark.parametrize("unit", ["requests", "tokens"])
def test_units_and_windows_of_one_key_are_counted_apart(backend: Backend, unit: str) -> None:
    """A limit of another unit or window has a counter of its own."""
    key = backend.limit("requests", 1, 60).key
    limit = Limit(key, "requests" if unit == "requests" else "tokens", 10, 60)
    backend.acquire(limit)
    for other in (Limit(key, limit.unit, 10, 61), Limit(key, "concurrency", 10), Limit(key + "x", limit.unit, 10, 60)):
        assert backend.inspect(other).remaining == 10
