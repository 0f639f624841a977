"""What a client finds on one connection."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rixin.server.limits import Limits
from rixin.server.request import ClientLeftError, Request
from tests.server.raw import GET, Client, echo, nothing, read_all, serving, write_on
from tests.support.hang import HANG

POST = b"POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"PUT /c HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
EXPECTING = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n"

Step = Callable[[Request], Awaitable[None]]


async def test_a_connection_serves_one_request_after_the_other() -> None:
    """Whatever they are, until one says that it is the last."""
    async with serving(echo) as place:
        client = await place.connect()
        for request, told in ((GET, b"GET / "), (POST, b"POST /p hello"), (CHUNKED, b"PUT /c hello")) * 2:
            answer = await client.ask(request)
            assert (answer.status, answer.body) == (200, told)
            assert "connection" not in answer.headers
        answer = await client.ask(LAST + GET)
        assert (answer.body, answer.headers["connection"]) == (b"GET /last ", "close")
        assert await client.rest() == b""


async def test_every_answer_says_when_it_was_made() -> None:
    """In the one form that clients must write (RFC 9110, section 5.6.7)."""
    async with serving(echo) as place:
        answer = await place.ask()
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", answer.headers["date"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([GET, POST, CHUNKED]), min_size=1, max_size=5), st.lists(st.integers(1, 400)))
def test_requests_that_are_cut_anywhere_are_answered_in_order(several: list[bytes], cuts: list[int]) -> None:
    """Each by what it says, however they arrive."""
    data = b"".join(several) + LAST
    edges = [0, *sorted({edge for edge in cuts if edge < len(data)}), len(data)]
    told = {GET: b"GET / ", POST: b"POST /p hello", CHUNKED: b"PUT /c hello"}

    async def run() -> None:
        async with serving(echo) as place:
            client = await place.connect()
            for start, end in pairwise(edges):
                client.send(data[start:end])
                await asyncio.sleep(0)
            for each in several:
                assert (await client.answer()).body == told[each]
            assert (await client.answer()).body == b"GET /last "
            assert await client.rest() == b""

    asyncio.run(run())


async def test_who_asks_ahead_is_answered_in_order() -> None:
    """A slow answer holds up those that are asked for behind it, and no work on them begins."""
    go_on, begun = asyncio.Event(), list[str]()

    async def serve(request: Request) -> None:
        begun.append(request.head.path)
        if request.head.path == "/":
            await go_on.wait()
        await echo(request)

    async with serving(serve) as place:
        client = await place.connect()
        client.send(GET + POST)
        other = await place.connect()
        assert (await other.ask(CHUNKED)).status == 200
        client.send(CHUNKED[:40])
        assert (await other.ask(CHUNKED)).status == 200
        assert begun == ["/", "/c", "/c"]
        go_on.set()
        client.send(CHUNKED[40:])
        assert [(await client.answer()).body for _ in range(3)] == [b"GET / ", b"POST /p hello", b"PUT /c hello"]


async def test_who_asks_far_ahead_is_answered_in_part() -> None:
    """The last answer says that no other comes, and nothing of what was not answered was begun."""
    served = 0

    async def serve(request: Request) -> None:
        nonlocal served
        served += 1
        await echo(request)

    async with serving(serve, Limits(ahead=3)) as place:
        client = await place.connect()
        client.send(GET * 1000)
        answers = [await client.answer()]
        while "connection" not in answers[-1].headers:
            answers.append(await client.answer())
        assert await client.rest() == b""
        assert len(answers) == served == 4


async def test_a_body_is_asked_for_when_it_is_wanted() -> None:
    """And when it comes unasked, it is taken without (RFC 9110, section 10.1.1)."""
    async with serving(echo) as place:
        client = await place.connect()
        client.send(EXPECTING)
        assert (await client.head()).status == 100
        assert (await client.ask(b"hello")).body == b"POST / hello"
        assert (await client.ask(EXPECTING + b"hello")).body == b"POST / hello"
        client.send(EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0") + b"hello")
        assert (await client.answer()).status == 200


async def test_a_body_that_is_not_wanted_is_not_asked_for() -> None:
    """The connection ends, since nobody knows whether the body comes."""
    async with serving(nothing) as place:
        client = await place.connect()
        answer = await client.ask(EXPECTING)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await client.rest() == b""


async def test_a_body_that_nobody_reads_is_passed_over() -> None:
    """A small one: its connection serves the next request."""
    async with serving(nothing) as place:
        client = await place.connect()
        for _ in range(2):
            client.send(POST[:-3])
            assert (await client.answer()).status == 200
            client.send(POST[-3:])
        assert (await client.ask(POST + GET)).status == 200
        assert (await client.answer()).status == 200


async def test_who_sends_much_that_nobody_reads_can_read_why() -> None:
    """The answer is not lost by a reset, though the connection ends."""
    size = 2**22
    top = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size
    async with serving(nothing) as place:
        client = await place.connect()
        client.send(top + b"x" * size)
        assert (await client.answer()).status == 200
        assert await client.rest() == b""


async def test_an_answer_to_head_has_no_body() -> None:
    """It says how long the body would be, where that is known."""

    async def serve(request: Request) -> None:
        if request.head.path == "/whole":
            await request.respond(200, [], b"hello")
        else:
            await request.start(200, [])
            await request.write(b"hello")
            await request.finish()

    async with serving(serve) as place:
        client = await place.connect()
        for path, length in ((b"/whole", "5"), (b"/parts", None)):
            client.send(b"HEAD %b HTTP/1.1\r\nhost: a\r\n\r\n" % path)
            answer = await client.answer(bodiless=True)
            assert answer.headers.get("content-length") == length
        assert (await client.ask()).body == b"hello"


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_without_body_have_none(status: int) -> None:
    """Not even an empty one, behind which others might be looked for."""

    async def serve(request: Request) -> None:
        if request.head.method == "GET":
            await request.respond(status, [], b"")
        else:
            await request.start(status, [])
            await request.finish()

    async with serving(serve) as place:
        client = await place.connect()
        for request in (GET, POST, GET):
            client.send(request)
            answer = await client.answer(bodiless=True)
            assert answer.status == status
            assert not {"content-length", "transfer-encoding"} & answer.headers.keys()


async def _in_parts(request: Request) -> None:
    await request.start(200, [])
    for piece in (b"hello, ", b"", b"world"):
        await request.write(piece)
    await request.finish()


async def test_an_answer_of_unknown_length_comes_in_chunks() -> None:
    """One for each piece, none for what is empty."""
    async with serving(_in_parts) as place:
        client = await place.connect()
        client.send(GET * 2)
        for _ in range(2):
            await client.head()
            assert [await client.chunk() for _ in range(3)] == [b"hello, ", b"world", b""]


async def test_old_clients_are_sent_no_chunks() -> None:
    """The end of the connection is the end of the answer, which says so."""
    async with serving(_in_parts) as place:
        client = await place.connect()
        client.send(OLD)
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"hello, world", "close")
        assert "transfer-encoding" not in answer.headers


async def test_a_piece_arrives_before_the_next_is_made() -> None:
    """Nothing of a stream is held back."""
    go_on = asyncio.Event()

    async def serve(request: Request) -> None:
        await request.start(200, [])
        await request.write(b"first")
        await go_on.wait()
        await request.finish()

    async with serving(serve) as place:
        client = await place.connect()
        client.send(GET)
        await client.head()
        assert await client.chunk() == b"first"
        go_on.set()
        assert await client.chunk() == b""


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: b", b"a\nb", b"a\rb", b"a\0b", b"a\r\n\r\nHTTP/1.1 200 OK"])
async def test_no_header_begins_another_one(value: bytes) -> None:
    """Nothing of such an answer is sent: its client is told that something went wrong."""

    async def serve(request: Request) -> None:
        await request.respond(200, [(b"x", value)], b"hello")

    async with serving(serve) as place:
        client = await place.connect()
        answer = await client.ask()
        assert (answer.status, answer.headers["connection"]) == (500, "close")
        assert "x" not in answer.headers
        assert await client.rest() == b""


async def _fails(_request: Request) -> None:
    raise KeyError("secret")


async def _forgets(_request: Request) -> None:
    """Does not answer."""


async def _breaks_off(request: Request) -> None:
    await request.start(200, [])
    await request.write(b"hello")
    raise KeyError("secret")


async def _stops_short(request: Request) -> None:
    await request.start(200, [], 10)
    await request.write(b"hello")
    await request.finish()


async def _goes_too_far(request: Request) -> None:
    await request.start(200, [], 10)
    await request.write(b"hello")
    await request.write(b"hello, world")


async def test_who_answers_may_fail() -> None:
    """The client is told that, and not what."""
    async with serving(_fails) as place:
        answer = await place.ask()
    assert answer.status == 500
    assert b"secret" not in answer.body


async def test_an_answer_that_nobody_makes_is_none() -> None:
    """The connection ends without one."""
    async with serving(_forgets) as place:
        client = await place.connect()
        client.send(GET)
        with pytest.raises(asyncio.IncompleteReadError) as raised:
            await client.head()
        assert raised.value.partial == b""


@pytest.mark.parametrize("serve", [_breaks_off, _stops_short, _goes_too_far])
async def test_an_answer_that_breaks_off_is_cut(serve: Step) -> None:
    """Nobody can take it for complete."""
    async with serving(serve) as place:
        client = await place.connect()
        client.send(GET + GET)
        answer = await client.rest()
    assert answer.count(b"HTTP/1.1 200 OK") == 1
    assert answer.rstrip().endswith(b"hello")


REFUSED = (
    (400, b"GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n" + GET),
    (431, b"GET / HTTP/1.1\r\nhost: a\r\nx: " + b"x" * 2**17 + b"\r\n\r\n" + GET),
    (501, b"BREW / HTTP/1.1\r\n\r\n" + GET),
)


@pytest.mark.parametrize(("status", "data"), REFUSED)
async def test_nothing_behind_what_is_refused_is_answered(status: int, data: bytes) -> None:
    """It may be what somebody else smuggled in. What came before is answered first."""
    paths: list[str] = []

    async def serve(request: Request) -> None:
        paths.append(request.head.path)
        await echo(request)

    async with serving(serve) as place:
        client = await place.connect()
        client.send(POST + data)
        assert (await client.answer()).body == b"POST /p hello"
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert await client.rest() == b""
    assert paths == ["/p"]


async def test_a_body_that_is_none_is_refused() -> None:
    """Once it is read: whoever answers without it has answered."""
    broken = CHUNKED.replace(b"3\r\nllo", b"x\r\nllo")
    async with serving(echo) as place:
        client = await place.connect()
        answer = await client.ask(broken + GET)
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await client.rest() == b""
    async with serving(nothing) as place:
        client = await place.connect()
        assert (await client.ask(broken + GET)).status == 200
        assert await client.rest() == b""


async def test_a_client_that_sends_nothing_more_is_answered() -> None:
    """Whoever wants to know is told that it may have gone."""
    told = asyncio.Event()

    async def serve(request: Request) -> None:
        request.watch(told.set)
        await told.wait()
        await echo(request)

    async with serving(serve) as place:
        client = await place.connect()
        client.send(GET + POST)
        client.writer.write_eof()
        assert [(await client.answer()).body for _ in range(2)] == [b"GET / ", b"POST /p hello"]
        assert await client.rest() == b""


@pytest.mark.parametrize("sent", [b"", GET[:-2], GET, POST + b"GET"])
async def test_a_client_that_leaves_between_requests_is_let_go(sent: bytes) -> None:
    """Its connection is closed at once."""
    async with serving(echo) as place:
        client = await place.connect()
        client.send(sent)
        client.writer.write_eof()
        rest = await client.rest()
        assert rest.count(b"HTTP/1.1 200 OK") == (sent.count(b"\r\n\r\n"))


async def test_p4_who_answers_learns_at_once_that_the_client_left() -> None:
    """While they work, while they wait for the body, and while they write."""
    left = asyncio.Semaphore(0)

    async def works(request: Request) -> None:
        gone = asyncio.Event()
        request.watch(gone.set)
        await request.start(200, [])
        await gone.wait()
        left.release()

    async def reads(request: Request) -> None:
        await request.start(200, [])
        with pytest.raises(ClientLeftError):
            await read_all(request)
        left.release()

    async def writes(request: Request) -> None:
        await request.start(200, [])
        with pytest.raises(ClientLeftError):
            await write_on(request)
        left.release()

    for serve, sent in ((works, GET), (reads, POST[:-1]), (writes, GET)):
        async with serving(serve) as place:
            client = await place.connect()
            client.send(sent)
            await client.head()
            client.leave()
            async with asyncio.timeout(HANG):
                await left.acquire()


async def test_p5_a_client_that_reads_slowly_makes_the_writer_wait() -> None:
    """What is written and not taken stays bounded, and all of it arrives in the end."""
    piece, count, written = b"x" * 2**16, 1000, 0
    stuck = asyncio.Event()

    async def serve(request: Request) -> None:
        nonlocal written
        await request.start(200, [], len(piece) * count)
        for _ in range(count):
            await request.write(piece)
            written += len(piece)
            stuck.set()
        await request.finish()

    async with serving(serve) as place:
        client = await place.connect(limit=2**10)
        client.send(GET)
        await client.head()
        async with asyncio.timeout(HANG):
            before = -1
            while before != written:
                before = written
                await asyncio.sleep(0.2)
        assert written < len(piece) * count / 2
        body = await client.reader.readexactly(len(piece) * count)
        assert body == piece * count


async def test_p5_a_body_that_nobody_reads_makes_its_sender_wait() -> None:
    """What has come of it stays bounded until it is read."""
    go_on, size = asyncio.Event(), 2**26

    async def serve(request: Request) -> None:
        await go_on.wait()
        body = await read_all(request)
        await request.respond(200, [], b"%d" % len(body))

    async with serving(serve) as place:
        client = await place.connect()
        client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        transport = client.writer.transport
        async with asyncio.timeout(HANG):
            before = -1
            while before != (left := transport.get_write_buffer_size()):
                before = left
                await asyncio.sleep(0.2)
        assert left > size / 2
        go_on.set()
        assert (await client.answer()).body == b"%d" % size


async def test_p5_requests_that_wait_for_their_turn_make_their_sender_wait() -> None:
    """Nobody fills the server with what is not begun."""
    go_on, size = asyncio.Event(), 2**26

    async def serve(request: Request) -> None:
        await go_on.wait()
        await request.respond(200, [], b"%d" % len(await read_all(request)))

    async with serving(serve) as place:
        client = await place.connect()
        other = await place.connect()
        client.send(GET)
        other.send(GET)
        client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        async with asyncio.timeout(HANG):
            before = -1
            while before != (left := client.writer.transport.get_write_buffer_size()):
                before = left
                await asyncio.sleep(0.2)
        assert left > size / 2
        go_on.set()
        assert [(await client.answer()).body for _ in range(2)] == [b"0", b"%d" % size]


async def test_many_clients_at_once_have_their_own_answers() -> None:
    """None is given another's."""

    async def ask(client: Client, number: int) -> None:
        for turn in range(5):
            answer = await client.ask(b"GET /%d/%d HTTP/1.1\r\nhost: a\r\n\r\n" % (number, turn))
            assert answer.body == b"GET /%d/%d " % (number, turn)

    async with serving(echo) as place:
        clients = [await place.connect() for _ in range(100)]
        await asyncio.gather(*[ask(client, number) for number, client in enumerate(clients)])
