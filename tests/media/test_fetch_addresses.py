"""Where a fetch goes, and where it is led: M1 to M3 of the security checklist."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
from yarl import URL

from rixin.media.allowance import Allowance
from rixin.media.fetch import MAX_REDIRECTS, Fetcher
from rixin.media.fetch_error import FetchError
from rixin.media.guard import Guard
from rixin.media.hop import open_socket
from tests.media.fetching import PATIENT, Names, fetch, fixed, opened, redirect, refused
from tests.support.certificates import self_signed
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, head

OTHER = "127.0.0.2"
"""An address of this machine that no guard here lets anybody reach."""


@pytest.fixture
async def secret() -> AsyncIterator[tuple[int, list[str]]]:
    """A server at an address that may not be reached: its port, and who came all the same."""
    came: list[str] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(str(writer.get_extra_info("sockname")))
        writer.write(head(content_length="6") + b"secret")
        writer.close()

    try:
        server = await asyncio.start_server(serve, OTHER, 0)
    except OSError:
        pytest.skip(f"{OTHER} is no address of this system")
    yield server.sockets[0].getsockname()[1], came
    server.close()


async def test_m3_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch):
    """A proxy would resolve names anew, and reach what we do not."""
    async with ScriptedUpstream(fixed(b"proxied")) as proxy, ScriptedUpstream(fixed(b"direct")) as server:
        for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert await fetch(server.url) == b"direct"
    assert not proxy.requests


async def test_m1_a_literal_address_is_checked(secret: tuple[int, list[str]]):
    """Nobody connects to it, and the log tells why."""
    port, came = secret
    assert await refused(f"http://{OTHER}:{port}/") == (
        f"{OTHER}, port {port}, is at {OTHER}, which may not be fetched from"
    )
    assert not came


async def test_m1_a_name_of_this_machine_is_checked():
    """What the system's own resolver says of `localhost` is private, whichever address it is."""
    async with ScriptedUpstream(fixed(b"x")) as server:
        fetcher = Fetcher(Guard(), PATIENT)
        with pytest.raises(FetchError, match="may not be fetched from"):
            await fetcher.fetch(URL(server.url).with_host("localhost"), Allowance(10))
        await fetcher.aclose()
    assert not server.connections


async def test_m1_an_allowed_name_of_this_machine_is_fetched():
    """The system's resolver and the list of the settings together."""
    async with ScriptedUpstream(fixed(b"pixels")) as server:
        fetcher = Fetcher(Guard(["localhost"]), PATIENT)
        assert await fetcher.fetch(URL(server.url).with_host("localhost"), Allowance(10)) == b"pixels"
        await fetcher.aclose()


async def test_m2_a_name_that_changes_is_looked_up_once(secret: tuple[int, list[str]]):
    """The connection goes to the address that was checked, though the name has another one by then."""
    names = Names(rebind=["127.0.0.1", OTHER])
    port, came = secret
    seen: list[object] = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(writer.get_extra_info("sockname")[0])
        writer.write(head(content_length="6") + b"pixels")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    async with opened(names) as fetcher:
        url = URL(f"http://rebind.example:{port}/")
        assert await fetcher.fetch(url, Allowance(10)) == b"pixels"
        assert names.asked == 1
        assert seen == ["127.0.0.1"]
        with pytest.raises(FetchError, match="may not be fetched from"):
            await fetcher.fetch(url, Allowance(10))
    server.close()
    assert names.asked == 2
    assert not came


async def test_m2_a_redirect_to_the_same_name_is_checked_anew(secret: tuple[int, list[str]]):
    """A name may become private between two hops."""
    port, came = secret
    server = await asyncio.start_server(partial(_redirect, f"http://rebind.example:{port}/"), "127.0.0.1", port)
    names = Names(rebind=["127.0.0.1", OTHER])
    assert "may not be fetched from" in await refused(f"http://rebind.example:{port}/", resolve=names)
    server.close()
    assert names.asked == 2
    assert not came


async def _redirect(location: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(head(302, location=location, content_length="0"))
    writer.close()


@pytest.mark.parametrize(
    "answers",
    [f"127.0.0.1 {OTHER}", f"{OTHER} 127.0.0.1", "127.0.0.1 ::ffff:127.0.0.1", OTHER, f"{OTHER} {OTHER}"],
    ids=["M2 private last", "M2 private first", "M2 mapped last", "M2 CNAME to private", "M2 all private"],
)
async def test_m2_one_private_address_among_several_is_too_many(answers: str):
    """Which of them would be taken is the network's to say, and so none is."""
    async with ScriptedUpstream(fixed(b"x")) as server:
        url = str(URL(server.url).with_host("mixed.example"))
        assert "may not be fetched from" in await refused(url, resolve=Names(rebind=[answers]))
    assert not server.connections


async def test_m2_a_socket_is_opened_to_checked_addresses_only():
    """The last look at an address, right before the connection."""
    info = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    with pytest.raises(OSError, match="was not checked"):
        open_socket(frozenset({ip_address("127.0.0.1")}), (*info, (OTHER, 80)))
    open_socket(frozenset({ip_address("127.0.0.1")}), (*info, ("127.0.0.1", 80))).close()


async def test_m2_a_name_without_addresses_is_told():
    """An empty answer of a resolver is an answer."""

    async def nothing(_host: str, _port: int) -> Sequence[str]:
        return []

    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    assert await refused("http://a.example/", resolve=nothing) == "a.example has no address"
    assert "is not resolved" in await refused("http://a.example/", resolve=unknown)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_m3_redirects_are_followed(status: int):
    """Also to relative addresses."""

    def reply(request: Request) -> Reply:
        return fixed(b"pixels") if request.path == "/b.png" else redirect("../b.png", status)

    async with ScriptedUpstream(reply) as server:
        assert await fetch(f"{server.url}/a.png") == b"pixels"


@pytest.mark.parametrize(
    "location",
    [
        f"http://{OTHER}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "//10.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://user@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "http://127.0.0.1\\@example.com/",
        "http://[",
        "",
    ],
)
async def test_m3_a_redirect_is_checked_like_the_first_url(location: str):
    """What may not be asked for may not be led to."""
    async with ScriptedUpstream(redirect(location)) as server:
        why = await refused(server.url)
    assert "redirects to what" in why or "may not be fetched from" in why
    assert len(server.requests) == 1


async def test_m3_redirects_end():
    """A loop ends after three of them."""
    async with ScriptedUpstream(redirect("/v1")) as server:
        assert await refused(server.url) == f"more than {MAX_REDIRECTS} redirects"
    assert len(server.requests) == MAX_REDIRECTS + 1


async def test_m3_three_redirects_are_not_too_many():
    """The last of four addresses may answer."""
    replies = iter([redirect("/1"), redirect("/2"), redirect("/3"), fixed(b"pixels")])
    async with ScriptedUpstream(lambda _: next(replies)) as server:
        assert await fetch(server.url) == b"pixels"


async def test_m3_a_redirect_does_not_leave_tls(tmp_path: Path):
    """From `https` nobody is led to `http`, where anyone on the way may answer."""
    certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    async with ScriptedUpstream(fixed(b"x")) as plain:
        server = await asyncio.start_server(partial(_redirect, plain.url), "127.0.0.1", 0, ssl=context)
        url = URL(f"https://localhost:{server.sockets[0].getsockname()[1]}/")
        trusting = ssl.create_default_context(cafile=certificate)
        async with opened(Names(rebind=["127.0.0.1"]), tls=trusting) as fetcher:
            with pytest.raises(FetchError, match="redirects away from TLS"):
                await fetcher.fetch(url, Allowance(10))
        async with opened(Names(rebind=["127.0.0.1"])) as fetcher:
            with pytest.raises(FetchError, match="Certificate"):
                await fetcher.fetch(url, Allowance(10))
        server.close()
    assert not plain.connections
