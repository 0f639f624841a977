"""Time that several machines share."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.limits.timeline import MACHINES, Timeline


def look(timeline: Timeline, machine: str, wall: int, monotonic: int) -> Timeline:
    """The timeline, read in no time."""
    return timeline.read(machine, wall, sent=monotonic, monotonic=monotonic)


START = look(Timeline(1000), "a", 1000, 20)
"""Time begins when the first machine looks at it."""


def test_time_follows_the_clock_of_the_store() -> None:
    """As long as nobody sets it."""
    assert START.instant == 1000
    later = look(START, "a", 1100, 120)
    assert later.instant == 1100
    assert look(later, "a", 1150, 170).instant == 1150


def test_a_clock_that_is_set_forward_changes_nothing() -> None:
    """What a machine's own clock has not seen has not passed, for other machines neither."""
    both = look(START, "b", 1000, 7_000)
    jumped = look(both, "a", 9_100, 120)
    assert jumped.instant == 1100
    assert look(jumped, "b", 9_200, 7_200).instant == 1200


def test_a_clock_that_is_set_back_makes_time_stand_still_once() -> None:
    """What is not known to have passed has not; from there it goes on."""
    back = look(START, "a", 500, 120)
    assert back.instant == 1000
    assert look(back, "a", 600, 220).instant == 1100


def test_time_that_was_missed_is_not_made_up_for() -> None:
    """A clock that is set right again after it was set back does not end what was counted in between."""
    back = look(START, "a", 500, 120)
    right = look(back, "a", 1100, 120)
    assert right.instant == back.instant == 1000
    assert look(right, "a", 1200, 220).instant == 1100


def test_an_answer_that_takes_its_time_misses_none() -> None:
    """However long before the answer the store has looked at its clock."""
    late = START.read("a", 1050, sent=70, monotonic=90)
    assert late.instant == 1050
    assert late.read("a", 1100, sent=120, monotonic=120).instant == 1100


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(-300, 300))))
def test_time_never_runs_faster_than_the_machine_that_looks_at_it(passing: list[tuple[int, int]]) -> None:
    """However often, and however far, its wall clock is set."""
    timeline, wall, monotonic = START, 1000, 20
    for passed, set_by in passing:
        monotonic += passed
        wall += passed + set_by
        later = look(timeline, "a", wall, monotonic)
        assert 0 <= later.instant - timeline.instant <= passed
        timeline = later


class Look(NamedTuple):
    """What a machine made of the time when it looked."""

    machine: int
    steady: int
    instant: int


def looks(history: list[tuple[int, int, int]]) -> tuple[list[Look], list[int]]:
    """What machines make of the time, each look so long after the one before, the wall clock set by so much before it.

    Returns:
        Their looks, and by how much the wall clock was set before each.
    """
    timeline, wall, steady, found, sets = Timeline(1000), 1000, 0, list[Look](), list[int]()
    for machine, passed, set_by in history:
        steady += passed
        wall += passed + set_by
        timeline = look(timeline, str(machine), wall, steady + 7_000 * machine)
        found.append(Look(machine, steady, timeline.instant))
        sets.append(set_by)
    return found, sets


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 100), st.integers(-300, 300)), max_size=12))
@settings(max_examples=1000)
def test_time_runs_too_fast_by_what_no_machine_saw_at_most(history: list[tuple[int, int, int]]) -> None:
    """Between two looks no more passes than really does, and than the clock was set forward meanwhile.

    Nor more than really does, and than a machine that has looked since had been silent by the first of them: what the
    clock missed meanwhile it cannot know. Machines that keep looking leave no room for either.
    """
    found, sets = looks(history)
    for last, late in enumerate(found):
        for first, early in enumerate(found[:last]):
            before, since = found[: first + 1], found[first + 1 : last + 1]
            known = {each.machine: each.steady for each in before}
            silent = max((early.steady - known[each.machine] for each in since if each.machine in known), default=0)
            forward = sum(max(set_by, 0) for set_by in sets[first + 1 : last + 1])
            assert late.instant - early.instant <= late.steady - early.steady + min(silent, forward)


def test_a_machine_that_was_silent_believes_what_it_cannot_know() -> None:
    """The bound is met: while one machine is silent the clock is set back, another one counts, and it is set right."""
    history = [(0, 0, 0), (1, 0, 0), (0, 100, -100), (1, 0, 100)]
    found, _ = looks(history)
    assert [each.instant - 1000 for each in found] == [0, 0, 0, 100]
    with_looks, _ = looks([*history[:2], (0, 100, -100), (1, 0, 0), (1, 0, 100)])
    assert [each.instant - 1000 for each in with_looks] == [0, 0, 0, 0, 0]


def test_a_machine_that_was_never_seen_is_not_believed() -> None:
    """When it looks first nothing has passed, whatever the store's clock says; from there it goes on."""
    joined = look(START, "b", 5_000, 3)
    assert joined.instant == 1000
    assert look(joined, "b", 5_100, 103).instant == 1100


def test_a_machine_of_which_the_store_was_told_goes_on() -> None:
    """A process that starts anew on it loses no time."""
    assert look(START, "a", 901_000, 900_020).instant == 901_000


def test_machines_that_came_first_are_forgotten_first() -> None:
    """New ones come as long as there are containers."""
    timeline = START
    for number in range(2 * MACHINES):
        timeline = look(timeline, f"m{number}", 1000, 20)
    assert len(timeline.ceilings) == MACHINES
    assert f"m{2 * MACHINES - 1}" in timeline.ceilings
