"""How a server begins and ends, and what it does not wait for."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from rixin.server import server as module
from rixin.server.limits import Limits
from rixin.server.request import ClientLeftError, Request
from rixin.server.server import Server
from tests.server.raw import GET, Client, echo, nothing, read_all, serving, write_on
from tests.support.hang import HANG

SOON = 0.05
TOP = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n"
CLOSE = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")


async def test_deadlines_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without anybody asking."""
    monkeypatch.setattr(module, "_TICK", 0.01)
    async with serving(echo, Limits(idle=SOON)) as place:
        assert await (await place.connect()).rest() == b""


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_an_idle_connection_is_closed_in_time(before: int) -> None:
    """Before its first request, and between two."""
    async with serving(echo) as place:
        client = await place.connect()
        for _ in range(before):
            await client.ask()
        await place.deadline("_shut")
        place.pass_deadlines()
        assert await client.rest() == b""


@pytest.mark.parametrize("before", [b"", GET])
async def test_m4_a_head_that_comes_slowly_is_refused(before: bytes) -> None:
    """However often some of it comes."""
    async with serving(echo) as place:
        client = await place.connect()
        client.send(before + b"GET / HTTP/1.1\r\nhost: a\r\n")
        if before:
            assert (await client.answer()).status == 200
        first = await place.deadline("_refuse_late_head")
        for _ in range(10):
            client.send(b"x: y\r\n")
            await asyncio.sleep(SOON / 10)
        assert await place.deadline("_refuse_late_head") == first
        place.pass_deadlines()
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_m4_a_body_that_does_not_come_is_given_up() -> None:
    """Whoever waits for it is told that its sender has gone, and who does not wait is not disturbed."""
    go_on, ended = asyncio.Event(), asyncio.Event()

    async def serve(request: Request) -> None:
        assert await request.read() == b"hel"
        await go_on.wait()  # busy with something else
        with pytest.raises(ClientLeftError):
            await read_all(request)
        ended.set()

    async with serving(serve) as place:
        client = await place.connect()
        client.send(TOP)
        await place.deadline("abort")
        client.send(b"hel")
        await place.deadline(None)
        place.pass_deadlines()
        go_on.set()
        await place.deadline("abort")
        place.pass_deadlines()
        assert await client.rest() == b""
        await asyncio.wait_for(ended.wait(), HANG)


async def test_m4_a_body_that_nobody_reads_is_not_waited_for() -> None:
    """Its connection ends when it does not come."""
    async with serving(nothing) as place:
        client = await place.connect()
        assert (await client.ask(TOP + b"hel")).status == 200
        await place.deadline("abort")
        place.pass_deadlines()
        await place.empty()


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("top", [GET, CLOSE])
async def test_p5_a_client_that_takes_nothing_is_given_up(top: bytes, *, finished: bool) -> None:
    """Whoever writes to it is told that it has gone. One whose answer is complete has as much time to take it."""
    ended = asyncio.Event()

    async def serve(request: Request) -> None:
        if finished:
            await request.respond(200, [], b"x" * 2**25)
            return
        await request.start(200, [])
        with pytest.raises(ClientLeftError):
            await write_on(request)
        ended.set()

    async with serving(serve) as place:
        client = await place.connect(limit=2**10)
        client.send(top)
        await client.head()
        if finished and top is GET:
            await place.deadline("_shut")
            place.pass_deadlines()
        await place.still("_check_client")
        place.pass_deadlines()
        await place.empty()
        if not finished:
            await asyncio.wait_for(ended.wait(), HANG)


async def test_a_client_that_takes_its_answer_slowly_is_not_given_up() -> None:
    """As long as it takes something between two looks at it."""
    size = 2**25

    async def serve(request: Request) -> None:
        await request.respond(200, [], b"x" * size)

    async with serving(serve) as place:
        client = await place.connect(limit=2**16)
        client.send(CLOSE)
        await client.head()
        for _ in range(8):
            left = await place.still("_check_client")
            await client.reader.readexactly(size // 16)
            assert await place.still("_check_client") < left
            place.pass_deadlines()
        assert len(await client.rest()) == size // 2


async def test_r3_a_server_that_goes_ends_what_is_under_way() -> None:
    """Answers that have begun are completed, those that begin say that they are the last; what is idle is closed, and
    nobody else is let in.
    """
    go_on, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def serve(request: Request) -> None:
        if request.head.path == "/streamed":
            await request.start(200, [])
        begun.release()
        await go_on.wait()
        if request.head.path != "/streamed":
            await echo(request)
            return
        await request.write(b"hello")
        await request.finish()

    async with serving(serve) as place:
        idle, streamed, whole, partial = [await place.connect() for _ in range(4)]
        streamed.send(b"GET /streamed HTTP/1.1\r\nhost: a\r\n\r\n")
        whole.send(GET + b"GET /b HTTP/1.1\r\nhost: a\r\n\r\n")
        for _ in range(2):
            await begun.acquire()
        partial.send(GET[:-2])
        await asyncio.sleep(SOON)
        await place.server.drain()
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await place.connect()
        go_on.set()
        partial.send(GET[-2:])
        assert (await partial.answer()).headers["connection"] == "close"
        assert (await streamed.answer()).body == b"hello"
        answers = [await whole.answer() for _ in range(2)]
        assert [answer.body for answer in answers] == [b"GET / ", b"GET /b "]
        assert [answer.headers.get("connection") for answer in answers] == [None, "close"]
        for client in (streamed, whole, partial):
            assert await client.rest() == b""
        await asyncio.wait_for(place.server.aclose(), HANG)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_r3_who_has_just_connected_is_answered_still(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Clients that the system has taken for the server are not reset when it stops to listen."""

    def read(client: socket.socket) -> bytes:
        client.settimeout(HANG)
        with client, client.makefile("rb") as answer:
            return answer.read()

    async def run() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        server = Server(echo)
        await server.start([listener])
        clients = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        for client in clients:
            client.sendall(GET)
        await server.drain()
        for client in clients:
            answer = await asyncio.to_thread(read, client)
            assert b"connection: close" in answer
            assert answer.endswith(b"GET / ")
        await asyncio.wait_for(server.aclose(), HANG)

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(run())


async def test_what_does_not_end_is_ended() -> None:
    """After the time that it has, whoever answers is cancelled."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def serve(request: Request) -> None:
        await request.start(200, [])
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with serving(serve) as place:
        client = await place.connect()
        client.send(GET)
        await asyncio.wait_for(begun.wait(), HANG)
        await asyncio.wait_for(place.server.aclose(SOON), HANG)
        assert cancelled.is_set()
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


async def test_a_server_may_listen_on_a_unix_socket(tmp_path: Path) -> None:
    """Its clients have no address."""

    async def serve(request: Request) -> None:
        await request.respond(200, [], f"{request.client}".encode())

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    server = Server(serve)
    await server.start([listener])
    client = Client(*await asyncio.open_unix_connection(tmp_path / "s"))
    assert (await client.ask()).body == b"None"
    client.leave()
    await asyncio.wait_for(server.aclose(), HANG)


@pytest.mark.parametrize("leave", [Client.leave, Client.close])
async def test_nothing_is_left_of_clients_that_left(leave: Callable[[Client], None]) -> None:
    """Neither a connection nor somebody at work."""
    async with serving(echo) as place:
        for _ in range(50):
            client = await place.connect()
            client.send(GET * 3)
            await client.answer()
            leave(client)
        await place.empty()
