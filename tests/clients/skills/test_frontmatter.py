"""The frontmatter of a SKILL.md: https://agentskills.io/specification."""

import pytest

from rixin.clients.skills.frontmatter import MAX_BYTES, is_name, read_frontmatter
from rixin.errors import RixinError


def read(yaml: str) -> tuple[str, str]:
    """Name and description."""
    found = read_frontmatter(f"---\n{yaml}\n---\nText\n".encode())
    return found.name, found.description


def test_name_and_description() -> None:
    """The two fields that every skill has."""
    assert read("name: pdf-tools2\ndescription: Reads PDFs.") == ("pdf-tools2", "Reads PDFs.")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf---\nname: a\ndescription: b\n---\n",
        b"---\r\nname: a\r\ndescription: b\r\n---\r\n# A\r\n",
        b"--- \nname: a\ndescription: b\n---",
        b"---\nname: a\ndescription: b\n---\ntext\n---\nmore\n",
    ],
)
def test_the_forms_that_editors_leave_behind(text: bytes) -> None:
    """A byte order mark, CRLF, no last line feed, rules in the text."""
    assert read_frontmatter(text).description == "b"


def test_what_sensenova_writes() -> None:
    """Folded and literal texts, triggers, nested metadata and metadata as inline JSON."""
    metadata = '{"openclaw":{"requires":{"bins":["python3"]}}}'
    folded = f"name: sn-a\ndescription: >\n  当用户需要时使用。\n  触发词：搜图\nmetadata: {metadata}"
    assert read(folded) == ("sn-a", "当用户需要时使用。 触发词：搜图")
    literal = (
        "name: sn-b\ndescription: |\n  One.\n  Two.\ntriggers:\n  - x\nmetadata:\n  tier: 0\n  user_visible: false"
    )
    assert read(literal) == ("sn-b", "One.\nTwo.")


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        ("description: b", "`name` is missing"),
        ("name: a", "`description` is missing"),
        ("name: a\ndescription: ''", "`description` must be a text"),
        ("name: a\ndescription: [b]", "`description` must be a text"),
        ("name: 12\ndescription: b", "`name` is 12"),
        ("name: Excel_WorkFlow\ndescription: b", "lower-case letters"),
        ("name: -a\ndescription: b", "lower-case letters"),
        ("name: a--b\ndescription: b", "lower-case letters"),
        ("name: ../a\ndescription: b", "lower-case letters"),
        (f"name: {'a' * 65}\ndescription: b", "1 to 64"),
        (f"name: a\ndescription: {'b' * 1025}", "has 1025 characters; at most 1024"),
        (f"name: a\ndescription: b\ncompatibility: {'c' * 501}", "at most 500"),
        ("name: a\ndescription: b\nmetadata: text", "`metadata` must be a mapping"),
        ("name: a\ndescription: b\nallowed-tools: {a: b}", "`allowed-tools`"),
        ("name: a\ndescription: b\nlicense: [x]", "`license`"),
        ("name: a\ndescription: Use: like this", "no valid YAML in line 3"),
        ("name: a\nname: b\ndescription: c", "no valid YAML"),
        ("- a\n- b", "no mapping"),
        ("just text", "no mapping"),
        ("[" * 2_000, "no valid YAML"),
        (f"name: a\ndescription: {'b' * MAX_BYTES}", "more than"),
        ("name: !!python/object/apply:os.system ['true']\ndescription: b", "no valid YAML|`name` is"),
    ],
)
def test_what_is_wrong_is_named(yaml: str, problem: str) -> None:
    """Each limit of the format has its sentence."""
    with pytest.raises(RixinError, match=problem):
        read(yaml)


@pytest.mark.parametrize(
    "text", [b"# Title\n", b"", b"---\nname: a\n", b" ---\nname: a\n---\n", b"---\nname: \xff\n---\n"]
)
def test_a_file_without_frontmatter(text: bytes) -> None:
    """It must begin the file, must end, and is UTF-8."""
    with pytest.raises(RixinError, match=r"no frontmatter|not UTF-8"):
        read_frontmatter(text)


def test_all_problems_are_told_at_once() -> None:
    """Whoever mends a skill sees everything in one go."""
    with pytest.raises(RixinError, match=r"`name` is missing; `description` is missing"):
        read("license: MIT")


def test_aliases_do_not_grow() -> None:
    """The bomb of aliases that double is parsed in no time, or refused."""
    lines = ["a0: &a0 [x]", *(f"a{index}: &a{index} [*a{index - 1}, *a{index - 1}]" for index in range(1, 40))]
    assert read("\n".join([*lines, "name: a", "description: b"])) == ("a", "b")


@pytest.mark.parametrize("name", ["a", "a1", "sn-image-base", "a" * 64])
def test_names(name: str) -> None:
    """A name is safe as a folder's name."""
    assert is_name(name)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\n", "A", "é", "a-", "a" * 65])
def test_what_is_no_name(name: str) -> None:
    """Nothing that could lead elsewhere is one."""
    assert not is_name(name)
