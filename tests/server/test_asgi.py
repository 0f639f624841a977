"""ASGI applications on this server, and those who answer its requests behind another one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from rixin.server.asgi import Message, Receive, Scope, Send
from rixin.server.asgi_app import serving as application
from rixin.server.asgi_request import AsgiRequest
from rixin.server.request import ClientLeftError, Request
from tests.server.raw import GET, echo, read_all, serving
from tests.support.hang import HANG


async def _echo(request: StarletteRequest) -> Response:
    body = await request.body()
    told = [request.method, request.url.path, request.url.query, request.headers["host"], request.headers.get("x-y")]
    told += [request.client is not None and request.client.host, body.decode()]
    return PlainTextResponse(" ".join(map(str, told)), headers={"x": "y"})


async def _count() -> AsyncIterator[bytes]:
    for number in range(3):
        yield b"%d" % number


async def _stream(_request: StarletteRequest) -> Response:
    return StreamingResponse(_count())


async def _fail(_request: StarletteRequest) -> Response:
    raise KeyError("secret")


STARLETTE = Starlette(
    routes=[
        Route("/a b", _echo, methods=["GET", "POST"]),
        Route("/stream", _stream),
        Route("/fail", _fail),
    ]
)


async def test_an_application_answers() -> None:
    """With all that the request said, whole or in pieces, over one connection."""
    async with serving(application(STARLETTE)) as place:
        client = await place.connect()
        for _ in range(2):
            top = b"POST /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Y: z\r\ncontent-length: 5\r\n\r\nhello"
            answer = await client.ask(top)
            assert answer.body == b"POST /a b c=d h z 127.0.0.1 hello"
            assert (answer.headers["x"], answer.headers["content-length"]) == ("y", str(len(answer.body)))
            answer = await client.ask(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n")
            assert (answer.body, answer.headers["transfer-encoding"]) == (b"012", "chunked")
        client.send(b"HEAD /stream HTTP/1.1\r\nhost: a\r\n\r\n")
        assert (await client.answer(bodiless=True)).status == 200
        assert (await client.ask(b"GET /fail HTTP/1.1\r\nhost: a\r\n\r\n")).status == 500


async def test_an_application_is_not_told_a_body_that_is_none() -> None:
    """Its client is told why."""
    async with serving(application(STARLETTE)) as place:
        answer = await place.ask(b"POST /a%20b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")
    assert answer.status == 400
    assert b"chunk size" in answer.body


async def test_an_application_is_told_that_its_client_left() -> None:
    """Whether it waits for the body or for that, and what it sends then is nobody's."""
    told = list[str]()
    over = asyncio.Semaphore(0)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["asgi"]["spec_version"] == "2.3"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while (message := await receive())["type"] != "http.disconnect":
            told.append(message["type"])
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x" * 2**16, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        assert (await receive())["type"] == "http.disconnect"
        over.release()

    async with serving(application(app)) as place:
        for sent in (GET, GET.replace(b"\r\n\r\n", b"\r\ncontent-length: 5\r\n\r\nhel")):
            client = await place.connect()
            client.send(sent)
            await client.head()
            client.leave()
            async with asyncio.timeout(HANG):
                await over.acquire()
    assert told == ["http.request", "http.request"]


START: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
END: Message = {"type": "http.response.body", "body": b""}
MORE: Message = {"type": "http.response.body", "body": b"HTTP/1.1 200 OK"}


@pytest.mark.parametrize("messages", [[MORE], [END], [START, START], [START, END, MORE]])
async def test_an_application_that_answers_in_no_order_is_stopped(messages: list[Message]) -> None:
    """Nothing of what it sends is taken for another answer."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    async with serving(application(app)) as place:
        client = await place.connect()
        client.send(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        rest = await client.rest()
    assert rest.count(b"HTTP/1.1") == 1


async def asked(
    serve: Any, messages: list[Message], *, gone: asyncio.Event | None = None, method: str = "POST"
) -> list[Message]:
    """What those who answer send through an ASGI server to whom a client sends messages."""
    sent: list[Message] = []
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": "/a",
        "query_string": b"",
        "headers": [],
        "client": ("c", 1),
    }
    await serve(AsgiRequest(scope, receive, send))
    return sent


async def test_behind_another_server_requests_are_the_same() -> None:
    """The body comes in pieces, and the answer has its length."""
    body: list[Message] = [
        {"type": "http.request", "body": b"hel", "more_body": True},
        {"type": "http.request", "body": b"lo"},
    ]
    start, end = await asked(echo, body)
    assert start["status"] == 200
    assert (b"content-length", b"13") in start["headers"]
    assert (end["body"], end["more_body"]) == (b"POST /a hello", False)
    assert (await asked(echo, body, method="HEAD"))[1]["body"] == b""


async def test_behind_another_server_pieces_are_sent_as_they_come() -> None:
    """Until the end."""

    async def serve(request: Request) -> None:
        await request.start(200, [])
        await request.write(b"a")
        await request.write(b"b")
        await request.finish()

    _, *pieces = await asked(serve, [])
    assert [(piece["body"], piece["more_body"]) for piece in pieces] == [(b"a", True), (b"b", True), (b"", False)]


async def test_p4_behind_another_server_a_client_may_leave() -> None:
    """Whoever answers is told, whether they read or have asked to be."""
    gone = asyncio.Event()

    async def reads(request: Request) -> None:
        gone.set()
        with pytest.raises(ClientLeftError):
            await read_all(request)

    async def works(request: Request) -> None:
        left = asyncio.Event()
        request.watch(left.set)
        gone.set()
        await asyncio.wait_for(left.wait(), HANG)
        request.unwatch()

    for serve in (reads, works):
        gone.clear()
        await asked(serve, [{"type": "http.request", "body": b"x", "more_body": True}], gone=gone)
