"""What a conversation stays with, and how conversations are shared out."""

from tests.routing.replies import GOLDEN
from tests.routing.upstreams import network


async def test_a_conversation_stays_with_its_key() -> None:
    """Its later turns go where its first one was answered; other conversations go to the key that is used least."""
    async with network([GOLDEN], api_keys=["k1", "k2", "k3"]) as net:
        first = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "one"}]
        later = [*first, {"role": "assistant", "content": "1"}, {"role": "user", "content": "go on"}]
        await net.ask(messages=first)
        await net.ask(messages=[{"role": "user", "content": "two"}])
        await net.ask(messages=[{"role": "user", "content": "three"}])
        await net.ask(messages=later)
        await net.ask(messages=later)
        used = [request.headers["authorization"] for request in net["a"].requests]
    assert len(set(used[:3])) == 3
    assert used[3] == used[4] == used[0]


async def test_a_conversation_stays_with_its_upstream() -> None:
    """Among equals the one that answered before is asked again; a session's name tells it apart too."""
    async with network([GOLDEN, GOLDEN], priorities=[0, 0]) as net:
        for turn in range(12):
            await net.ask(prompt_cache_key="s1", messages=[{"role": "user", "content": f"{turn}"}])
        assert {net.calls("a"), net.calls("b")} == {0, 12}


async def test_equals_share_the_requests() -> None:
    """Neither of two upstreams of one priority gets all conversations."""
    async with network([GOLDEN, GOLDEN], priorities=[0, 0]) as net:
        for turn in range(60):
            await net.ask(messages=[{"role": "user", "content": f"{turn}"}])
        assert min(net.calls("a"), net.calls("b")) >= 5
