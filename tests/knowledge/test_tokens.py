"""What texts are found by."""

import pytest

from rixin.knowledge.tokens import query_tokens, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Ferry, at noon!", ["the", "ferry", "at", "noon"]),
        ("知识库", ["知识", "识库"]),
        ("第3号码头A区", ["第", "3", "号码", "码头", "a", "区"]),
        ("カタカナ한국어", ["カタ", "タカ", "カナ", "ナ한", "한국", "국어"]),
        ("ZX-4471 v1.2", ["zx", "4471", "zx4471", "v1", "2", "v12"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("x" * 65, []),
        ("…!?", []),
    ],
)
def test_texts_are_cut_into_tokens(text: str, expected: list[str]) -> None:
    """Words where there are spaces, pairs of characters where there are none."""
    assert tokens(text) == expected


def test_questions_have_each_telling_word_once() -> None:
    """Unless there is no other."""
    assert query_tokens("Where is the ferry, the ferry?") == ["ferry"]
    assert query_tokens("What is this?") == ["what", "is", "this"]
    assert len(query_tokens(" ".join(f"w{number}" for number in range(100)), most=10)) == 10
