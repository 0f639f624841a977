"""Fetches from real servers, friendly and hostile: M1 to M4, M7 and M8 of the security checklist."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import brotli
import pytest
import zstandard
from yarl import URL

from rixin.errors import RixinError
from rixin.media.allowance import Allowance
from rixin.media.fetch import MAX_REDIRECTS, Fetcher, FetchError, FetchTimeouts, Resolve, open_socket
from rixin.media.guard import Guard, parse_url
from tests.support.certificates import self_signed
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

HANG = 10.0
"""Seconds after which a test that should have ended counts as hanging."""
HASTY = FetchTimeouts(connect=1.0, head=0.3, total=0.6)
PATIENT = FetchTimeouts(connect=5.0, head=5.0, total=5.0)
OTHER = "127.0.0.2"
"""An address of this machine that no guard here lets anybody reach."""

fixed = partial(answer, content_type="image/png")


class Names:
    """A resolver of the test's own: each name has a list of answers, of which the last one stays."""

    def __init__(self, **answers: Sequence[str]) -> None:
        self.answers = [list(text.split()) for text in answers.get("rebind", ())]
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The next answer, whatever is asked."""
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def opened(
    resolve: Resolve | None = None, timeouts: FetchTimeouts = PATIENT, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Fetcher, None]:
    """A fetcher that may reach 127.0.0.1 beside the Internet."""
    fetcher = Fetcher(Guard(["127.0.0.1"]), timeouts, resolve=resolve, tls=tls)
    try:
        async with asyncio.timeout(HANG):
            yield fetcher
    finally:
        await fetcher.aclose()


async def fetch(
    url: str, limit: int = 2**20, resolve: Resolve | None = None, timeouts: FetchTimeouts = PATIENT
) -> bytearray:
    """What a URL holds."""
    async with opened(resolve, timeouts) as fetcher:
        return await fetcher.fetch(parse_url(url, "url"), Allowance(limit))


async def refused(url: str, **options: Resolve | FetchTimeouts) -> str:
    """Why a URL is not fetched, as the log tells it."""
    with pytest.raises(FetchError) as caught:
        await fetch(url, **options)  # pyright: ignore[reportArgumentType] - one of the two
    return str(caught.value)


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


async def test_m3_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch):
    """A proxy would resolve names anew, and reach what we do not."""
    async with ScriptedUpstream(fixed(b"proxied")) as proxy, ScriptedUpstream(fixed(b"direct")) as server:
        for variable in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        assert await fetch(server.url) == b"direct"
    assert not proxy.requests


# Addresses


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


# Redirects


def redirect(location: str, status: int = 302) -> Reply:
    """An answer that leads elsewhere."""
    return [Send(head(status, location=location, content_length="0"))]


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


# Time and size


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
