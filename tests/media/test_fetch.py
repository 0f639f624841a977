"""What fetches from real servers bring, friendly and hostile: M4, M7 and M8 of the security checklist."""

import asyncio
import gzip
from collections.abc import Sequence

import brotli
import pytest
import zstandard
from yarl import URL

from rixin.errors import RixinError
from rixin.media.allowance import Allowance
from rixin.media.fetch import Fetcher, FetchTimeouts
from rixin.media.guard import Guard
from tests.media.fetching import PATIENT, fetch, fixed, opened, redirect, refused
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    Cut,
    Reply,
    Request,
    Reset,
    ScriptedUpstream,
    Send,
    Stall,
    Wait,
    answer,
    head,
    stream,
    until_close,
)

HASTY = FetchTimeouts(connect=1.0, head=0.3, total=0.6)


async def test_what_a_url_holds_is_fetched():
    """The query is sent as it is, and the body comes whole."""
    async with ScriptedUpstream(fixed(b"pixels")) as server:
        assert await fetch(f"{server.url}/a%20b.png?c=%2F#d") == b"pixels"
    assert server.requests[0].path == "/v1/a%20b.png?c=%2F"


@pytest.mark.parametrize(
    "reply", [stream([b"pix", b"els"]), until_close(b"pixels")], ids=["M4 chunked", "M4 no Content-Length"]
)
async def test_m4_a_body_needs_no_length(reply: Reply):
    """Chunks are joined, and a closed connection ends a body."""
    async with ScriptedUpstream(reply) as server:
        assert await fetch(server.url) == b"pixels"


async def test_m8_nothing_of_ours_goes_out():
    """A server sees five headers; its cookies do not come back, and no credential is among them."""
    replies = iter([[Send(head(302, location="/v1/b", set_cookie="a=b", content_length="0"))], fixed(b"x")])
    async with ScriptedUpstream(lambda _: next(replies)) as server:
        await fetch(f"{server.url}/a")
    assert [sorted(request.headers) for request in server.requests] == [
        ["accept", "accept-encoding", "connection", "host", "user-agent"]
    ] * 2
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "reply",
    [
        [Stall()],
        [Send(b"HTTP/1.1 200"), Stall()],
        [Send(head(content_length="10")), Stall()],
        [Send(head(content_length="10") + b"x"), Stall()],
        stream([b"x", Stall()]),
        [Send(b"HTTP/1.1 302 Found\r\nlocation: /v1\r\n"), Stall()],
    ],
    ids=[
        "M4 no head",
        "M4 half a head",
        "M4 no body",
        "M4 half a body",
        "M4 half a chunked body",
        "M4 half a redirect",
    ],
)
async def test_m4_a_server_that_falls_silent_is_left(reply: Reply):
    """Wherever its answer stands, the fetch ends in time and the connection is closed."""
    async with ScriptedUpstream(reply) as server:
        why = await refused(server.url, timeouts=HASTY)
        assert "took too long" in why or "TimeoutError" in why
        async with asyncio.timeout(HANG):
            await server.left.wait()


async def test_m4_a_server_that_trickles_is_left():
    """A byte now and then does not move the end of the fetch."""
    trickle = [step for _ in range(1000) for step in (Send(b"x"), Wait(asyncio.Event()))]
    async with ScriptedUpstream([Send(head(content_length="1000")), *trickle]) as server:
        assert await refused(server.url, timeouts=HASTY) == "took too long"


async def test_m4_redirects_do_not_move_the_end():
    """The whole fetch has one deadline."""

    async def slow(_host: str, _port: int) -> Sequence[str]:
        await asyncio.sleep(HASTY.total * 0.6)
        return ["127.0.0.1"]

    async with ScriptedUpstream(redirect("/v1")) as server:
        url = str(URL(server.url).with_host("slow.example"))
        assert await refused(url, resolve=slow, timeouts=HASTY) == "took too long"
    assert len(server.requests) <= 2


async def test_m4_a_resolver_that_hangs_is_left():
    """A name that nobody answers for costs no more than the deadline."""

    async def hang(_host: str, _port: int) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    assert await refused("http://a.example/", resolve=hang, timeouts=HASTY) == "took too long"


@pytest.mark.parametrize(
    "reply",
    [
        stream([b"x" * 600, b"x" * 600, Stall()]),
        [Send(head(connection="close") + b"x" * 1200), Stall()],
        [Send(head(content_length="1001")), Stall()],
        [Send(head(content_length="10000000000000")), Stall()],
    ],
    ids=["M4 chunked", "M4 no length", "M4 honest length", "M4 enormous length"],
)
async def test_m4_a_body_that_is_too_large_is_left(reply: Reply):
    """The fetch ends with the byte that is one too many, or with the length that announces it."""
    async with ScriptedUpstream(reply) as server:
        with pytest.raises(RixinError, match="no larger than 1000 bytes in all"):
            await fetch(server.url, 1000)
        async with asyncio.timeout(HANG):
            await server.left.wait()


async def test_m4_a_body_of_the_exact_limit_is_fetched():
    """The limit is what may be, not what may not."""
    async with ScriptedUpstream(fixed(b"x" * 1000)) as server:
        assert len(await fetch(server.url, 1000)) == 1000


@pytest.mark.parametrize(
    "reply",
    [
        [Send(head(content_length="10") + b"x"), Cut()],
        stream([b"x"], end=Cut()),
        stream([b"x"], end=Reset()),
        [Send(head(transfer_encoding="chunked") + b"zz\r\nx")],
        [Cut()],
        [Send(b"SSH-2.0-OpenSSH_9.6\r\n"), Cut()],
        [Send(head(content_length="-1") + b"x"), Cut()],
        [Send(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 100_000 + b"\r\n\r\n"), Cut()],
    ],
    ids=[
        "M4 length too high", "M4 chunks cut off", "M4 reset", "M4 no chunk", "M4 no answer", "M4 no HTTP",
        "M4 negative length", "M4 enormous header",
    ],
)  # fmt: skip
async def test_m4_a_body_that_is_not_whole_is_none(reply: Reply):
    """What broke off is never taken for what was asked for."""
    async with ScriptedUpstream(reply) as server:
        await refused(server.url)


async def test_m4_a_length_that_is_too_low_ends_the_body():
    """What follows is no part of the answer: it makes the connection unusable and is never read as pixels."""
    async with ScriptedUpstream([Send(head(content_length="3") + b"pixels")]) as server:
        assert "ClientResponseError" in await refused(server.url)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(bytes(10**7))),
        ("br", brotli.compress(bytes(10**7))),
        ("zstd", zstandard.compress(bytes(10**7))),
        ("deflate", b"x"),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(10**7)))),
        ("x" * 1000, b"x"),
    ],
    ids=["M4 gzip", "M4 br", "M4 zstd", "M4 deflate", "M4 twice", "M4 unknown"],
)
async def test_m4_nothing_is_decompressed(encoding: str, body: bytes):
    """A bomb stays closed: whoever compresses although we asked for no compression is not read at all."""
    async with ScriptedUpstream(fixed(body, content_encoding=encoding)) as server:
        assert "answered in content-encoding" in await refused(server.url)


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 404, 500])
async def test_only_a_whole_answer_counts(status: int):
    """The page that goes with an error is no image."""
    async with ScriptedUpstream([Send(head(status, content_length="0"))]) as server:
        assert f"answered with status {status}" in await refused(server.url)


@pytest.mark.parametrize(
    "reply",
    [
        [Cut()],
        [Reset()],
        [Send(b"SSH-2.0\r\n")],
        stream([b"x"], end=Cut()),
        answer(b"", status=403),
        redirect("file:///"),
    ],
)
async def test_the_log_does_not_tell_what_a_url_holds(reply: Reply):
    """A signed URL is a credential: of all of it, only the host and the port are told."""
    async with ScriptedUpstream(reply) as server:
        why = await refused(f"{server.url}/path-canary?signature=canary")
    assert "127.0.0.1" in why
    assert "canary" not in why


async def test_a_fetch_that_is_cancelled_leaves_the_server():
    """A client that goes takes its fetches with it."""
    async with ScriptedUpstream([Send(head(content_length="10")), Stall()]) as server, opened() as fetcher:
        task = asyncio.create_task(fetcher.fetch(URL(server.url), Allowance(10)))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left.wait()


async def test_only_so_many_fetches_run_at_a_time():
    """The others wait for their turn, and do not connect before it comes."""
    go, both = asyncio.Event(), asyncio.Event()

    def reply(_request: Request) -> Reply:
        if len(server.requests) == 2:
            both.set()
        return [Wait(go), *fixed(b"x")]

    async with ScriptedUpstream(reply) as server, asyncio.timeout(HANG):
        fetcher = Fetcher(Guard(["127.0.0.1"]), PATIENT, at_most=2)
        tasks = [asyncio.create_task(fetcher.fetch(URL(server.url), Allowance(10))) for _ in range(5)]
        await both.wait()
        assert server.connections == 2
        go.set()
        assert await asyncio.gather(*tasks) == [b"x"] * 5
        await fetcher.aclose()
