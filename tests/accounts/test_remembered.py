"""What may be forgotten again."""

from rixin.accounts.remembered import Remembered


def test_the_oldest_makes_room() -> None:
    """Beyond its limit the entry that came first is forgotten for a new one."""
    entries: Remembered[int] = Remembered(2)
    for number in range(3):
        entries[b"%d" % number] = number
    assert entries == {b"1": 1, b"2": 2}
