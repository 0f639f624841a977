"""Long conversations, put so that a model can sum them up."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.conversations.compaction import INSTRUCTION, most_asked, summarise, transcript
from rixin.core.estimate import estimate_inputs, estimate_text
from rixin.core.messages import (
    DocumentPart,
    ImagePart,
    Message,
    Opaque,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
    VideoPart,
)
from rixin.errors import Kind, RixinError

LOOK = ToolCall(id="c1", name="look", arguments='{"at":1}')
TALK = (
    Message(role="system", parts=(TextPart("You are an agent."),)),
    Message(role="user", parts=(TextPart("Find the nonce."), ImagePart(url="data:image/png;base64,AAAA"))),
    Message(role="assistant", parts=(ReasoningPart(text="hm"), TextPart("I look."), LOOK)),
    Message(role="tool", parts=(ToolResult(call_id="c1", parts=(TextPart("4711"),), is_error=True),)),
    Message(role="user", parts=(VideoPart(url="u"), DocumentPart(text="a page", name="a.txt"))),
    Message(role="assistant", parts=(RefusalPart("No."), Opaque(dialect="d", kind="k", value=1))),
)


class Model:
    """Answers with a summary of so many words, and keeps what it was asked."""

    def __init__(self, answer: str = "The nonce is 4711.", window: int | None = None) -> None:
        self.prompts: list[str] = []
        self._answer = answer
        self._window = window

    async def ask(self, prompt: str) -> str:
        """An answer; an overflow where the prompt does not fit."""
        if self._window is not None and estimate_text(prompt) > self._window:
            raise RixinError(Kind.CONTEXT_OVERFLOW, "too long", limit=self._window, requested=10**6)
        self.prompts.append(prompt)
        return self._answer


def test_k1_a_transcript_tells_who_said_and_did_what() -> None:
    """Calls and results in words; system prompts, thoughts and what nobody understands are left out."""
    assert [*transcript(TALK)] == [
        "user: Find the nonce.",
        "user: [an image]",
        "assistant: I look.",
        'assistant: [calls look (c1) with {"at":1}]',
        "tool: [result of c1: error: 4711]",
        "user: [a video]",
        "user: [a document: a.txt] a page",
        "assistant: No.",
    ]


async def test_k1_what_fits_is_summed_up_in_one_go() -> None:
    """With all of the conversation in the prompt."""
    for window in (None, 100_000):
        model = Model("  The nonce is 4711.\n")
        assert await summarise(TALK, window, model.ask) == "The nonce is 4711."
        [prompt] = model.prompts
        assert prompt.startswith(INSTRUCTION)
        assert all(line in prompt for line in transcript(TALK))


async def test_k4_what_is_too_long_is_read_in_pieces_that_fit() -> None:
    """Each is summed up alone, and their summaries together; every line is read exactly once."""
    lines = [f"line {number} " + "word " * 100 for number in range(100)]
    model = Model(window=4000)
    talk = [Message(role="user", parts=(TextPart(line),)) for line in lines]
    assert await summarise(talk, 4000, model.ask) == "The nonce is 4711."
    *parts, last = model.prompts
    assert len(parts) >= 4
    assert all(sum(f"user: {line}" in prompt for prompt in parts) == 1 for line in lines)
    assert last.count("The nonce is 4711.") == len(parts)


async def test_k4_a_window_that_only_the_overflow_tells_is_learned() -> None:
    """The upstream's own number counts."""
    talk = [Message(role="user", parts=(TextPart("word " * 2000),)) for _ in range(10)]
    for known in (None, 1_000_000):
        model = Model(window=8000)
        assert await summarise(talk, known, model.ask) == "The nonce is 4711."
        assert len(model.prompts) > 2


async def test_k4_an_overflow_without_a_number_is_told() -> None:
    """There is nothing to go by."""

    async def ask(_prompt: str) -> str:
        raise RixinError(Kind.CONTEXT_OVERFLOW, "too long")

    with pytest.raises(RixinError) as caught:
        await summarise(TALK, None, ask)
    assert caught.value.kind is Kind.CONTEXT_OVERFLOW


async def test_k4_an_empty_summary_is_an_error() -> None:
    """It would throw the conversation away."""
    with pytest.raises(RixinError) as caught:
        await summarise(TALK, None, Model(" \n").ask)
    assert caught.value.kind is Kind.UPSTREAM_INVALID


async def test_k4_summaries_that_never_shrink_are_an_error() -> None:
    """Instead of asking again: what was not read in fewer pieces than before would not be the next time."""
    model = Model("word " * 3000)
    talk = [Message(role="user", parts=(TextPart("word " * 20_000),))]
    with pytest.raises(RixinError) as caught:
        await summarise(talk, 2000, model.ask)
    assert caught.value.kind is Kind.UPSTREAM_INVALID
    assert f"This is part 1 of {len(model.prompts)};" in model.prompts[0]


async def test_k4_long_notes_are_put_together_line_by_line() -> None:
    """Where no two notes fit beside each other, a piece holds the lines of several."""
    model = Model("\n".join(["a line of notes"] * 170))  # of about 850 tokens, two thirds of what a piece may have
    talk = [Message(role="user", parts=(TextPart("word " * 3200),))]
    with pytest.raises(RixinError):
        await summarise(talk, 2300, model.ask)
    assert [prompt.count("This is part") for prompt in model.prompts] == [1] * 4 + [1] * 3 + [1] * 2


@given(
    st.lists(st.tuples(st.text("ab 想\n", max_size=20), st.integers(0, 500)), max_size=8),
    st.lists(st.sampled_from([1, 100, 300, 700]), min_size=1, max_size=4),
    st.integers(600, 3000),
)
async def test_k4_no_more_is_asked_than_is_foretold(
    texts: list[tuple[str, int]], lengths: list[int], window: int
) -> None:
    """However long the notes are, neither more often nor with longer prompts, whether it succeeds or not."""
    talk = [Message(role="user", parts=(TextPart(text * times),)) for text, times in texts]
    prompts: list[str] = []

    async def ask(prompt: str) -> str:
        prompts.append(prompt)
        return "words of notes\n" * lengths[len(prompts) % len(lengths)]

    with suppress(RixinError):
        await summarise(talk, window, ask)
    questions, tokens = most_asked(talk, window)
    assert 0 < len(prompts) <= questions
    assert sum(estimate_inputs([prompt]) for prompt in prompts) <= tokens


async def test_k4_what_is_read_at_once_is_asked_once() -> None:
    """The whole conversation is in the one prompt."""
    for window in (None, 100_000):
        model = Model()
        await summarise(TALK, window, model.ask)
        assert most_asked(TALK, window) == (1, estimate_inputs(model.prompts))


@given(st.lists(st.text("ab 想\n", max_size=4000), max_size=8), st.integers(600, 3000))
async def test_k4_no_piece_is_larger_than_the_window(texts: list[str], window: int) -> None:
    """Whatever the text, the model has room to answer, and nothing is left out."""
    model = Model("short", window=window)
    await summarise([Message(role="user", parts=(TextPart(text),)) for text in texts], window, model.ask)
    told = "".join(model.prompts)
    for character in "ab想":
        assert told.count(character) >= sum(text.count(character) for text in texts)
