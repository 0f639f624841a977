"""Exchanges with real HTTP servers, whole and broken."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from rixin.engines import connections
from rixin.engines.transport import Timeouts, Transport
from rixin.errors import Kind, RixinError
from tests.support.certificates import self_signed
from tests.support.hang import HANG
from tests.upstreams.scripted import (
    Cut,
    Delay,
    Reply,
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

HASTY = Timeouts(connect=1, first_byte=0.2, idle=0.2, total=5)


async def fetch(
    reply: Reply, timeouts: Timeouts = HASTY, *, body: bytes = b"{}", proxied: bool = False
) -> tuple[int, bytes]:
    """The status and body of one POST that gets `reply`, from an upstream or from a proxy that is asked for one."""
    async with ScriptedUpstream(reply) as upstream, asyncio.timeout(HANG):
        transport = connections.to_url(upstream.url, timeouts)
        if proxied:
            environ = {"HTTP_PROXY": upstream.url.removesuffix("/v1")}
            transport = connections.to_url("http://api.example.com/v1", timeouts, environ=environ)
        try:
            async with transport.exchange("POST", "/chat/completions", body=body) as exchange:
                return exchange.status, await exchange.read_all(2**20)
        finally:
            await transport.aclose()


async def ask(transport: Transport, body: bytes = b"{}") -> tuple[int, bytes]:
    """The status and body of one POST."""
    async with transport.exchange("POST", "/x", body=body) as exchange:
        return exchange.status, await exchange.read_all(2**20)


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"hello"),
        stream([b"hel", b"lo"]),
        until_close(b"hello"),
        [Delay(0.05), *stream([b"he", Delay(0.05), b"llo"])],
    ],
)
@pytest.mark.parametrize("proxied", [False, True])
async def test_an_answer_is_read_whatever_its_framing(reply: Reply, proxied: bool):
    """Length, chunks or the connection's end delimit an answer, and latency within the limits does no harm."""
    assert await fetch(reply, proxied=proxied) == (200, b"hello")


FAULTS: list[tuple[str, Reply, Kind]] = [
    ("a connection closed before the answer", [Cut()], Kind.UPSTREAM_INTERRUPTED),
    ("a connection reset before the answer", [Reset()], Kind.UPSTREAM_INTERRUPTED),
    ("an answer closed within its head", [Send(b"HTTP/1.1 200 OK\r\nconte"), Cut()], Kind.UPSTREAM_INTERRUPTED),
    (
        "an answer shorter than its length",
        [Send(head(content_length="9") + b"hello"), Cut()],
        Kind.UPSTREAM_INTERRUPTED,
    ),
    ("chunks without their end", stream([b"hello"], end=Cut()), Kind.UPSTREAM_INTERRUPTED),
    ("chunks reset in the middle", stream([b"hello"], end=Reset()), Kind.UPSTREAM_INTERRUPTED),
    ("a chunk without a size", stream([b"hello"], end=Send(b"zz\r\nhello\r\n")), Kind.UPSTREAM_INTERRUPTED),
    (
        "a second answer in the first",
        [*stream([b"hello"], end=Send(b"HTTP/1.1 200 OK\r\n\r\n"))],
        Kind.UPSTREAM_INTERRUPTED,
    ),
    ("garbage for a head", [Send(b"\x00\x01garbage\r\n\r\n")], Kind.UPSTREAM_INVALID),
    ("another protocol", [Send(b"220 smtp.example.com ESMTP\r\n"), Cut()], Kind.UPSTREAM_INVALID),
    ("silence before the head", [Stall()], Kind.UPSTREAM_TIMEOUT),
    ("silence within the head", [Send(b"HTTP/1.1 200 OK\r\nconte"), Stall()], Kind.UPSTREAM_TIMEOUT),
    ("silence after the head", stream([], end=Stall()), Kind.UPSTREAM_TIMEOUT),
    ("silence in mid-answer", stream([b"hello"], end=Stall()), Kind.UPSTREAM_TIMEOUT),
]


@pytest.mark.parametrize(("reply", "kind"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS])
@pytest.mark.parametrize("proxied", [False, True])
async def test_a_fault_is_an_error_of_its_kind(reply: Reply, kind: Kind, proxied: bool):
    """No fault hangs, and none passes for an end."""
    with pytest.raises(RixinError) as caught:
        await fetch(reply, proxied=proxied)
    assert caught.value.kind is kind
    assert ("api.example.com" if proxied else "127.0.0.1") in caught.value.message


async def test_what_came_before_a_break_is_handed_out_first():
    """Bytes that arrived are read before the error that follows them, even when both were there already."""
    async with ScriptedUpstream(stream([b"hello"], end=Cut())) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        async with transport.exchange("POST", "/x", body=b"{}") as exchange:
            await asyncio.sleep(0.05)  # lets the break arrive unread
            assert await exchange.read() == b"hello"
            with pytest.raises(RixinError) as caught:
                await exchange.read()
        await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_INTERRUPTED


async def test_an_exchange_has_a_longest_duration():
    """An upstream that never ends its answer is cut off after the total time, however lively it is."""
    pieces: list[bytes | Delay] = [piece for _ in range(100) for piece in (b": still here\n\n", Delay(0.02))]
    with pytest.raises(RixinError) as caught:
        await fetch(stream(pieces), Timeouts(first_byte=1, idle=1, total=0.3))
    assert caught.value.kind is Kind.UPSTREAM_TIMEOUT


async def test_e5_the_first_byte_may_take_longer_than_the_others():
    """Silence before the body begins is measured by its own limit."""
    reply = stream([Delay(0.3), b"hello"])
    assert await fetch(reply, Timeouts(first_byte=2, idle=0.1)) == (200, b"hello")


async def test_an_answer_larger_than_the_limit_is_refused():
    """`read_all` reads no further than its limit."""
    async with ScriptedUpstream(answer(b"x" * 1000)) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        async with transport.exchange("GET", "/models") as exchange:
            with pytest.raises(RixinError, match="999 bytes") as caught:
                await exchange.read_all(999)
        await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_INVALID


async def test_reads_join_what_has_arrived():
    """Pieces that arrived since the last read come as one."""
    gate = asyncio.Event()
    async with ScriptedUpstream(stream([b"a", b"b", b"c", Wait(gate), b"d"])) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        async with transport.exchange("POST", "/x", body=b"{}") as exchange:
            arrived = b""
            while arrived != b"abc":
                arrived += await exchange.read()
            gate.set()
            assert await exchange.read() == b"d"
            assert await exchange.read() == b""
            assert await exchange.read() == b""
        await transport.aclose()


@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
async def test_a_slow_reader_loses_nothing(framing: str):
    """An answer larger than every buffer arrives whole, though its upstream has long closed the connection."""
    data = bytes(range(256)) * 16384
    pieces = [data[i : i + 50_000] for i in range(0, len(data), 50_000)]
    replies: dict[str, Reply] = {
        "length": [*answer(data), Cut()],
        "chunks": [*stream(pieces), Cut()],
        "close": until_close(data),
    }
    async with ScriptedUpstream(replies[framing]) as upstream, asyncio.timeout(HANG):
        transport = connections.to_url(upstream.url, Timeouts())
        async with transport.exchange("POST", "/x", body=b"{}") as exchange:
            received = bytearray()
            while piece := await exchange.read():
                received += piece
                await asyncio.sleep(0.002)
        await transport.aclose()
    assert received == data


async def test_leaving_early_closes_the_connection_at_once():
    """The upstream sees its client leave, in mid-answer and before the answer alike."""
    async with ScriptedUpstream(stream([b"hello"], end=Stall())) as upstream:
        transport = connections.to_url(upstream.url, Timeouts())
        async with transport.exchange("POST", "/x", body=b"{}") as exchange:
            await exchange.read()
        await asyncio.wait_for(upstream.left.wait(), HANG)
        await transport.aclose()


async def test_cancelling_before_the_answer_closes_the_connection_at_once():
    """A task that is cancelled while it waits for the head leaves no request behind."""
    async with ScriptedUpstream([Stall()]) as upstream:
        transport = connections.to_url(upstream.url, Timeouts())

        async def wait() -> None:
            async with transport.exchange("POST", "/x", body=b"{}"):
                pass

        task = asyncio.create_task(wait())
        await asyncio.wait_for(upstream.asked.wait(), HANG)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(upstream.left.wait(), HANG)
        await transport.aclose()


async def test_a_connection_is_used_again():
    """Whole answers leave their connection to the next request."""
    async with ScriptedUpstream(answer(b"hello")) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        for _ in range(5):
            async with transport.exchange("POST", "/x", body=b"{}") as exchange:
                assert await exchange.read_all(100) == b"hello"
        assert upstream.connections == 1
        await transport.aclose()


async def test_a_post_is_written_once():
    """A request that was written on a connection the upstream then closed is an error, never sent again."""
    replies = iter([answer(b"hello"), [Cut()], answer(b"hello")])
    async with ScriptedUpstream(lambda _request: next(replies)) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        async with transport.exchange("POST", "/x", body=b"{}") as exchange:
            await exchange.read_all(100)
        with pytest.raises(RixinError) as caught:
            async with transport.exchange("POST", "/x", body=b"{}"):
                pass
        assert caught.value.kind is Kind.UPSTREAM_INTERRUPTED
        assert len(upstream.requests) == 2
        await transport.aclose()


async def test_a_connection_found_closed_is_not_used():
    """A connection that the upstream closed between two requests costs nothing but a new one."""
    async with ScriptedUpstream([*answer(b"hello"), Cut()]) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        for _ in range(3):
            async with transport.exchange("POST", "/x", body=b"{}") as exchange:
                assert await exchange.read_all(100) == b"hello"
            await asyncio.sleep(0.02)  # lets the close arrive
        assert upstream.connections == 3
        await transport.aclose()


async def test_the_request_is_what_was_asked_for():
    """Method, path, headers and body arrive as given, uncompressed answers are asked for, nothing is followed."""
    reply = answer(b"", status=307, location="http://127.0.0.1:1/elsewhere")
    async with ScriptedUpstream(reply) as upstream:
        transport = connections.to_url(upstream.url, HASTY)
        async with transport.exchange("POST", "/a%2Fb", headers={"authorization": "Bearer k"}, body=b"[1]") as exchange:
            assert exchange.status == 307
            assert exchange.headers["location"].endswith("/elsewhere")
        await transport.aclose()
    request = upstream.requests[0]
    assert (request.method, request.path, request.body) == ("POST", "/v1/a%2Fb", b"[1]")
    assert request.headers["authorization"] == "Bearer k"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("rixin/")


async def test_a_large_body_is_sent_whole():
    """Megabytes, as images make them, arrive with their length in the head."""
    body = b"[" + b"1," * 2**20 + b"1]"
    async with ScriptedUpstream(answer(b"hello")) as upstream, asyncio.timeout(HANG):
        transport = connections.to_url(upstream.url, Timeouts(connect=1, first_byte=5, idle=5, total=10))
        async with transport.exchange("POST", "/x", body=body) as exchange:
            assert await exchange.read_all(100) == b"hello"
        await transport.aclose()
    [request] = upstream.requests
    assert request.body == body
    assert request.headers["content-length"] == str(len(body))
    assert request.headers["content-type"] == "application/json"


async def test_an_upstream_that_does_not_listen_is_unreachable():
    """A refused connection is told by the host alone."""
    async with ScriptedUpstream(answer(b"")) as upstream:
        url = upstream.url
    transport = connections.to_url(url, HASTY)
    with pytest.raises(RixinError) as caught:
        async with transport.exchange("GET", "/models"):
            pass
    await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The upstream at 127.0.0.1 could not be reached."


async def test_a_unix_socket_is_a_transport_too(tmp_path: Path):
    """Exchanges go over a socket in the file system, whose path no message tells."""
    path = tmp_path / "engine.sock"
    transport = connections.to_socket(path, "The engine", HASTY)
    async with ScriptedUpstream(answer(b"hello"), socket=path) as upstream:
        async with transport.exchange("GET", "/v1/load") as exchange:
            assert await exchange.read_all(100) == b"hello"
        assert upstream.requests[0].path == "/v1/load"
    await transport.aclose()
    path.unlink(missing_ok=True)
    with pytest.raises(RixinError) as caught:
        async with transport.exchange("GET", "/v1/load"):
            pass
    await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The engine could not be reached."


async def test_t13_a_proxy_from_the_environment_is_used():
    """A request for a named host goes to the proxy with its whole URL, and with the proxy's own credentials."""
    async with ScriptedUpstream(answer(b"hello")) as proxy:
        address = proxy.url.removesuffix("/v1").replace("://", "://user:secret@")
        transport = connections.to_url("http://api.example.com/v1", HASTY, environ={"HTTP_PROXY": address})
        async with transport.exchange("GET", "/models") as exchange:
            assert await exchange.read_all(100) == b"hello"
        await transport.aclose()
    assert proxy.requests[0].path == "http://api.example.com/v1/models"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic dXNlcjpzZWNyZXQ="


async def test_a_proxy_that_does_not_answer_is_told():
    """The message says that it was the proxy, and does not tell its address."""
    async with ScriptedUpstream(answer(b"")) as proxy:
        address = proxy.url.removesuffix("/v1")
    transport = connections.to_url("https://api.example.com/v1", HASTY, environ={"HTTPS_PROXY": address})
    with pytest.raises(RixinError) as caught:
        async with transport.exchange("GET", "/models"):
            pass
    await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The upstream at api.example.com could not be reached: the proxy did not answer."


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[tuple[str, Path]]:
    """The base URL of an HTTPS server, and its certificate."""
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(content_length="5", connection="close") + b"hello")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield f"https://localhost:{server.sockets[0].getsockname()[1]}/v1", certificate
    server.close()


async def test_tls_is_spoken_to_those_who_are_trusted(tls_server: tuple[str, Path]):
    """A certificate that the context trusts is enough for an exchange."""
    url, certificate = tls_server
    transport = connections.to_url(url, HASTY, tls=ssl.create_default_context(cafile=certificate))
    async with transport.exchange("GET", "/models") as exchange:
        assert await exchange.read_all(100) == b"hello"
    await transport.aclose()


async def test_a_certificate_that_is_not_trusted_ends_it(tls_server: tuple[str, Path]):
    """Nothing is sent to an upstream whose certificate does not check out."""
    transport = connections.to_url(tls_server[0], HASTY)
    with pytest.raises(RixinError, match="not trusted") as caught:
        async with transport.exchange("GET", "/models"):
            pass
    await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE


@pytest.mark.parametrize("garbage", [b"", b"\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n"])
async def test_garbage_never_hangs(garbage: bytes):
    """Whatever stands in place of an answer ends in an error."""
    steps: Sequence[Send | Cut] = [Send(garbage), Cut()]
    with pytest.raises(RixinError) as caught:
        await fetch(steps)
    assert caught.value.kind in {Kind.UPSTREAM_INVALID, Kind.UPSTREAM_INTERRUPTED}
