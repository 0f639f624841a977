"""How documents are cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rixin.core.estimate import estimate_text
from rixin.knowledge.chunking import cut
from rixin.media.jobs import Block

TEXTS = st.text(st.sampled_from("ab 。. \n这是？中文,x!"), max_size=600)


def test_headings_begin_passages_and_stand_above_them() -> None:
    """Down to the next heading of the same level or above."""
    blocks = [
        Block(text="before"),
        Block(text="Manual", level=1),
        Block(text="Leave", level=2),
        Block(text="Ask early."),
        Block(text="Travel", level=2),
        Block(text="Keep receipts."),
        Block(text="Annex", level=1),
        Block(text="Maps."),
    ]
    assert [(passage.heading, passage.text) for passage in cut(blocks)] == [
        ("", "before"),
        ("Manual > Leave", "Ask early."),
        ("Manual > Travel", "Keep receipts."),
        ("Annex", "Maps."),
    ]


def test_paragraphs_stay_whole_where_they_can() -> None:
    """A passage ends between two of them rather than within one."""
    paragraphs = [f"{number} " + "word " * 15 for number in range(6)]
    passages = list(cut([Block(text="\n\n".join(paragraphs))], size=50, overlap=5))
    assert len(passages) > 1
    for paragraph in paragraphs:
        assert any(paragraph.strip() in passage.text for passage in passages)


def test_what_goes_on_begins_with_the_sentences_before() -> None:
    """In Chinese as well, where no space follows a sentence."""
    sentences = [f"第{number}条规定如下请各位遵守。" for number in range(20)]
    passages = list(cut([Block(text="".join(sentences))], size=60, overlap=20))
    for before, after in pairwise(passages):
        assert after.text.startswith(before.text.split("。")[-2])


def test_pages_are_told() -> None:
    """The one on which a passage begins."""
    blocks = [Block(text="one " * 40, page=1), Block(text="two " * 40, page=2)]
    assert [passage.page for passage in cut(blocks, size=45, overlap=0)] == [1, 2]


@given(st.lists(st.tuples(TEXTS, st.integers(0, 2)), max_size=6), st.integers(20, 60))
def test_nothing_is_lost_and_nothing_too_long(blocks: list[tuple[str, int]], size: int) -> None:
    """Every character that is seen is in some passage, in order; no passage is longer than is allowed, by much."""
    made = [Block(text=text, level=level if text.strip() else 0) for text, level in blocks]
    passages = list(cut(made, size=size, overlap=5))
    assert all(passage.text.strip() == passage.text != "" for passage in passages)
    assert all(estimate_text(passage.text) <= size + 5 for passage in passages)
    joined = "".join("".join(passage.text.split()) for passage in cut(made, size=size, overlap=0))
    assert joined == "".join("".join(block.text.split()) for block in made if not block.level)
