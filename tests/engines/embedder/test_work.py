"""Requests for embeddings in portions, and the real model behind them."""

import asyncio
from array import array

import pytest

from rixin.clock import SystemClock
from rixin.core.requests import TextKind
from rixin.engines.embedder.model import E5
from rixin.engines.embedder.work import PORTION, SLOTS, Work, portions
from rixin.engines.embedder_protocol import DIMENSIONS, Texts
from rixin.errors import Kind, RixinError


@pytest.fixture(scope="module")
def model() -> E5:
    """The model, loaded."""
    return E5()


@pytest.fixture
async def work(model: E5) -> Work:
    """Nobody else's."""
    return Work(model, 2, 60.0, SystemClock())


def numbers(vectors: bytes) -> list[list[float]]:
    """The vectors of an answer."""
    flat = array("f", vectors).tolist()
    return [flat[start : start + DIMENSIONS] for start in range(0, len(flat), DIMENSIONS)]


@pytest.mark.parametrize(
    ("tokens", "sizes"),
    [
        ([1], [1]),
        ([PORTION, 1], [1, 1]),
        ([PORTION + 1, 1, 1], [1, 2]),
        ([1, PORTION - 1, 1], [2, 1]),
        ([1, PORTION * 3, 1], [1, 1, 1]),
    ],
)
def test_texts_are_cut_into_portions(tokens: list[int], sizes: list[int]) -> None:
    """In order, none left out, and a large one alone."""
    texts = [str(position) for position in range(len(tokens))]
    cut = list(portions(texts, tokens))
    assert [len(portion) for portion in cut] == sizes
    assert [text for portion in cut for text in portion] == texts


async def test_a_text_ends_where_it_ends(model: E5, work: Work) -> None:
    """A zero byte in it is not its end for a library in C."""
    cut, whole = numbers((await work.embed(Texts(texts=("day\0night", "day"), kind="passage"))).vectors)
    assert cut != whole
    assert model.tokens("day\0night", "passage") > model.tokens("day", "passage")


@pytest.mark.parametrize("kind", ["query", "passage"])
async def test_tokens_are_those_of_the_model(work: Work, kind: TextKind) -> None:
    """All texts together, with the word before each that says what it is."""
    one = await work.embed(Texts(texts=("word",), kind=kind))
    two = await work.embed(Texts(texts=("word", "word"), kind=kind))
    assert two.tokens == 2 * one.tokens
    assert one.tokens > 1


async def test_a_text_that_is_too_long_is_named(work: Work) -> None:
    """With its length, and before anything is computed."""
    with pytest.raises(RixinError) as raised:
        await work.embed(Texts(texts=("a", "word " * 20), kind="passage", most_tokens=10))
    error = raised.value
    assert (error.kind, error.param, error.limit) == (Kind.CONTEXT_OVERFLOW, "input[1]", 10)
    assert error.requested is not None
    assert error.requested > 20


async def test_a_short_request_passes_a_long_one(work: Work) -> None:
    """It waits for one portion, not for all of them."""
    long = asyncio.create_task(work.embed(Texts(texts=("word " * 300,) * 12, kind="passage", key="a")))
    await asyncio.sleep(0)
    await work.embed(Texts(texts=("word",), kind="query", key="b"))
    assert not long.done()
    long.cancel()


async def test_too_many_are_told_to_come_back(work: Work) -> None:
    """Those that run and those that wait keep their places."""
    asked = Texts(texts=("word",), kind="query")
    running = [asyncio.create_task(work.embed(asked)) for _ in range(SLOTS + 2)]
    await asyncio.sleep(0)
    with pytest.raises(RixinError) as raised:
        await work.embed(asked)
    assert raised.value.kind is Kind.QUEUE_FULL
    assert raised.value.retry_after
    assert len(await asyncio.gather(*running)) == SLOTS + 2
