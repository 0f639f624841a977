"""The rules for what a skill may consist of."""

import ntpath
import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.clients.skills.entries import (
    MAX_BYTES,
    MAX_FILES,
    MAX_LISTED,
    Entry,
    EntryKind,
    check,
    check_listed,
    path_problem,
)
from rixin.errors import RixinError
from tests.clients.skills.sources import file


@pytest.mark.parametrize(
    "path", ["SKILL.md", "a/b/c.py", ".hidden/x", "数据/说明.md", "a b/c.txt", "..a", "a..b", "con.md"]
)
def test_plain_paths_are_taken(path: str) -> None:
    """Ordinary names pass, in any script."""
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("../x", "leaves its folder"),
        ("a/../../x", "leaves its folder"),
        ("/etc/passwd", "leaves its folder"),
        ("a//b", "leaves its folder"),
        ("./a", "leaves its folder"),
        ("", "leaves its folder"),
        ("a\\..\\b", "backslash"),
        ("C:/x", "backslash or colon"),
        ("a\x00b", "control"),
        ("a\nb", "control"),
        (".g\u200cit/config", "control"),
        ("a/.git/hooks/post-checkout", "git repository"),
        (".GIT/config", "git repository"),
        ("GIT~1/config", "git repository"),
        (".git /x", "dot or space"),
        ("a./x", "dot or space"),
        ("/".join("abcdefghijklmnopqrstuvwxyzabcdefgh"), "folders deep"),
    ],
)
def test_paths_that_could_mean_another_place_are_refused(path: str, problem: str) -> None:
    """Traversal, absolute paths, git's own folder in all its spellings, and what other systems read differently."""
    with pytest.raises(RixinError, match=problem):
        check([file(path)])


@given(st.text(alphabet=st.sampled_from("./\\:~ ab\x00\u200c"), max_size=12))
def test_no_path_that_passes_leads_elsewhere(path: str) -> None:
    """Read by the rules of either family of systems, it stays below the folder that it is joined to."""
    if path_problem(path) is None:
        assert posixpath.normpath(posixpath.join("/base", path)).startswith("/base/")
        assert ntpath.normpath(ntpath.join("C:\\base", path)).startswith("C:\\base\\")


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind is not EntryKind.FILE])
def test_only_files_are_taken(kind: EntryKind) -> None:
    """Links, devices and submodules are refused by name."""
    with pytest.raises(RixinError, match=f"'a/b' is a {kind.value}"):
        check([file("SKILL.md"), Entry(path="a/b", kind=kind)])


@pytest.mark.parametrize(
    "paths",
    [
        ("README.md", "readme.md"),
        ("A/x", "a/y"),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a", "a"),
    ],
)
def test_names_that_collide_somewhere_are_refused(paths: tuple[str, str]) -> None:
    """What ignoring case or composing letters differently makes one, and a file where a folder is."""
    with pytest.raises(RixinError, match=r"ignore case|there twice"):
        check([file(path) for path in paths])


def test_folders_of_one_spelling_do_not_collide() -> None:
    """Many files in one folder are no collision."""
    check([file(f"a/b/{index}") for index in range(1000)])


def test_sizes_are_limited() -> None:
    """Too many files, too many bytes and far too many entries are refused before anything is read."""
    with pytest.raises(RixinError, match=f"at most {MAX_FILES}"):
        check([file(str(index)) for index in range(MAX_FILES + 1)])
    with pytest.raises(RixinError, match=f"at most {MAX_BYTES}"):
        check([file("a", MAX_BYTES), file("b")])
    with pytest.raises(RixinError, match=f"more than {MAX_LISTED}"):
        check_listed(MAX_LISTED + 1)
    check_listed(MAX_LISTED)


def test_an_error_names_the_first_few() -> None:
    """A tree full of links gives a message that can be read."""
    with pytest.raises(RixinError) as caught:
        check([Entry(path=f"link{index}", kind=EntryKind.LINK) for index in range(50)])
    assert "'link4'" in caught.value.message
    assert "'link5'" not in caught.value.message
    assert "and 45 more" in caught.value.message
