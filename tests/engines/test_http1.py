"""Our own HTTP/1.1 client, where it has more to tell than any transport must."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest

from rixin.engines.http1 import connection, transport
from rixin.engines.http1.transport import Http1Transport
from rixin.engines.transport import Timeouts
from rixin.errors import Kind, RixinError
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, ScriptedUpstream, Send, Stall, Wait, answer, chunk, head, stream

TIMEOUTS = Timeouts(connect=5, first_byte=5, idle=5, total=10)
EARLY = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n"


def to(upstream: ScriptedUpstream) -> Http1Transport:
    """Connections to an upstream."""
    return Http1Transport(upstream.url, "The upstream", TIMEOUTS)


async def ask(client: Http1Transport, body: bytes = b"{}") -> tuple[int, bytes]:
    """The status and body of one POST."""
    async with asyncio.timeout(HANG), client.exchange("POST", "/x", body=body) as exchange:
        return exchange.status, await exchange.read_all(2**24)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncGenerator[Http1Transport]:
    """Connections to a server that does what a function does."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)  # pyright: ignore[reportArgumentType] - of any result
    client = Http1Transport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "The upstream", TIMEOUTS)
    try:
        yield client
    finally:
        await client.aclose()
        server.close()


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"hello, world"),
        stream([b"hello", b", world"]),
        [Send(b"HTTP/1.1 100 Continue\r\n\r\n"), Send(EARLY), *answer(b"hello, world")],
        [Send(EARLY + head(content_length="12") + b"hello, world")],
        [Send(head(transfer_encoding="chunked") + chunk(b"hello, world") + b"0\r\nx-checksum: 1\r\n\r\n")],
    ],
)
@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
async def test_an_answer_may_be_cut_anywhere(reply: Reply, size: int) -> None:
    """Announcements before it and trailers behind it are passed over, and its connection is used again."""
    data = b"".join(step.data for step in reply if isinstance(step, Send))
    cut = [Send(data[start : start + size]) for start in range(0, len(data), size)]
    async with ScriptedUpstream(cut) as upstream:
        client = to(upstream)
        for _ in range(2):
            async with client.exchange("POST", "/x", body=b"{}") as exchange:
                assert (exchange.status, await exchange.read_all(100)) == (200, b"hello, world")
                assert "x-checksum" not in exchange.headers
                assert "link" not in exchange.headers
        assert upstream.connections == 1
        await client.aclose()


async def test_headers_of_one_name_are_joined() -> None:
    """In their order, whatever the case of their names."""
    reply = Send(b"HTTP/1.1 200 OK\r\nX-Thing: a\r\nx-thing: b\r\nContent-Length: 0\r\n\r\n")
    async with ScriptedUpstream([reply]) as upstream:
        client = to(upstream)
        async with client.exchange("GET", "/x") as exchange:
            assert exchange.headers == {"x-thing": "a, b", "content-length": "0"}
        await client.aclose()
    assert "content-length" not in upstream.requests[0].headers


@pytest.mark.parametrize("surplus", [b"x", b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"])
async def test_what_follows_an_answer_is_nobodys(surplus: bytes) -> None:
    """It is no part of the answer, nor of the next one, which comes over another connection."""
    whole = answer(b"hello")[0]
    assert isinstance(whole, Send)
    async with ScriptedUpstream([Send(whole.data + surplus)]) as upstream:
        client = to(upstream)
        assert [await ask(client) for _ in range(2)] == [(200, b"hello")] * 2
        assert upstream.connections == 2
        await client.aclose()


async def test_what_comes_unasked_closes_the_connection() -> None:
    """Servers say goodbye to unused connections in this way (RFC 9110, section 15.5.9)."""
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(head(content_length="5") + b"hello")
        await writer.drain()
        writer.write(head(408, content_length="0"))
        assert await reader.read() == b""
        closed.set()
        writer.close()

    async with serving(serve) as client:
        assert await ask(client) == (200, b"hello")
        await asyncio.wait_for(closed.wait(), HANG)


@pytest.mark.parametrize("told", ["timeout=1", "max=100, timeout=0"])
async def test_a_connection_is_not_used_for_longer_than_its_upstream_says(told: str) -> None:
    """A second before it would be closed, it is not used any more."""
    async with ScriptedUpstream(answer(b"hello", keep_alive=told)) as upstream:
        client = to(upstream)
        assert [await ask(client) for _ in range(2)] == [(200, b"hello")] * 2
        assert upstream.connections == 2
        await client.aclose()


async def test_unused_connections_are_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them, without anybody asking."""
    monkeypatch.setattr(connection, "UNUSED", 0.05)
    left = asyncio.Semaphore(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(head(content_length="5") + b"hello")
        assert await reader.read() == b""
        left.release()
        writer.close()

    async with serving(serve) as client:
        assert await asyncio.gather(*[ask(client) for _ in range(3)]) == [(200, b"hello")] * 3
        async with asyncio.timeout(HANG):
            for _ in range(3):
                await left.acquire()


async def test_many_exchanges_at_once_have_their_own_answers() -> None:
    """None is given another's, and connections are shared in turn."""
    async with ScriptedUpstream(lambda request: answer(request.body)) as upstream:
        client = to(upstream)
        bodies = [b"%d" % number for number in range(200)]
        for _ in range(3):
            assert await asyncio.gather(*[ask(client, body) for body in bodies]) == [(200, body) for body in bodies]
        assert upstream.connections == 200
        await client.aclose()


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(b"hello", mtime=0)),
        ("deflate", zlib.compress(b"hello")),
        ("GZIP", gzip.compress(b"hello", mtime=0)),
    ],
)
async def test_an_answer_that_is_compressed_unasked_is_read(coding: str, data: bytes) -> None:
    """Some upstreams do not listen."""
    async with ScriptedUpstream(answer(data, content_encoding=coding)) as upstream:
        client = to(upstream)
        assert await ask(client) == (200, b"hello")
        await client.aclose()


async def test_an_answer_that_is_not_compressed_as_it_says_is_broken() -> None:
    """Garbage is not handed out."""
    async with ScriptedUpstream(answer(b"hello", content_encoding="gzip")) as upstream:
        client = to(upstream)
        with pytest.raises(RixinError) as caught:
            await ask(client)
        await client.aclose()
    assert caught.value.kind is Kind.UPSTREAM_INTERRUPTED


async def test_a_request_may_be_answered_before_it_was_heard_whole() -> None:
    """A refusal of a large body is told, and nothing more is written."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(413, content_length="9") + b"too large")
        await writer.drain()
        await left.wait()
        writer.close()

    left = asyncio.Event()
    async with serving(serve) as client:
        assert await ask(client, b" " * 2**26) == (413, b"too large")
        left.set()


async def test_a_slow_reader_makes_the_upstream_wait() -> None:
    """What waits to be read stays small, whatever the upstream would send."""
    sent = 0
    stuck = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(head(content_length=str(2**28)))
        piece = b"x" * 2**16
        for _ in range(2**12):
            writer.write(piece)
            sent += len(piece)
            try:
                await asyncio.wait_for(writer.drain(), 0.5)
            except TimeoutError:
                stuck.set()
                await writer.drain()
        writer.close()

    async with serving(serve) as client, client.exchange("POST", "/x", body=b"{}") as exchange:
        await asyncio.wait_for(stuck.wait(), HANG)
        assert sent < 2**25
        received = 0
        while data := await exchange.read():
            received += len(data)
        assert received == 2**28


async def test_a_head_without_end_is_refused() -> None:
    """Not kept until memory is full."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"x-filler: " + b"x" * 1000 + b"\r\n")
            try:
                await writer.drain()
            except ConnectionError:
                break
        writer.close()

    async with serving(serve) as client:
        with pytest.raises(RixinError) as caught:
            await ask(client)
    assert caught.value.kind is Kind.UPSTREAM_INVALID


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0b"])
async def test_no_header_is_smuggled_in(value: str) -> None:
    """A line break in a value is refused before anything is sent."""
    async with ScriptedUpstream(answer(b"hello")) as upstream:
        client = to(upstream)
        with pytest.raises(RixinError) as caught:
            client.exchange("POST", "/x", headers={"x-thing": value})
        assert caught.value.kind is Kind.CONFIGURATION
        assert upstream.connections == 0
        await client.aclose()


async def test_a_name_that_is_not_known_is_told() -> None:
    """Without its port, path or anything else."""
    client = Http1Transport("http://nowhere.invalid/v1", "The upstream at nowhere.invalid", TIMEOUTS)
    with pytest.raises(RixinError) as caught:
        await ask(client)
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The upstream at nowhere.invalid could not be reached: its name is not known."


async def test_a_name_that_takes_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for connecting covers the look-up."""

    async def start_connection(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(transport.aiohappyeyeballs, "start_connection", start_connection)
    client = Http1Transport("http://127.0.0.1:1", "The upstream", Timeouts(connect=0.05))
    with pytest.raises(RixinError, match="could not be reached in time"):
        await ask(client)


async def test_closing_ends_what_is_under_way() -> None:
    """Whoever waits for an answer is told that it broke off."""
    async with ScriptedUpstream([Stall()]) as upstream:
        client = to(upstream)
        asking = asyncio.create_task(ask(client))
        await asyncio.wait_for(upstream.asked.wait(), HANG)
        await client.aclose()
        with pytest.raises(RixinError) as caught:
            await asking
    assert caught.value.kind is Kind.UPSTREAM_INTERRUPTED


async def test_an_exchange_after_closing_has_a_new_connection() -> None:
    """A transport that was told to close may be asked once more."""
    async with ScriptedUpstream(answer(b"hello")) as upstream:
        client = to(upstream)
        assert await ask(client) == (200, b"hello")
        await client.aclose()
        assert await ask(client) == (200, b"hello")
        assert upstream.connections == 2
        await client.aclose()


async def test_a_retired_client_keeps_no_connection() -> None:
    """What is unused is closed, what is under way is read to its end; from then on each exchange has its own."""
    go = asyncio.Event()
    slow = [Send(head(content_length="2") + b"o"), Wait(go), Send(b"k")]
    async with ScriptedUpstream(lambda request: slow if request.path.endswith("slow") else answer("ok")) as upstream:
        client = to(upstream)
        async with client.exchange("GET", "/slow") as exchange:
            assert await exchange.read() == b"o"
            for connections in (2, 2):
                assert await ask(client) == (200, b"ok")
                assert upstream.connections == connections
            await client.retire()
            for connections in (3, 4):
                assert await ask(client) == (200, b"ok")
                assert upstream.connections == connections
            go.set()
            assert await exchange.read_all(10) == b"k"
        assert await ask(client) == (200, b"ok")
        assert upstream.connections == 5
