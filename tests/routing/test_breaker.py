"""When a breaker lets requests through."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rixin.routing.breaker import TRANSITIONS, TRIAL, Breaker, Pass, Signal, State
from rixin.routing.classify import rung

LADDER = (2.0, 5.0, 11.0)


def rest(step: int) -> float:
    """The rest at a step."""
    return rung(LADDER, step)


def admitted(breaker: Breaker, now: float) -> Pass:
    """A pass that must be given."""
    given = breaker.admit(now)
    assert given is not None
    return given


def test_the_table_says_all() -> None:
    """From each state some signal leads on, and none leads nowhere."""
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert set(TRANSITIONS.values()) == set(State)
    assert {signal for _, signal in TRANSITIONS} == set(Signal)


def test_it_bears_some_failures_in_a_row() -> None:
    """A success in between begins the count anew; one failure too many opens it for a while."""
    breaker = Breaker(tolerance=2)
    for outcome in (False, False, True, False, False):
        given = admitted(breaker, 0.0)
        if outcome:
            breaker.succeeded(given)
        else:
            assert not breaker.failed(given, 0.0, rest)
    assert breaker.state(0.0) is State.CLOSED
    assert breaker.failed(admitted(breaker, 0.0), 0.0, rest)
    assert breaker.admit(1.9) is None
    assert breaker.free_at(1.9) == 2.0


def test_one_finds_out_for_all() -> None:
    """After the rest one request is let through; when it passes, all are."""
    breaker = Breaker()
    breaker.failed(admitted(breaker, 0.0), 0.0, rest)
    trial = admitted(breaker, 2.0)
    assert trial.trial
    assert breaker.admit(2.1) is None
    breaker.succeeded(trial)
    assert not admitted(breaker, 2.2).trial


def test_each_failed_trial_lengthens_the_rest() -> None:
    """Up to the last step, and a success begins anew."""
    breaker, now = Breaker(), 0.0
    rests: list[float] = []
    for _ in range(4):
        breaker.failed(admitted(breaker, now), now, rest)
        rests.append(breaker.free_at(now) - now)
        now = breaker.free_at(now)
    assert rests == [2.0, 5.0, 11.0, 11.0]
    breaker.succeeded(admitted(breaker, now))
    breaker.failed(admitted(breaker, now), now, rest)
    assert breaker.free_at(now) - now == 2.0


def test_those_refused_together_count_once() -> None:
    """Only the first of several refusals counts; a longer wait that a later one names is kept."""
    breaker = Breaker()
    passes = [admitted(breaker, 0.0) for _ in range(4)]
    assert [breaker.failed(given, 0.1, rest) for given in passes[:3]] == [True, False, False]
    assert breaker.step == 1
    assert breaker.free_at(0.1) == 2.1
    breaker.failed(passes[3], 0.2, lambda _: 60.0)
    assert breaker.free_at(0.2) == 60.2


def test_a_late_success_does_not_close_it() -> None:
    """What was sent before the refusal says nothing of the time after it."""
    breaker = Breaker()
    early, late = admitted(breaker, 0.0), admitted(breaker, 0.0)
    breaker.failed(late, 1.0, rest)
    breaker.succeeded(early)
    assert breaker.state(1.0) is State.OPEN


def test_an_abandoned_trial_lets_another_try() -> None:
    """So does one that takes too long."""
    breaker = Breaker()
    breaker.failed(admitted(breaker, 0.0), 0.0, rest)
    breaker.abandoned(admitted(breaker, 2.0))
    first = admitted(breaker, 2.0)
    assert breaker.admit(2.0 + TRIAL - 0.1) is None
    assert admitted(breaker, 2.0 + TRIAL).trial
    breaker.succeeded(first)
    assert breaker.state(2.0 + TRIAL) is State.CLOSED


def test_a_trial_of_an_earlier_rest_says_nothing() -> None:
    """One that took too long and passed after another one had failed does not close it."""
    breaker = Breaker()
    breaker.failed(admitted(breaker, 0.0), 0.0, rest)
    slow, quick = admitted(breaker, 2.0), admitted(breaker, 2.0 + TRIAL)
    breaker.failed(quick, 12.0, rest)
    assert breaker.state(17.0) is State.HALF_OPEN
    breaker.succeeded(slow)
    assert breaker.state(17.0) is State.HALF_OPEN


class Requests(RuleBasedStateMachine):
    """Requests come, succeed, fail, are abandoned; an observer knows what the breaker may do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.tolerance = 2
        self.breaker = Breaker(self.tolerance)
        self.open_until = 0.0
        self.tripped = 0
        """How often it opened without a trial's success in between."""
        self.under_way: list[Pass] = []
        self.trials: list[tuple[Pass, float]] = []
        """Trials since the last rest that may still tell something, with the instants when they began."""
        self.gave_way = False
        """Whether one of them was abandoned, so that another may begin before its time."""

    @rule(seconds=st.sampled_from([0.0, 0.5, 2.0, 5.0, TRIAL, 30.0]))
    def time_passes(self, seconds: float) -> None:
        """It is later."""
        self.now += seconds

    @rule()
    def request_comes(self) -> None:
        """It is let through, or not."""
        free_at, given = self.breaker.free_at(self.now), self.breaker.admit(self.now)
        assert (given is not None) == (free_at <= self.now)
        if given is None:
            return
        assert self.now >= self.open_until, "it was let through while the breaker was open"
        if given.trial:
            on_trial = any(self.now < began + TRIAL for _, began in self.trials)
            assert self.gave_way or not on_trial, "two were on trial"
            self.trials.append((given, self.now))
            self.gave_way = False
        self.under_way.append(given)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def request_succeeds(self, data: st.DataObject) -> None:
        """Some request ends well."""
        given = self._take(data)
        before = self.breaker.state(self.now)
        self.breaker.succeeded(given)
        if not self._is_current(given):
            assert self.breaker.state(self.now) is before, "a success of another time changed something"
        else:
            assert self.breaker.state(self.now) is State.CLOSED
            self.trials.clear()
            self.gave_way = False
            self.tripped = 0

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), told=st.one_of(st.none(), st.sampled_from([0.1, 3.0, 60.0])))
    def request_fails(self, data: st.DataObject, told: float | None) -> None:
        """Some request fails, and perhaps is told how long to wait."""
        given = self._take(data)
        was_open = self.breaker.state(self.now) is State.OPEN
        tripped = self.breaker.failed(given, self.now, lambda step: rest(step) if told is None else told)
        assert not (tripped and was_open)
        if tripped:
            wait = rung(LADDER, self.tripped) if told is None else told
            assert self.breaker.free_at(self.now) == self.now + wait
            self.open_until = self.now + wait
            self.tripped += 1
            self.trials.clear()
            self.gave_way = False
        elif was_open:
            assert self.breaker.free_at(self.now) >= self.open_until
            if told is not None:
                assert self.breaker.free_at(self.now) >= self.now + told
            self.open_until = self.breaker.free_at(self.now)
        elif given.trial:
            assert not self._is_current(given), "a trial's failure did not count"

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def request_is_abandoned(self, data: st.DataObject) -> None:
        """Some request's client leaves."""
        given = self._take(data)
        self.breaker.abandoned(given)
        if self._is_current(given):
            self.trials = [trial for trial in self.trials if trial[0] is not given]
            self.gave_way = True

    @invariant()
    def it_is_free_in_the_end(self) -> None:
        """Nobody waits for ever: the instant that it names is at most the longest rest, or a trial, away."""
        assert self.now <= self.breaker.free_at(self.now) <= self.now + 60.0

    def _is_current(self, given: Pass) -> bool:
        return any(trial is given for trial, _ in self.trials)

    def _take(self, data: st.DataObject) -> Pass:
        return self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))


TestRequests = Requests.TestCase
TestRequests.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
