"""`rixin draw` at a terminal, against servers that tell how far they are and those that do not."""

import asyncio
import base64
import json
import os
import pty
import sys
from pathlib import Path

import pytest

from tests.cli.program import HANG_LIMIT, environment
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, stream

IMAGE = base64.b64encode(b"an image").decode()


def event(kind: str, **fields: object) -> bytes:
    """One event of a stream of images."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


PROGRESS = [
    event("image_generation.progress", stage="writing", part=0.0),
    event("image_generation.progress", stage="drawing", part=0.6),
]


def streams(*events: bytes) -> Reply:
    """A server's answer in these events, which says how far it is first."""
    return stream([*PROGRESS, b": keep-alive\n\n", *events])


async def drawn(upstream: ScriptedUpstream, path: Path, data_dir: Path) -> tuple[int, str]:
    """The exit code, and what a terminal was shown."""
    master, slave = pty.openpty()
    command = ("draw", "A cat", "-o", str(path), "-m", "m", "--base-url", upstream.url, "--data-dir", str(data_dir))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rixin", *command),
        stdin=slave, stdout=asyncio.subprocess.DEVNULL, stderr=slave,
        env=environment(data_dir) | {"TERM": "xterm", "COLUMNS": "120"},
    )  # fmt: skip
    os.close(slave)

    def read() -> str:
        shown = b""
        try:
            while data := os.read(master, 65536):
                shown += data
        except OSError:  # the program has ended
            pass
        os.close(master)
        return shown.decode()

    async with asyncio.timeout(HANG_LIMIT):
        shown = await asyncio.to_thread(read)
        return await process.wait(), shown


async def test_a_terminal_sees_how_far_it_is(data_dir: Path, tmp_path: Path) -> None:
    """The bar tells the stage and the part of the work; the file is there at the end."""
    whole = event("image_generation.completed", b64_json=IMAGE)
    async with ScriptedUpstream(lambda _: streams(whole)) as upstream:
        code, shown = await drawn(upstream, tmp_path / "a.png", data_dir)
    assert code == 0, shown
    assert "m: drawing" in shown
    assert "60%" in shown
    assert (tmp_path / "a.png").read_bytes() == b"an image"
    assert upstream.posted[0].json["stream"] is True


@pytest.mark.parametrize("refuses", [False, True])
async def test_servers_without_streams_are_understood(data_dir: Path, tmp_path: Path, refuses: bool) -> None:
    """Whether they look past the wish for one, or refuse it."""

    def reply(request: Request) -> Reply:
        if refuses and "stream" in request.json:
            return answer(json.dumps({"error": {"message": "Unknown parameter: stream", "code": "3"}}), status=400)
        return answer(json.dumps({"created": 1, "data": [{"b64_json": IMAGE}]}))

    async with ScriptedUpstream(reply) as upstream:
        code, shown = await drawn(upstream, tmp_path / "a.png", data_dir)
    assert code == 0, shown
    assert (tmp_path / "a.png").read_bytes() == b"an image"


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([event("error", error={"message": "the paint is dry"})], "the paint is dry"),
        ([], "holds no images"),
    ],
)
async def test_a_stream_without_an_image_is_an_error(
    data_dir: Path, tmp_path: Path, events: list[bytes], says: str
) -> None:
    """In the server's own words, where it has some."""
    async with ScriptedUpstream(lambda _: streams(*events)) as upstream:
        code, shown = await drawn(upstream, tmp_path / "a.png", data_dir)
    assert code == 1
    assert says in shown
    assert not (tmp_path / "a.png").exists()
