"""How upstreams' bytes come, as a client sees them through the whole server.

The tests are named after the hard cases of bridges: T for the way of the bytes.
"""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.healing import healing_site
from tests.upstreams.scripted import DONE, Reply, Stall, answer, completion, completion_chunk, completion_events, stream
from tests.web.seen import ASKED, Body, Scripted, calling, part, see


def cut(data: bytes, size: int) -> list[bytes]:
    """Bytes in pieces."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 5])
async def test_t5_characters_may_be_split(tmp_path: Path, size: int) -> None:
    """A character of several bytes that comes in several reads is one character."""
    data = b"".join(completion_events(("塔 🗼", " é")))
    seen = await see(tmp_path, stream([*cut(data, size), DONE]))
    assert (seen.said, seen.end["type"]) == ("塔 🗼 é", "response.completed")


async def test_t5_bytes_that_are_no_text_hold_nothing_up(tmp_path: Path) -> None:
    """What follows them is read."""
    odd = completion_chunk({"content": "a?b"}).replace(b"?", b"\xff")
    seen = await see(tmp_path, stream([odd, completion_chunk({"content": "c"}), completion_chunk({}, "stop"), DONE]))
    assert (seen.said, seen.end["type"]) == ("a\N{REPLACEMENT CHARACTER}bc", "response.completed")


FRAMED: dict[str, bytes] = {
    "crlf": b"".join(completion_events()).replace(b"\n", b"\r\n"),
    "cr": b"".join(completion_events()).replace(b"\n", b"\r"),
    "no space": b"".join(completion_events()).replace(b"data: ", b"data:"),
    "comments": b": hi\n\n" + b": still\n\n".join(completion_events()),
    "fields": b"".join(b"event: message\nid: 7\nretry: 10\n" + data for data in completion_events()),
    "several lines": b"".join(completion_events()).replace(b',"model"', b',\ndata: "model"'),
    "byte order mark": b"\xef\xbb\xbf" + b"".join(completion_events()),
}


@pytest.mark.parametrize("size", [1, 4, 10**6])
@pytest.mark.parametrize("framing", FRAMED)
async def test_t6_events_are_framed_in_many_ways(tmp_path: Path, framing: str, size: int) -> None:
    """Every way that the standard allows, cut anywhere."""
    seen = await see(tmp_path, stream(cut(FRAMED[framing], size)))
    assert (seen.said, seen.end["type"]) == ("Paris 巴黎", "response.completed")


async def test_t7_a_line_may_be_very_long(tmp_path: Path) -> None:
    """Megabytes of arguments in one event."""
    arguments = json.dumps({"path": "x" * 3_000_000})
    data = completion_chunk(calling(part("read", arguments, index=0, id="c")))
    seen = await see(tmp_path, stream([*cut(data, 65536), completion_chunk({}, "tool_calls"), DONE]))
    assert seen.calls == [("read", arguments)]


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_t8_the_mark_of_the_end_may_be_missing(tmp_path: Path, path: str) -> None:
    """A finish is enough."""
    seen = await see(tmp_path, stream(completion_events()), path)
    ends = {CHAT: "data: [DONE]", MESSAGES: "message_stop", RESPONSES: "response.completed"}
    assert ends[path] in seen.text
    assert seen.row.error is None


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("asked", [True, False])
@pytest.mark.parametrize("reply", [stream([*completion_events(), DONE]), answer(completion())], ids=["sse", "json"])
async def test_t9_an_answer_is_given_as_it_was_asked_for(tmp_path: Path, path: str, asked: bool, reply: Reply) -> None:
    """A stream where a whole answer was asked for, and the other way round, is converted."""
    seen = await see(tmp_path, reply, path, stream=asked)
    assert (seen.status, seen.text.startswith("{")) == (200, not asked)
    assert "Paris" in seen.text
    assert "巴黎" in seen.text


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("status", [200, 403, 502])
async def test_t9_a_web_page_is_a_short_error(tmp_path: Path, path: str, status: int) -> None:
    """A firewall's page becomes a 502 of the client's dialect, in a sentence."""
    page = "<html><head><title>Attention Required!</title></head><body>" + "<p>x</p>" * 9000
    seen = await see(tmp_path, answer(page, status=status, content_type="text/html"), path)
    assert seen.status == 502
    error = json.loads(seen.text)["error"]
    assert "web page" in error["message"]
    assert len(seen.text) < 1000


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "waiting"])
async def test_t10_the_upstream_sees_the_client_leave(tmp_path: Path, path: str, begun: bool) -> None:
    """Within a second of it (the limit is ten), in the middle of an answer and before it; the log says who left."""
    upstream = Scripted(stream(completion_events()[:2], end=Stall()) if begun else [Stall()])
    async with healing_site(tmp_path, upstream, models=["m"], controls=False) as healing:
        body = {"model": "m", "stream": True, **ASKED[path]}
        headers = {"authorization": f"Bearer {healing.site.key}"}
        asking = asyncio.create_task(_ask(healing.site.client, healing.site.url + path, body, headers, upstream))
        await asyncio.wait_for(asking if begun else upstream.asked.wait(), 10)
        if not begun:
            asking.cancel()
            await asyncio.wait([asking])
        await asyncio.wait_for(upstream.left.wait(), 10)
        await healing.site.app.drain(10)
        await healing.site.ledger.flush()
        [row] = await healing.site.ledger.recent()
    assert (row.status, row.error) == (499, "cancelled")


async def _ask(
    client: aiohttp.ClientSession, url: str, body: Body, headers: dict[str, str], upstream: Scripted
) -> None:
    """Reads until the first words came, and leaves."""
    async with client.post(url, json=body, headers=headers) as response:
        while b"Paris" not in await response.content.readline():
            assert not upstream.left.is_set()
        response.close()
