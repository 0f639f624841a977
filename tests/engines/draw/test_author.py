"""Words of a model: in time, as far as they come, or none."""

import asyncio
from collections.abc import AsyncGenerator

from rixin.core.cards import ModelCard
from rixin.engines.draw.author import Author
from rixin.engines.draw.writing import DEADLINE, Ask, Task
from rixin.errors import Kind, RixinError
from tests.engines.draw.conftest import request
from tests.support.hang import HANG

PROMPT = "Draw an infographic about the water cycle."
LOCAL = ModelCard(name="local", target="local")


async def says(*pieces: str, error: Exception | None = None, hangs: bool = False) -> str:
    """What an author has of a model that says some pieces, then fails, hangs or ends."""
    cancelled = asyncio.Event()

    async def write(_: Ask) -> AsyncGenerator[str, None]:
        try:
            for piece in pieces:
                yield piece
            if error:
                raise error
            if hangs:
                await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with asyncio.timeout(HANG):
        words = await Author(write, 0.05 if hangs else DEADLINE).words(request(PROMPT), lambda _: None)
        if pieces:
            await cancelled.wait()  # its work does not go on behind us
    return words


def test_a_model_has_a_minute() -> None:
    """The bound that is documented."""
    assert DEADLINE == 60.0


async def test_pieces_are_put_together() -> None:
    """An answer is what came of it."""
    assert await says('{"title"', ': "x"}') == '{"title": "x"}'


async def test_a_late_model_counts_as_far_as_it_came() -> None:
    """At the deadline its work is ended, and what it wrote so far is taken."""
    assert await says('{"title": "x", ', hangs=True) == '{"title": "x", '
    assert await says(hangs=True) == ""


async def test_a_model_that_fails_counts_as_far_as_it_came() -> None:
    """A model that is down, or goes down on the way, does not stop a drawing."""
    busy = RixinError(Kind.OVERLOADED, "busy")
    assert await says(error=busy) == ""
    assert await says("{", error=busy) == "{"


async def test_a_model_without_end_is_left() -> None:
    """More than any specification has is not read."""
    assert len(await says(*(["x" * 1000] * 1000))) < 70_000


async def test_a_model_that_was_declined_is_not_asked() -> None:
    """With `prompt_extend` false the prompt stands alone."""
    asked: list[Ask] = []

    async def write(ask: Ask) -> AsyncGenerator[str, None]:
        asked.append(ask)
        yield "{}"

    author = Author(write, DEADLINE)
    assert await author.words(request(PROMPT, prompt_extend=False), lambda _: None) == ""
    assert asked == []


async def test_words_with_a_seed_are_remembered() -> None:
    """The same prompt and seed have the same words again; another seed has other ones."""
    answers = iter("abc")

    async def write(_: Ask) -> AsyncGenerator[str, None]:
        yield next(answers)

    author = Author(write, DEADLINE)
    assert [await author.words(request(PROMPT, seed=seed), lambda _: None) for seed in (1, 2, 1)] == ["a", "b", "a"]
    assert await author.words(request(PROMPT), lambda _: None) == "c"


async def test_progress_is_told_as_words_come() -> None:
    """By the part of the tokens that the model may write, in steps, never beyond the end."""
    told: list[float] = []

    async def write(ask: Ask) -> AsyncGenerator[str, None]:
        asked: Task = ask(LOCAL)
        for _ in range(2 * asked.max_tokens):
            yield "x"

    await Author(write, DEADLINE).words(request(PROMPT), told.append)
    assert told == sorted(told)
    assert 10 <= len(told) <= 20
    assert told[-1] == 1.0
