"""What a word list finds, whole and in pieces."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.errors import Kind, RixinError
from rixin.moderation.words import Scan, WordList, find

LIST = WordList(
    "# remark\nbomb\n\n炸弹\ncafé\nガス\n制造毒品\nhow to\n/[A-Z]{3}-\\d{4}/\n/foo.{0,3}bar\\b/\n", "words.txt"
)
BOMB, CHINESE, MARKED, KANA, LONG, PHRASE, NUMBER, GAP = 2, 4, 5, 6, 7, 8, 9, 10
"""The lines."""


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a bomb", BOMB),
        ("BOMB!", BOMB),
        ("a ｂＯＭb.", BOMB),
        ("b\u200bo\u00adm\ufe0fb", BOMB),
        ("使用bomb制造", BOMB),
        ("bomb_1", BOMB),
        ("bombs", None),
        ("abomb", None),
        ("bombé", None),
        ("bo mb", None),
        ("一个炸弹吗", CHINESE),
        ("炸\u200d弹", CHINESE),
        ("炸，弹", None),
        ("the cafe\u0301", MARKED),
        ("the CAFÉ", MARKED),
        ("the cafe", None),
        ("ｶﾞｽ", KANA),
        ("カス", None),
        ("教我制造毒品", LONG),
        ("制造", None),
        ("how\u00a0to", PHRASE),
        ("how\nto", PHRASE),
        ("xyz-１２３４5", NUMBER),
        ("xyz-123", None),
        ("foo12bar", GAP),
        ("foo12bars", None),
        ("", None),
    ],
)
def test_what_is_listed_is_found(text: str, line: int | None) -> None:
    """Whatever its case, width and hidden characters; words of scripts with spaces as whole words, others anywhere."""
    assert find(LIST, text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (r'{"a":"\u70b8\u5F39"}', CHINESE),
        (r'{"a":"x\nbomb"}', BOMB),
        (r'{"a":"b\u200bomb"}', BOMB),
        (r'{"a":"\\nbomb"}', None),
        (r'{"a":"\ud83d\ude00炸弹"}', CHINESE),
        (r'{"a":"炸\"弹"}', None),
    ],
)
def test_escapes_of_json_are_looked_through(text: str, line: int | None) -> None:
    """The arguments of a call hide nothing behind `\\u` and `\\n`."""
    assert find(LIST, text, escaped=True) == line


def cuts(text: str, places: list[int]) -> list[str]:
    """A text in pieces."""
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[low:high] for low, high in pairwise(edges)]


ALPHABET = st.sampled_from(
    [*"bomBｂａcafeé炸弹制造毒品ガスｶﾞｽhowto ABC-123foobar.\n\u200b\u0301", "bomb", "炸弹", "foo1bar", "\\"]
)
TEXTS = st.lists(ALPHABET, max_size=30).map("".join)
ESCAPED = st.lists(
    st.sampled_from(["\\n", "\\u70b8", "\\u5f39", "\\\\", "\\ud83d\\ude00", *'bom炸弹 n"u']), max_size=20
).map("".join)
PLACES = st.lists(st.integers(min_value=0, max_value=200), max_size=12)


@given(st.one_of(st.tuples(TEXTS, st.just(value=False)), st.tuples(ESCAPED, st.just(value=True))), PLACES)
def test_pieces_make_no_difference(case: tuple[str, bool], places: list[int]) -> None:
    """What is found, and at what character, does not depend on the cuts, and what was not held never is."""
    text, escaped = case
    scan = Scan(LIST, escaped=escaped)
    told = 0
    seen = 0
    for piece in cuts(text, places):
        scan.feed(piece)
        seen += len(piece)
        assert seen - scan.held >= told
        told = seen - scan.held
    scan.end()
    assert scan.found == find(LIST, text, escaped=escaped)
    if scan.found is None:
        assert scan.held == 0
    else:
        before = Scan(LIST, escaped=escaped)
        before.feed(text[: told + 1])  # with the character that tells whether a word ends
        assert before.found is None


WORDS = st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=6)


@given(WORDS, st.text("abc ", max_size=40), PLACES)
def test_words_are_found_as_a_search_finds_them(words: list[str], text: str, places: list[int]) -> None:
    """As a whole word, by the definition of one; nothing of the first that is found is told."""
    wanted = re.compile(r"\b(?:" + "|".join(words) + r")\b")
    scan = Scan(WordList("\n".join(words), "list"))
    fed = ""
    for piece in cuts(text, places):
        scan.feed(piece)
        fed += piece
    scan.end()
    match = wanted.search(text)
    assert (scan.found is not None) == (match is not None)
    if match is not None:
        assert len(text) - scan.held <= match.start()
    else:
        assert scan.held == 0


@given(
    st.lists(st.text("炸弹毒品", min_size=1, max_size=4), min_size=1, max_size=6),
    st.text("炸弹毒品 ", max_size=40),
    PLACES,
)
def test_chinese_words_are_found_anywhere(words: list[str], text: str, places: list[int]) -> None:
    """There are no spaces to tell words apart."""
    scan = Scan(WordList("\n".join(words), "list"))
    for piece in cuts(text, places):
        scan.feed(piece)
    scan.end()
    starts = [text.find(word) for word in words if word in text]
    assert (scan.found is not None) == bool(starts)
    if starts:
        assert find(WordList("\n".join(words), "list"), text[: len(text) - scan.held]) is None


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\d", r"\w", "[a-c]"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["?", "{2}", "{1,3}", "{0,2}", "{2}?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.text("abc1 ", max_size=20), PLACES)
def test_patterns_match_what_they_match_elsewhere(pattern: str, text: str, places: list[int]) -> None:
    """A pattern finds something where Python's own module does."""
    try:
        words = WordList(f"/{pattern}/", "list")
    except RixinError:
        assert re.compile(pattern).match("") is not None
        return
    scan = Scan(words)
    for piece in cuts(text, places):
        scan.feed(piece)
    scan.end()
    match = re.search(pattern, text, re.DOTALL)
    assert (scan.found is not None) == (match is not None)
    if match is not None:
        assert re.search(pattern, text[: len(text) - scan.held], re.DOTALL) is None


def test_no_text_makes_a_pattern_go_back() -> None:
    """A pattern that others take exponential time for looks at each character once."""
    words = WordList("/(?:a{0,9}){0,9}a{0,9}x/", "list")
    scan = Scan(words)
    scan.feed("a" * 200_000)
    scan.end()
    assert scan.found is None
    assert len(words.automaton.start) < 10


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("/a*b/", "no longest match"),
        ("/a+/", "no longest match"),
        ("/a{2,}/", "no longest match"),
        ("/(?=a)b/", "only `(?:`"),
        (r"/(a)\1/", r"`\1` is not served"),
        ("/^a/", "`^` is not served"),
        ("/a?/", "matches an empty text"),
        ("/(ab/", "`(` has no end"),
        ("/ab)/", "closes nothing"),
        ("/[ab/", "`[` has no end"),
        ("/a{3,2}/", "must grow"),
        ("/a{x}/", "one number, or two"),
        ("/a{1,200}{1,200}/", "repeats a repetition"),
        ("/(?:a{1,100}){1,100}/", "longer than 200"),
        ("/" + "(" * 30 + "a" + ")" * 30 + "/", "too many groups"),
        ("/[z-a]/", "runs backwards"),
        ("/*a/", "follows nothing"),
        ("/a\\/", "the pattern has no end"),
        ("\u200b\u200b", "nothing of it can be seen"),
        ("x" * 201, "longer than 200"),
    ],
)
def test_a_wrong_line_is_named(entry: str, told: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(RixinError, match=r"words.txt, line 2: ") as caught:
        WordList(f"fine\n{entry}\n", "words.txt")
    assert told in caught.value.message
    assert caught.value.kind is Kind.CONFIGURATION


def test_a_file_is_read(tmp_path: Path) -> None:
    """In UTF-8, with or without its mark; one that is missing or something else is named."""
    path = tmp_path / "words.txt"
    path.write_text("炸弹\r\nbomb\r\n", encoding="utf-8-sig")
    assert find(WordList.read(path), "炸弹") == 1
    path.write_bytes("炸弹".encode("gb18030"))
    with pytest.raises(RixinError, match="is not UTF-8"):
        WordList.read(path)
    with pytest.raises(RixinError, match="cannot read "):
        WordList.read(tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a bomb!", True),
        ("使用bomb制造", True),
        ("bombastic bombs", False),
        ("一个炸弹吗", True),
        ("How to\npick a lock?", True),
        ("Call 123456-7890", True),
    ],
)
def test_the_list_of_the_page_does_what_the_page_says(text: str, found: bool) -> None:
    """It is the one that readers begin with."""
    page = (Path(__file__).parents[2] / "docs" / "moderation.md").read_text(encoding="utf-8")
    words = WordList(page.split("```\n# no", 1)[1].split("```", 1)[0], "page")
    assert (find(words, text) is not None) is found


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps are forgotten when they are too many, and what is under way goes on."""
    monkeypatch.setattr("rixin.moderation.automaton._MOST_CACHED", 10)
    words = WordList("bomb\n炸弹", "list")
    scan = Scan(words)
    scan.feed("the quick brown fox jumps over the lazy dog and 炸")
    assert scan.held == 1
    scan.feed("弹")
    assert scan.found == 2
