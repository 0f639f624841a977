"""What was made lately."""

from rixin.media.recent import Recent


def test_the_latest_used_are_kept():
    """What was not asked for longest goes, as soon as there is too much."""
    recent = Recent[str](10)
    recent.put(b"1", "first", 4)
    recent.put(b"2", "second", 4)
    assert recent.get(b"1") == "first"
    recent.put(b"3", "third", 3)
    assert recent.get(b"2") is None
    assert recent.get(b"1") == "first"
    assert recent.get(b"3") == "third"


def test_what_is_put_again_counts_once():
    """Two requests may decode the same image at the same time."""
    recent = Recent[str](10)
    for _ in range(5):
        recent.put(b"1", "first", 6)
    recent.put(b"2", "second", 4)
    assert recent.get(b"1") == "first"
    assert recent.get(b"2") == "second"


def test_what_is_too_large_is_not_kept():
    """And drives nothing else out."""
    recent = Recent[str](10)
    recent.put(b"1", "first", 10)
    recent.put(b"2", "second", 11)
    assert recent.get(b"1") == "first"
    assert recent.get(b"2") is None
