"""A check that somebody else's program makes, against a real server and its faults."""

import asyncio
from collections.abc import Callable

import pytest

from rixin.errors import Kind, RixinError
from rixin.moderation.check import ExternalCheck
from rixin.settings import Moderation
from tests.support.hang import HANG
from tests.upstreams.scripted import Cut, Reply, Request, Reset, ScriptedUpstream, Send, Stall, answer, head

YES = answer('{"allowed":true,"reason":null}')
FAULTS: dict[str, Reply] = {
    "stalls": [Stall()],
    "stalls in its answer": [Send(head(content_length="20") + b'{"allowed"'), Stall()],
    "closes": [Cut()],
    "resets": [Reset()],
    "breaks off": [Send(head(content_length="20") + b'{"allowed"'), Cut()],
    "is no HTTP": [Send(b"\x00\xff garbage\r\n\r\n"), Cut()],
    "says no JSON": answer("yes"),
    "says nothing": answer(""),
    "says no verdict": answer('{"allowed":"true"}'),
    "says something else": answer('{"flagged":false}'),
    "says too much": answer('{"allowed":true,"x":"' + "x" * 70_000 + '"}'),
    "fails": answer('{"allowed":true}', status=500),
    "redirects": answer('{"allowed":true}', status=307, location="http://127.0.0.1:9/"),
}


async def ask(reply: Reply | Callable[[Request], Reply], **settings: object) -> tuple[bool, list[Request]]:
    """What a check says that answers so, and what it was asked."""
    async with ScriptedUpstream(reply) as server, asyncio.timeout(HANG):
        check = ExternalCheck.connect(
            f"{server.url}/texts?v=1",
            Moderation(check_url=server.url, check_deadline=0.3, **settings),  # pyright: ignore[reportArgumentType] - its own
        )
        try:
            return await check.allows("input", "m", ["a", "炸"]), server.requests
        finally:
            await check.aclose()


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_verdict_is_taken(allowed: bool) -> None:
    """The check is sent the stage, the model and the texts, with its key."""
    said, [request] = await ask(answer(f'{{"allowed":{str(allowed).lower()}}}'), check_key="k")
    assert said is allowed
    assert (request.method, request.path) == ("POST", "/v1/texts?v=1")
    assert request.json == {"stage": "input", "model": "m", "texts": ["a", "炸"]}
    assert (request.headers["authorization"], request.headers["content-type"]) == ("Bearer k", "application/json")


async def test_without_a_key_none_is_sent() -> None:
    """A check of one's own machine may need none."""
    said, [request] = await ask(YES)
    assert said
    assert "authorization" not in request.headers


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_check_that_fails_lets_nothing_pass(fault: str) -> None:
    """A client is told to come back, and neither where the check is nor what ails it."""
    with pytest.raises(RixinError) as caught:
        await ask(FAULTS[fault])
    error = caught.value
    assert (error.kind, error.retry_after) == (Kind.OVERLOADED, 5.0)
    assert error.message == "The content check of this server cannot be reached now. Try again later."


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_check_that_fails_lets_all_pass_where_that_is_wanted(fault: str) -> None:
    """The request is answered without it."""
    said, _ = await ask(FAULTS[fault], on_failure="open")
    assert said


async def test_a_check_that_is_down_is_a_failure() -> None:
    """Nobody listens."""
    async with ScriptedUpstream(YES) as server:
        url = server.url
    for on_failure in ("closed", "open"):
        check = ExternalCheck.connect(url, Moderation(on_failure=on_failure))
        if on_failure == "open":
            assert await check.allows("output", "m", ["a"])
        else:
            with pytest.raises(RixinError, match="cannot be reached"):
                await check.allows("output", "m", ["a"])
        await check.aclose()


async def test_no_proxy_sees_the_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of proxies."""
    async with ScriptedUpstream(YES) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        said, requests = await ask(YES)
    assert said
    assert len(requests) == 1
    assert not proxy.requests


@pytest.mark.parametrize(
    "url", ["check.example.com", "ftp://h/x", "http://", "http://u:p@h/x", "https://h/x#y", "http://h /"]
)
def test_a_url_that_is_none_is_named(url: str) -> None:
    """Before the server starts."""
    with pytest.raises(RixinError, match=r"moderation\.check_url") as caught:
        ExternalCheck.connect(url, Moderation())
    assert caught.value.kind is Kind.CONFIGURATION
