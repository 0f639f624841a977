"""Many streams at once through the whole application."""

import asyncio
import dataclasses
import json
import resource
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.core.events import Finish, Start, Text
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.settings import Server, Settings
from tests.support.clients import CHAT, MESSAGES, RESPONSES, read_stream
from tests.support.engines import Step
from tests.support.hang import HANG
from tests.support.web import Site, site

STREAMS = 100
LATE = 40
PATHS = (CHAT, MESSAGES, RESPONSES)
PIECES = 20
MOST_GROWTH = 64 * 2**20
"""Bytes by which a hundred streams may make the process grow: what is kept of one is far below a megabyte."""


def asking(path: str, nonce: str) -> dict[str, Any]:
    """A request for a stream with a word that only it has."""
    said = {"input": nonce} if path == RESPONSES else {"messages": [{"role": "user", "content": nonce}]}
    return {"model": "m", "stream": True, "max_tokens": 99, **said}


def ids_of(stream: str) -> set[str]:
    """The ids that an answer bears."""
    events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: {")]
    return {
        told["id"]
        for event in events
        for told in (event, event.get("message", {}), event.get("response", {}))
        if "id" in told
    }


@pytest.mark.timeout(120)
async def test_o9_a_hundred_streams_at_once_keep_apart(tmp_path: Path) -> None:
    """All are open at the same time; each hears its own words under ids of its own, and memory stays bounded.

    Who comes while they are open hears the first of its own soon.
    """
    opened, go_on, arrived = asyncio.Event(), asyncio.Event(), 0

    def script(request: Generate) -> list[Step]:
        nonlocal arrived
        arrived += 1
        if arrived == STREAMS:
            opened.set()
        word = request.messages[-1].text
        pieces: list[Step] = [[Text(text=f"{word}.{number} ")] for number in range(PIECES)]
        begin: Step = [Start(id="up", created=1, model="m"), Text(text=f"{word}: ")]
        return [begin, go_on, *pieces, [Finish(reason="stop"), Usage(prompt=1, completion=PIECES)]]

    async def one(served: Site, number: int) -> str:
        path, nonce = PATHS[number % 3], f"nonce{number:03}"
        headers = {"authorization": f"Bearer {served.key}"}
        async with served.client.post(served.url + path, json=asking(path, nonce), headers=headers) as response:
            assert response.status == 200
            stream = await response.text()
        text, is_whole = read_stream(path, stream)
        assert is_whole
        assert text == f"{nonce}: " + "".join(f"{nonce}.{piece} " for piece in range(PIECES))
        return stream

    async def first_byte(served: Site, number: int) -> float:
        path, headers = PATHS[number % 3], {"authorization": f"Bearer {served.key}"}
        began = time.perf_counter()
        async with served.client.post(served.url + path, json=asking(path, "late"), headers=headers) as response:
            await response.content.readany()
            return time.perf_counter() - began

    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        served.engine.script = script
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client, asyncio.timeout(HANG):
            many = dataclasses.replace(served, client=client)
            streams = [asyncio.create_task(one(many, number)) for number in range(STREAMS)]
            await opened.wait()
            waits = sorted([await first_byte(many, number) for number in range(LATE)])
            go_on.set()
            told = await asyncio.gather(*streams)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_GROWTH
    ids = [ids_of(stream) for stream in told]
    assert all(len(own) == 1 for own in ids)
    assert len({each for own in ids for each in own}) == STREAMS
    for number, stream in enumerate(told):
        assert f"nonce{(number + 1) % STREAMS:03}" not in stream
    p95 = waits[LATE * 95 // 100 - 1]
    print(f"first byte while {STREAMS} streams are open: p95 {p95 * 1000:.1f} ms")  # noqa: T201 - a figure to read
