"""Upstreams behind SOCKS proxies."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from rixin.engines import connections
from rixin.engines.transport import Timeouts, Transport
from rixin.errors import Kind, RixinError
from tests.upstreams.scripted import ScriptedUpstream, answer

HASTY = Timeouts(connect=10, first_byte=10, idle=10, total=10)
CONNECTED = b"\x05\x00\x00\x01" + bytes(6)
REFUSED = b"\x05\x02\x00\x01" + bytes(6)


@dataclass
class Proxy:
    """What a proxy of a test's own was told."""

    port: int = 0
    reply: bytes = CONNECTED
    login: bytes = b""
    names: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def socks5(target: int) -> AsyncGenerator[Proxy]:
    """A SOCKS 5 proxy that asks for a name and a password, and leads every name to a port of this machine."""
    proxy = Proxy()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, methods = await reader.readexactly(2)
        assert 2 in await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        proxy.login = user + b":" + await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(b"\x01\x00")
        *_, kind = await reader.readexactly(4)
        assert kind == 3, "the proxy resolves names"
        proxy.names.append((await reader.readexactly((await reader.readexactly(1))[0])).decode())
        await reader.readexactly(2)
        writer.write(proxy.reply)
        if proxy.reply != CONNECTED:
            writer.close()
            return
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pump(reader, upstream_writer), pump(upstream_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy


def through(proxy: Proxy, scheme: str) -> Transport:
    """Connections to a named host through a proxy."""
    environ = {"ALL_PROXY": f"{scheme}://user:secret@127.0.0.1:{proxy.port}"}
    return connections.to_url("http://api.example.com/v1", HASTY, environ=environ)


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_t13_a_socks_proxy_is_used(scheme: str) -> None:
    """It is given its credentials, and the host's name to resolve."""
    async with ScriptedUpstream(answer(b"hello")) as upstream, socks5(urlsplit(upstream.url).port or 0) as proxy:
        transport = through(proxy, scheme)
        async with transport.exchange("GET", "/models") as exchange:
            assert await exchange.read_all(100) == b"hello"
        await transport.aclose()
    assert (proxy.login, proxy.names) == (b"user:secret", ["api.example.com"])
    assert upstream.requests[0].headers["host"] == "api.example.com"


async def test_t13_a_socks_proxy_that_refuses_is_told() -> None:
    """By what happened, without its address or password."""
    async with socks5(1) as proxy:
        proxy.reply = REFUSED
        transport = through(proxy, "socks5")
        with pytest.raises(RixinError) as caught:
            async with transport.exchange("GET", "/models"):
                pass
        await transport.aclose()
    assert caught.value.kind is Kind.UPSTREAM_UNREACHABLE
    assert caught.value.message == "The upstream at api.example.com could not be reached: the proxy did not connect."
    assert "secret" not in str(caught.value.detail)
