"""The table of errors."""

from rixin.errors import MEANINGS, Kind, RixinError


def test_every_kind_has_a_meaning() -> None:
    """No error can be raised that the table does not know."""
    assert set(MEANINGS) == set(Kind)


def test_statuses_are_errors_and_levels_are_levels() -> None:
    """A meaning can be sent and logged."""
    for meaning in MEANINGS.values():
        assert 400 <= meaning.status < 600
        assert meaning.log_level in {"debug", "info", "warning", "error"}


def test_an_error_reads_its_meaning_from_the_table() -> None:
    """Status, retry and level are not chosen where an error is raised."""
    error = RixinError(Kind.QUEUE_FULL, "busy")
    assert (error.status, error.retryable, error.log_level) == (429, True, "warning")


def test_o4_what_nobody_may_read_is_concealed() -> None:
    """In the message, in the detail and in what Python prints; a short text is an ordinary word and stays."""
    error = RixinError(Kind.INVALID_REQUEST, "no key abcdefgh-1, team", detail="key abcdefgh-1 is not abcdefgh")
    error.conceal(["team", "abcdefgh", "abcdefgh-1"])
    assert (error.message, error.detail, str(error)) == ("no key ***, team", "key *** is not ***", "no key ***, team")
