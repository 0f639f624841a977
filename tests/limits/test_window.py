"""The pure window: slots, waits and timelines by hand."""

import pytest

from rixin.limits.window import MICROSECONDS, Claims, Window, microseconds, slot_length

SECOND = MICROSECONDS


@pytest.fixture
def window() -> Window:
    """A minute, so that a slot is a second."""
    return Window(60)


def admit(window: Window, at: int, amount: int = 1) -> int:
    """Writes into the slot of an instant, and gives its number."""
    slot = window.advance(at)
    window.change(slot, amount)
    return slot


def test_a_slot_counts_until_its_end_has_left(window: Window) -> None:
    """What came first in a slot is forgotten with what could have come last in it."""
    admit(window, 100 * SECOND)
    window.advance(161 * SECOND - 1)
    assert window.used == 1
    window.advance(161 * SECOND)
    assert window.used == 0


def test_the_wait_is_for_as_many_slots_as_are_needed(window: Window) -> None:
    """More need waits for later slots, and the wait counts from now."""
    for second in (10, 20, 30):
        admit(window, second * SECOND)
    now = 40 * SECOND
    window.advance(now)
    assert window.wait(now, 3, 1) == 31 * SECOND
    assert window.wait(now, 3, 2) == 41 * SECOND
    assert window.wait(now, 3, 3) == 51 * SECOND


def test_an_empty_window_has_nothing_to_wait_for(window: Window) -> None:
    """Where nothing counts, nothing will be given back."""
    assert window.wait(0, 3, 1) == 0


def test_a_debt_waits_until_enough_of_it_has_left(window: Window) -> None:
    """Slots beyond the amount are waited for in turn."""
    admit(window, 0, 5)
    admit(window, 10 * SECOND, 5)
    assert window.wait(10 * SECOND, 5, 1) == 61 * SECOND


def test_an_earlier_instant_is_taken_for_the_latest(window: Window) -> None:
    """A timeline never runs backwards, so an instant that does writes into the current slot."""
    slot = admit(window, 100 * SECOND)
    assert admit(window, 50 * SECOND) == slot


def test_taking_back_frees_the_slot(window: Window) -> None:
    """A slot that was taken back entirely is no instant to wait for."""
    first = admit(window, 0)
    admit(window, 10 * SECOND)
    window.change(first, -1)
    assert window.used == 1
    assert window.wait(10 * SECOND, 1, 1) == 61 * SECOND


def test_what_has_left_cannot_be_taken_back(window: Window) -> None:
    """A refund of a forgotten slot gives nothing."""
    slot = admit(window, 0)
    admit(window, 100 * SECOND)
    window.change(slot, -1)
    assert window.used == 1


def test_no_more_is_taken_back_than_was_written(window: Window) -> None:
    """A slot never counts less than nothing."""
    slot = admit(window, 0, 2)
    window.change(slot, -5)
    assert window.used == 0
    admit(window, 0)
    assert window.used == 1


@pytest.mark.parametrize("seconds", [0.001, 1, 7, 60, 61, 900, 18000, 604800])
def test_sixty_slots_are_never_shorter_than_the_window(seconds: float) -> None:
    """A window that sixty does not divide is rounded up by less than sixty microseconds."""
    assert 0 <= 60 * slot_length(seconds) - microseconds(seconds) < 60


def test_a_window_goes_on_from_what_a_store_remembers() -> None:
    """Stored slots count as if they had been written here, without those that have left since."""
    window = Window(60, {0: 4, 30: 2})
    window.advance(62 * SECOND)
    assert window.used == 2


def test_shares_are_forgotten_when_their_holder_is_silent() -> None:
    """A holder counts until it was not heard of for too long, or gives its shares back."""
    held = {"b": (2, 20), "c": (1, 30)}
    claims = Claims(held, holder="a", expiry=10)
    claims.change(0, 1)
    assert claims.used == 4
    claims.advance(10)
    assert claims.used == 3
    claims.change(0, 1)
    claims.change(0, -1)
    claims.change(0, -1)
    assert claims.used == 3
    claims.advance(20)
    assert held == {"c": (1, 30)}


def test_only_what_is_still_held_is_renewed() -> None:
    """A holder that was forgotten has to take its shares again."""
    held = {"a": (3, 10)}
    claims = Claims(held, holder="a", expiry=50)
    claims.renew()
    assert held == {"a": (3, 50)}
    claims.advance(50)
    claims.renew()
    assert held == {}
