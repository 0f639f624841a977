"""What the loop makes of a healer's care: versions sent, given up, and waited for."""

from collections.abc import AsyncGenerator, Sequence

import msgspec
import pytest

from rixin.core.requests import Change, Generate
from rixin.engines.base import Batch, Prepared
from rixin.errors import Kind, RixinError
from rixin.routing.catalog import Candidate
from tests.routing.replies import GOLDEN, error
from tests.routing.upstreams import Answers, network
from tests.upstreams.scripted import Reply, Request


class Removal:
    """A healer's care that leaves out one field after the other; keeps what it was told."""

    held: Sequence[Batch] = ()

    def __init__(self, prepared: Prepared, fields: list[str]) -> None:
        self.prepared = prepared
        self.fields = fields
        self.log: list[str] = []

    def refused(self, error: RixinError) -> Prepared | RixinError:
        """The next field goes; at the end the first words of the upstream are told with a hint."""
        self.log.append(error.message)
        if not self.fields:
            return RixinError(error.kind, f"{self.log[0]} (nothing helped)")
        field = self.fields.pop(0)
        body = {name: value for name, value in self.prepared.body.items() if name != field}
        changes = (*self.prepared.changes, Change("dropped", field))
        self.prepared = msgspec.structs.replace(self.prepared, body=body, changes=changes)
        return self.prepared

    def hindered(self, obstacle: RixinError) -> RixinError:
        """The upstream's words, and what is in the way."""
        return RixinError(Kind.INVALID_REQUEST, f"{self.log[-1]} ({obstacle.kind.value})")

    @property
    def checks(self) -> bool:
        """Never."""
        return False

    def checked(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """As it comes."""
        return answer

    def answered(self) -> None:
        """It helped."""
        self.log.append("answered")

    def close(self) -> None:
        """It is over."""
        self.log.append("closed")


def picky(*refused: str) -> Answers:
    """An upstream that refuses some fields, one at a time."""

    def reply(request: Request) -> Reply:
        field = next((field for field in refused if field in request.json), None)
        return GOLDEN if field is None else error(400, f"no {field} here")

    return reply


@pytest.mark.parametrize("fields", [["seed", "top_p"], ["top_p", "seed"]])
async def test_a_healer_says_what_is_sent_instead(fields: list[str]) -> None:
    """Each version costs one call; what was changed in the one that passed is told, and nothing of it is a failure."""
    cares: list[Removal] = []

    def heal(_candidate: Candidate, _request: Generate, prepared: Prepared) -> Removal:
        cares.append(Removal(prepared, list(fields)))
        return cares[0]

    async with network([picky("seed", "top_p"), GOLDEN], heal=heal, api_keys=["k1", "k2"]) as net:
        asked = await net.ask(seed=1, top_p=0.5)
        assert asked.text == "Paris 巴黎"
        assert asked.attempt.count == net.calls("a") == 3
        assert asked.attempt.changes == tuple(Change("dropped", field) for field in fields)
        assert (net.calls("b"), len(cares)) == (0, 1)
    assert cares[0].log == [
        "no seed here",
        f"no {'top_p' if fields[0] == 'seed' else 'seed'} here",
        "answered",
        "closed",
    ]


async def test_a_healer_that_gives_up_says_what_is_told() -> None:
    """The client reads its words, and no other upstream is asked."""
    async with network([picky("seed"), GOLDEN], heal=lambda _c, _r, prepared: Removal(prepared, ["user"])) as net:
        asked = await net.ask(seed=1)
        assert asked.error is not None
        assert asked.error.message == "no seed here (nothing helped)"
        assert (net.calls("a"), net.calls("b")) == (2, 0)


async def test_a_repair_that_cannot_be_sent_in_time_is_told() -> None:
    """Where its call is not admitted before the deadline, the client reads the refusal, and what is in the way."""
    limits = [{"unit": "requests", "amount": 1, "window": 3600}]
    async with network(
        [picky("seed"), GOLDEN], heal=lambda _c, _r, prepared: Removal(prepared, ["seed"]), limits=limits
    ) as net:
        asked = await net.ask(seed=1)
        assert asked.error is not None
        assert (asked.error.kind, asked.error.message) == (Kind.INVALID_REQUEST, "no seed here (quota_exhausted)")
        assert (net.calls("a"), net.calls("b")) == (1, 0)


async def test_a_repair_waits_for_its_turn() -> None:
    """Like any other call it is sent when the provider's limits let it through, if that is in time."""
    limits = [{"unit": "requests", "amount": 1, "window": 1}]
    async with network(
        [picky("seed")], heal=lambda _c, _r, prepared: Removal(prepared, ["seed"]), limits=limits
    ) as net:
        asked = await net.ask(seed=1)
        assert asked.text == "Paris 巴黎"
        assert net.calls("a") == 2
        assert Batch([]) in asked.batches
