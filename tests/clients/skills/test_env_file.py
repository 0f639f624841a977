"""Files of variables, changed in place."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.clients.skills.env_file import read_text, replace_text, variables, with_variables
from rixin.errors import RixinError
from tests.clients.skills.sources import NOW

VALUES = {"SN_API_KEY": "sk-rx-1", "SN_BASE_URL": "http://127.0.0.1:8700/v1"}
BOTH = "SN_API_KEY=sk-rx-1\nSN_BASE_URL=http://127.0.0.1:8700/v1\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", BOTH),
        ("OTHER=1\n", f"OTHER=1\n{BOTH}"),
        ("OTHER=1", f"OTHER=1\n{BOTH}"),
        ("# SN_API_KEY=old\n", f"# SN_API_KEY=old\n{BOTH}"),
        ("# a\n\nSN_BASE_URL=x # why\nOTHER = ' y '\nSN_API_KEY=\n",
         "# a\n\nSN_BASE_URL=http://127.0.0.1:8700/v1\nOTHER = ' y '\nSN_API_KEY=sk-rx-1\n"),
        ("export SN_API_KEY = 'old'\nSN_API_KEY=older\n",
         "export SN_API_KEY = sk-rx-1\nSN_API_KEY=sk-rx-1\nSN_BASE_URL=http://127.0.0.1:8700/v1\n"),
        ("A=1\r\nSN_API_KEY=x\r\n", "A=1\r\nSN_API_KEY=sk-rx-1\r\nSN_BASE_URL=http://127.0.0.1:8700/v1\r\n"),
        ('PEM="one\nSN_API_KEY=inside\n"\nSN_API_KEY="two\nlines"\n',
         'PEM="one\nSN_API_KEY=inside\n"\nSN_API_KEY=sk-rx-1\nSN_BASE_URL=http://127.0.0.1:8700/v1\n'),
        ("A='it\nSN_API_KEY=x\n", "A='it\nSN_API_KEY=sk-rx-1\nSN_BASE_URL=http://127.0.0.1:8700/v1\n"),
        (BOTH, BOTH),
        ("not a variable\n\f\x0b\u2028=\n", f"not a variable\n\f\x0b\u2028=\n{BOTH}"),
        ("SN_API_KEY_OLD=x\nMY_SN_API_KEY=y\n", f"SN_API_KEY_OLD=x\nMY_SN_API_KEY=y\n{BOTH}"),
    ],
)  # fmt: skip
def test_only_the_variables_change(before: str, after: str) -> None:
    """Comments, order, line ends, other values and what is no assignment stay to the byte; again changes nothing."""
    assert with_variables(before, VALUES) == after
    assert with_variables(after, VALUES) == after


@given(st.text(alphabet="AB=# \t\r\n'\"`\\export$x", max_size=60))
def test_any_text_keeps_what_is_not_set(before: str) -> None:
    """What was there stays in front, each variable comes to be there, and again changes nothing."""
    after = with_variables(before, VALUES)
    assert after.startswith(before.rstrip("\r\n"))
    assert {*variables(before), *VALUES} == variables(after)
    assert with_variables(after, VALUES) == after


@pytest.mark.parametrize(
    ("value", "written"),
    [("a b", "'a b'"), ("a#b", "'a#b'"), ("${HOME}", "'${HOME}'"), ('a"b', "'a\"b'"), ("a\\n", "'a\\n'")],
)
def test_values_that_readers_would_take_apart_are_quoted(value: str, written: str) -> None:
    """Single quotes mean the same to every reader: the text as it is."""
    assert with_variables("", {"A": value}) == f"A={written}\n"


@pytest.mark.parametrize("value", ["", "a'b", "a\nB=c", "a\rb", "a\x00b"])
def test_values_that_cannot_be_written_are_refused(value: str) -> None:
    """Nothing smuggles in another line; the message does not hold the value."""
    with pytest.raises(RixinError, match="the value for A is empty or holds") as caught:
        with_variables("", {"A": value})
    assert not value or value not in caught.value.message


def test_a_quote_without_end_swallows_nothing() -> None:
    """Where the quotes of a value would end an earlier one, the file is left alone."""
    with pytest.raises(RixinError, match="a quote in the file has no end"):
        with_variables("A='x\n", {"B": "two words"})


def test_the_names_of_a_file() -> None:
    """Those that are set to something."""
    assert variables("A=1\nexport B='x\ny'\n# C=1\nD=\nE= \n") == {"A", "B"}


def test_a_new_file_is_its_owners(tmp_path: Path) -> None:
    """It and the folder it needs are readable by nobody else; nothing is backed up."""
    path = tmp_path / "home" / ".env"
    assert read_text(path) is None
    assert replace_text(path, BOTH, NOW) is None
    assert read_text(path) == BOTH
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_is_kept_as_a_copy(tmp_path: Path) -> None:
    """What was there is beside it, readable by its owner only; the file keeps who may read it."""
    path = tmp_path / ".env"
    path.write_bytes(b"SECRET=1\r\n")
    path.chmod(0o640)
    backup = replace_text(path, BOTH, NOW)
    assert backup is not None
    assert backup == tmp_path / ".env.20261122T000000Z.bak"
    assert backup.read_bytes() == b"SECRET=1\r\n"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(item.name for item in tmp_path.iterdir()) == [".env", backup.name]


def test_a_link_stays_one(tmp_path: Path) -> None:
    """People keep such files elsewhere and link to them."""
    real = tmp_path / "dotfiles" / "env"
    real.parent.mkdir()
    real.write_text("A=1\n")
    link = tmp_path / ".env"
    link.symlink_to(real)
    replace_text(link, BOTH, NOW)
    assert link.is_symlink()
    assert real.read_text() == BOTH


def test_what_is_no_text_is_left_alone(tmp_path: Path) -> None:
    """A file in another encoding would be ruined."""
    path = tmp_path / ".env"
    path.write_bytes(b"A=\xff\xfe")
    with pytest.raises(RixinError, match="not UTF-8, so it was left alone"):
        read_text(path)
    with pytest.raises(RixinError, match="Is a directory"):
        read_text(tmp_path)
