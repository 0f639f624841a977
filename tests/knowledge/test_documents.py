"""What is indexed of files."""

import json

import pytest

from rixin.errors import Kind, RixinError
from rixin.knowledge.documents import Bounds, Source, passages_of


def read(data: bytes | str, media_type: str = "text/plain", bounds: Bounds | None = None) -> list[tuple[str, str]]:
    """Headings and texts of passages."""
    source = Source(media_type, data.encode() if isinstance(data, str) else data)
    return [(passage.heading, passage.text) for passage in passages_of(source, None, bounds or Bounds())]


def test_markdown_is_cut_at_its_headings() -> None:
    """A number sign in a fenced block is none, nor one without a space."""
    text = "# Guide\n\nHello.\n\n## Set-up ##\n```sh\n# no heading\n```\n#tag\n\n# End\nBye."
    assert read(text, "text/markdown") == [
        ("Guide", "Hello."),
        ("Guide > Set-up", "```sh\n# no heading\n```\n#tag"),
        ("End", "Bye."),
    ]


def test_plain_text_has_no_headings() -> None:
    """Whatever its lines begin with."""
    assert read("\ufeff# Guide\r\n\r\nHello.") == [("", "# Guide\n\nHello.")]


def test_the_platforms_form_is_questions_and_texts() -> None:
    """Each wording of a question leads to its one answer, which is found by all of them."""
    body = {"qa_lst": [{"std_q": "Q", "simi_qs": ["R", "Q"], "answer": "A"}], "text_lst": ["T"]}
    passages = passages_of(Source("application/json", json.dumps(body).encode()), None, Bounds())
    assert [(each.entry, each.question, each.text, each.answer, each.tokens) for each in passages] == [
        (0, False, "Q\nA", "A", "q r a"),
        (0, True, "Q", "A", ""),
        (0, True, "R", "A", ""),
        (3, False, "T", None, "t"),
    ]


@pytest.mark.parametrize("body", ['{"rows": [1, 2]}', '["a", "b"]'])
def test_other_json_is_text(body: str) -> None:
    """It is found by its words like any other."""
    assert read(body, "application/json") == [("", body)]


@pytest.mark.parametrize(
    ("data", "media_type", "said"),
    [
        (b"\xff\xfe\x00", "text/plain", "UTF-8"),
        (b"{", "application/json", "no JSON"),
        (b'{"text_lst": "x"}', "application/json", "text_lst"),
        (b'{"qa_lst": [{"std_q": "x"}]}', "application/json", "answer"),
        (b'{"text_lst": []}', "application/json", "no text"),
        (b" \n", "text/plain", "no text"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, media_type: str, said: str) -> None:
    """To whoever sent it."""
    with pytest.raises(RixinError, match=said) as caught:
        read(data, media_type)
    assert caught.value.kind is Kind.INVALID_REQUEST


def test_a_document_may_not_have_too_many_passages() -> None:
    """It is refused as a whole, rather than found in part."""
    with pytest.raises(RixinError, match="no more than 2 passages"):
        read("# a\nx\n# b\ny\n# c\nz", "text/markdown", Bounds(passages=2))
