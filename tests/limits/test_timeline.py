"""Time that several machines share."""

from rixin.limits.timeline import MACHINES, Timeline

START = Timeline(1000).read("a", 1000, 20)
"""Time begins when the first machine looks at it."""


def test_time_follows_the_clock_of_the_store() -> None:
    """As long as nobody sets it."""
    assert START.instant == 1000
    later = START.read("a", 1100, 120)
    assert later.instant == 1100
    assert later.read("a", 1150, 170).instant == 1150


def test_a_clock_that_is_set_forward_changes_nothing() -> None:
    """What a machine's own clock has not seen has not passed, for other machines neither."""
    both = START.read("b", 1000, 7_000)
    jumped = both.read("a", 9_100, 120)
    assert jumped.instant == 1100
    assert jumped.read("b", 9_200, 7_200).instant == 1200


def test_a_clock_that_is_set_back_makes_time_stand_still_once() -> None:
    """What is not known to have passed has not; from there it goes on."""
    back = START.read("a", 500, 120)
    assert back.instant == 1000
    assert back.read("a", 600, 220).instant == 1100


def test_a_machine_that_was_never_seen_is_not_believed() -> None:
    """When it looks first nothing has passed, whatever the store's clock says; from there it goes on."""
    joined = START.read("b", 5_000, 3)
    assert joined.instant == 1000
    assert joined.read("b", 5_100, 103).instant == 1100


def test_a_machine_of_which_the_store_was_told_goes_on() -> None:
    """A process that starts anew on it loses no time."""
    assert START.read("a", 901_000, 900_020).instant == 901_000


def test_machines_that_came_first_are_forgotten_first() -> None:
    """New ones come as long as there are containers."""
    timeline = START
    for number in range(2 * MACHINES):
        timeline = timeline.read(f"m{number}", 1000, 20)
    assert len(timeline.ceilings) == MACHINES
    assert f"m{2 * MACHINES - 1}" in timeline.ceilings
