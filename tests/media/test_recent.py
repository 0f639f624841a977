"""Images that were decoded lately."""

from rixin.media.jobs import Picture, Still
from rixin.media.recent import Recent


def still(size: int) -> Still:
    """An image of so many bytes of base64."""
    return Still(picture=Picture("image/png", "A" * size), size=1, reduced=False, animated=False)


def test_the_latest_used_are_kept():
    """What was not asked for longest goes, as soon as there is too much."""
    recent = Recent(10)
    first, second, third = still(4), still(4), still(3)
    recent.put(b"1", first)
    recent.put(b"2", second)
    assert recent.get(b"1") is first
    recent.put(b"3", third)
    assert recent.get(b"2") is None
    assert recent.get(b"1") is first
    assert recent.get(b"3") is third


def test_what_is_put_again_counts_once():
    """Two requests may decode the same image at the same time."""
    recent = Recent(10)
    for _ in range(5):
        recent.put(b"1", still(6))
    recent.put(b"2", still(4))
    assert recent.get(b"1") is not None
    assert recent.get(b"2") is not None


def test_what_is_too_large_is_not_kept():
    """And drives nothing else out."""
    recent = Recent(10)
    recent.put(b"1", still(10))
    recent.put(b"2", still(11))
    assert recent.get(b"1") is not None
    assert recent.get(b"2") is None
