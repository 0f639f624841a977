"""Several processes that share a limit: whatever happens to them and to clocks, no window holds too much."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from rixin.limits.base import Limit, LimitError, Reservation
from rixin.limits.leases import CLAIM
from rixin.limits.shared import BEAT, SharedLimiter
from rixin.limits.window import microseconds, slot_length
from tests.limits.backends import Backend, Opening
from tests.limits.examples import TIMES, examples

MOST = 4
"""Processes at a time."""


class Running:
    """A request that was admitted, as an observer with a good watch remembers it."""

    def __init__(self, at: int, process: SharedLimiter, reservation: Reservation) -> None:
        self.at = at
        self.process = process
        self.reservation = reservation


class Sharing(RuleBasedStateMachine):
    """Processes that come, ask, give back, end, and are killed."""

    opening: Opening
    window: float
    names = 0

    def __init__(self) -> None:
        super().__init__()
        self.backend = Backend(self.opening, pace=0.005)
        self.processes: list[SharedLimiter] = []
        self.known: list[SharedLimiter] = []
        """Processes that have asked for something."""
        self.admitted: list[Running] = []
        self.running: list[Running] = []
        self.slot = slot_length(self.window)
        self.certain_from = 0
        """The instant from which on whatever is refused must have been admitted."""

    @initialize(amount=st.integers(1, 400), at_once=st.integers(1, 200))
    def agree(self, amount: int, at_once: int) -> None:
        """All count against the same two limits, which nobody has used before."""
        Sharing.names += 1
        self.limit = Limit(f"shared:{Sharing.names}", "requests", amount, self.window)
        self.at_once = Limit(f"shared:{Sharing.names}", "concurrency", at_once)
        self.join()

    @precondition(lambda self: len(self.processes) < MOST)
    @rule()
    def join(self) -> None:
        """A process starts."""
        self.processes.append(self.backend.open(self.opening))

    @rule(which=st.integers(0, MOST - 1), times=st.integers(1, 60))
    def ask(self, which: int, times: int) -> None:
        """A process asks for some requests."""
        process = self.processes[which % len(self.processes)]
        self.backend.limiter = process
        if process not in self.known:  # the others learn of it by their next sign of life, and what it may ask back
            self.known.append(process)
            self.certain_from = max(self.certain_from, self.backend.clock.steady + microseconds(BEAT))
        for _ in range(times):
            outcome = self.backend.try_acquire(self.limit, self.at_once)
            if isinstance(outcome, LimitError):
                self.check_refused()
                break
            request = Running(self.backend.clock.steady, process, outcome)
            self.admitted.append(request)
            self.running.append(request)

    @rule(which=st.integers(0, 500), failed=st.booleans())
    def end(self, which: int, failed: bool) -> None:
        """A request ends, or fails."""
        if self.running:
            request = self.running.pop(which % len(self.running))
            self.backend.limiter = request.process
            self.backend.end(request.reservation, None if failed else 1)
            if failed:
                self.admitted.remove(request)

    @rule(seconds=st.sampled_from([0.0001, 0.2, 0.999, 1, 1.001, 5, 20, 59.9999, 60, 61, 18000, 18300]))
    def wait(self, seconds: float) -> None:
        """Time passes, and every process has looked after what it holds since."""
        self.stand_still(seconds)
        for process in self.processes:
            self.backend.run(process.tend())

    @rule(seconds=st.sampled_from([0.0001, 0.5, 1, 61, 18300]))
    def stand_still(self, seconds: float) -> None:
        """Time passes, and no process notices: all of them were stopped."""
        self.backend.clock.advance(microseconds(seconds))
        if seconds > CLAIM / 3:  # they have lost their shares of what runs at the same time
            self.running.clear()
            self.doubt()

    @rule(seconds=st.one_of(st.integers(-40_000, 40_000), st.sampled_from([-18300, -61, -60, 60, 61, 18300])))
    def set_clock(self, seconds: int) -> None:
        """Somebody sets the wall clock."""
        self.backend.clock.set_wall(microseconds(seconds))
        if seconds < 0:
            self.doubt()

    @precondition(lambda self: len(self.processes) > 1)
    @rule(which=st.integers(0, MOST - 1))
    def kill(self, which: int) -> None:
        """A process is killed, with all that it holds."""
        process = self.processes.pop(which % len(self.processes))
        self.backend.kill(process)
        self.running = [request for request in self.running if request.process is not process]
        self.doubt()

    @precondition(lambda self: len(self.processes) > 1)
    @rule(which=st.integers(0, MOST - 1))
    def leave(self, which: int) -> None:
        """A process ends well, when its requests have ended."""
        process = self.processes.pop(which % len(self.processes))
        self.backend.limiter = process
        for request in self.running:
            if request.process is process:
                self.backend.end(request.reservation, 1)
        self.running = [request for request in self.running if request.process is not process]
        self.backend.leave(process)

    @rule(off=st.sampled_from([0, 1, 3600]))
    def reboot(self, off: int) -> None:
        """The machine goes down with all processes, and a new one starts later."""
        for process in self.processes:
            self.backend.kill(process)
        self.backend.clock.reboot(microseconds(off))
        self.processes, self.running = [], []
        self.join()
        self.doubt()

    @invariant()
    def no_window_holds_too_much(self) -> None:
        """In the window that ends now, as in all that ended before, no more was admitted than the limit says."""
        since = self.backend.clock.steady - microseconds(self.window)
        assert sum(request.at > since for request in self.admitted) <= self.limit.amount

    @invariant()
    def no_more_run_than_may(self) -> None:
        """At no instant do more requests run in living processes than the limit says."""
        assert len(self.running) <= self.at_once.amount

    def teardown(self) -> None:
        """Ends all processes."""
        self.backend.close()

    def check_refused(self) -> None:
        """All of it was admitted in the last sixty-one slots, or runs, unless a process keeps a lease to itself."""
        now = self.backend.clock.steady
        if now < self.certain_from:
            return
        since = now - 61 * self.slot
        full = sum(request.at >= since for request in self.admitted) >= self.limit.amount
        assert full or len(self.running) >= self.at_once.amount

    def doubt(self) -> None:
        """For a while limits may bind more than they must."""
        until = self.backend.clock.steady + max(61 * self.slot, microseconds(CLAIM)) + 1
        self.certain_from = max(self.certain_from, until)


@pytest.mark.timeout(300 * TIMES)  # a failure is made smaller before it is told
@pytest.mark.parametrize("window", [60, 18000])
def test_no_window_ever_holds_more_than_the_amount(opening: Opening, window: float) -> None:
    """Whatever processes do, and clocks; and nobody is refused what is left."""

    class Shared(Sharing):
        """Of one store, and one window."""

    Shared.opening = staticmethod(opening)
    Shared.window = window
    run_state_machine_as_test(Shared, settings=examples(10, steps=25))
