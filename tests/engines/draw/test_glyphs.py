"""Characters that can be drawn."""

import pytest

from rixin.engines.draw.glyphs import breakable, drawable


@pytest.mark.parametrize(
    "text",
    [
        "Tea, 12% — “fine” …",
        "日新：茶文化（一）",
        "日本語のテスト",
        "한국어",
        "Ελληνικά Кириллица",
        "שלום مرحبا",
        "✓ ★ → ①",
    ],
)
def test_scripts_of_the_fonts_stay(text: str) -> None:
    """Latin, Chinese, Japanese, Korean, Greek, Cyrillic, Hebrew, Arabic and common symbols are drawn."""
    assert drawable(text) == (text, False)


@pytest.mark.parametrize(
    ("text", "kept", "lost"),
    [
        ("Party 🎉 time", "Party  time", True),
        ("สวัสดี", "", True),
        ("a\x00\x1b[31mb", "a[31mb", False),
        ("a\u202eb\u2066c\u200d", "abc", False),
        ("x\ufe0f\ufeff", "x", False),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd", False),
        ("e\u0301", "é", False),
    ],
)
def test_others_go_and_are_told_where_they_were_seen(text: str, kept: str, lost: bool) -> None:
    """What is invisible or steers its neighbours goes in silence, what has no glyph is told."""
    assert drawable(text) == (kept, lost)


def test_long_words_may_be_broken() -> None:
    """A word that no column holds gets places to break, others none."""
    assert breakable("short words stay") == "short words stay"
    assert breakable("a" * 50).replace("\u200b", "") == "a" * 50
    assert max(map(len, breakable("a" * 50).split("\u200b"))) < 22
    assert breakable("茶" * 50) == "茶" * 50
