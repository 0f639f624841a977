"""How a list and a check are put to use."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rixin.core.cards import ModelCard
from rixin.core.events import Event, Finish, Start, Text
from rixin.core.messages import Message, TextPart
from rixin.core.requests import Change, Generate
from rixin.engines.base import Batch, Sign
from rixin.errors import Kind, RixinError
from rixin.moderation.moderator import Moderator
from rixin.settings import Moderation

CARD = ModelCard(name="m", target="m")
START: Event = Start(id="1", created=1, model="m")


@pytest.fixture
def moderator(tmp_path: Path) -> Moderator:
    """One with a list."""
    path = tmp_path / "words.txt"
    path.write_text("bomb\n炸弹\n", encoding="utf-8")
    opened = Moderator.open(Moderation(words=path))
    assert opened is not None
    return opened


def asking(text: str, n: int = 1) -> Generate:
    """A request."""
    return Generate(model="m", card=CARD, messages=(Message(role="user", parts=(TextPart(text),)),), n=n)


class Upstream:
    """An answer of some batches; knows whether it was left."""

    def __init__(self, *batches: Batch) -> None:
        self._batches = batches
        self.given = 0
        self.left = False

    async def stream(self) -> AsyncGenerator[Batch, None]:
        """The batches."""
        try:
            for batch in self._batches:
                self.given += 1
                yield batch
        finally:
            self.left = True


async def passed(moderator: Moderator, upstream: Upstream, n: int = 1) -> list[Batch]:
    """What of an answer is told."""
    return [batch async for batch in moderator.screened(upstream.stream(), asking("Hi", n), "r")]


def test_nothing_is_opened_where_nothing_is_wanted() -> None:
    """Neither a list nor a check: there is nobody to ask."""
    assert Moderator.open(Moderation()) is None


async def test_an_upstreams_own_bytes_are_not_told(moderator: Moderator) -> None:
    """They would tell what is held back; what else a batch has stays with it."""
    change, sign = Change("x", "y"), Sign(queued=1.0)
    told = await passed(
        moderator,
        Upstream(
            Batch([], sign=sign),
            Batch([START, Text(text="a bo")], raw=b"data: a bo\n\n", changes=(change,)),
            Batch([Text(text="y"), Finish(reason="stop")], raw=b"data: y\n\n"),
        ),
    )
    assert told == [
        Batch([], sign=sign),
        Batch([START, Text(text="a ")], changes=(change,)),
        Batch([Text(text="bo"), Text(text="y"), Finish(reason="stop")]),
    ]


async def test_an_upstream_is_left_once_all_choices_have_ended(moderator: Moderator) -> None:
    """And not before: another choice may go on."""
    batches = [Batch([START, Text(text="炸弹")]), Batch([Text(text="炸弹", choice=1)]), Batch([Text(text="more")])]
    for n in (1, 2):
        upstream = Upstream(*batches)
        told = await passed(moderator, upstream, n)
        assert (upstream.given, upstream.left) == (n, True)
        assert [event for batch in told for event in batch.events] == [
            START,
            *(Finish(reason="content_filter", choice=choice) for choice in range(n)),
        ]


async def test_a_long_request_lets_others_have_their_turn(moderator: Moderator) -> None:
    """It is looked at in pieces, and a word between two of them is found all the same."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await moderator.admit(asking("a " * 100_000), "r")
    assert turns >= 10
    with pytest.raises(RixinError) as caught:
        await moderator.admit(asking("a " * 1022 + "a bomb b"), "r")
    task.cancel()
    assert caught.value.kind is Kind.CONTENT_POLICY
    assert "bomb" not in str(caught.value)
