"""Time that several machines share."""

from hypothesis import given
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
