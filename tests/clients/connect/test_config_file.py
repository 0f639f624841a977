"""Files that are changed whole and given back to the byte."""

import stat
from pathlib import Path

import pytest

from rixin.clients.connect.config_file import ConfigFile, text_of


def add(line: str, file: ConfigFile) -> None:
    """Lets a file end with one more line."""
    file.apply(file.prepare(lambda text: text if line in text else f"{text}{line}\n"))


def names(directory: Path) -> list[str]:
    """What is in a directory."""
    return [path.name for path in directory.iterdir()]


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "data", [b"a\nb\n", b"no line end", b"\xef\xbb\xbfa\r\nb\r\n", b"mixed\r\nlines\n", b"", b"\n\n \n"]
)
def test_what_was_there_is_given_back_to_the_byte(tmp_path: Path, data: bytes) -> None:
    """Whatever its line ends and marks are; nothing of ours stays behind."""
    file = ConfigFile(tmp_path / "config")
    file.path.write_bytes(data)
    file.path.chmod(0o640)
    add("ours", file)
    add("more", file)
    assert file.path.read_bytes() != data
    assert mode(file.path) == 0o600
    file.restore()
    assert file.path.read_bytes() == data
    assert mode(file.path) == 0o640
    assert names(tmp_path) == ["config"]


def test_a_file_that_was_not_there_goes_again(tmp_path: Path) -> None:
    """It and its directory are made for the owner only."""
    file = ConfigFile(tmp_path / "new" / "config")
    add("ours", file)
    assert (mode(file.path), mode(file.path.parent)) == (0o600, 0o700)
    file.restore()
    assert not list((tmp_path / "new").iterdir())


def test_byte_order_mark_and_line_ends_stay(tmp_path: Path) -> None:
    """A file of Windows stays one."""
    file = ConfigFile(tmp_path / "config")
    file.path.write_bytes(b"\xef\xbb\xbfa\r\nb\r\n")
    assert text_of(file.read()) == "a\nb\n"
    add("ours", file)
    assert file.path.read_bytes() == b"\xef\xbb\xbfa\r\nb\r\nours\r\n"


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    """A configuration that is kept with others in one place stays there; nothing of ours is put beside it."""
    kept = tmp_path / "dotfiles" / "config"
    kept.parent.mkdir()
    kept.write_bytes(b"a\n")
    file = ConfigFile(tmp_path / "home" / "config")
    file.path.parent.mkdir()
    file.path.symlink_to(kept)
    add("ours", file)
    assert file.path.is_symlink()
    assert kept.read_bytes() == b"a\nours\n"
    assert names(kept.parent) == ["config"]
    file.restore()
    assert file.path.is_symlink()
    assert kept.read_bytes() == b"a\n"


def test_later_edits_are_known_and_stay_when_it_is_wired_again(tmp_path: Path) -> None:
    """What only we wrote and no longer want goes; what somebody else wrote stays, and is told apart."""
    file = ConfigFile(tmp_path / "config")
    file.path.write_bytes(b"a\n")
    add("ours", file)
    assert file.read() == file.written()
    add("other", file)
    assert file.read() == b"a\nother\n"
    file.path.write_bytes(b"a\nother\nmine\n")
    add("third", file)
    assert file.read() == b"a\nother\nmine\nthird\n"
    assert file.written() == b"a\nthird\n"
    file.restore()
    assert file.read() == b"a\n"


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """Nor does a change that a user made by hand already leave marks."""
    file = ConfigFile(tmp_path / "config")
    file.path.write_bytes(b"ours\n")
    assert not file.prepare(lambda text: text).needed
    add("more", file)
    assert not file.prepare(lambda text: text if "more" in text else f"{text}more\n").needed


def test_a_file_that_cannot_be_written_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """The error comes before the first byte is changed."""
    target = tmp_path / "config"
    target.mkdir()
    file = ConfigFile(target)
    with pytest.raises(OSError, match="directory"):
        file.prepare(str)
    assert names(tmp_path) == ["config"]
