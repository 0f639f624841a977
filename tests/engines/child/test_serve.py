"""The life of the program: its start, its statuses, its ends."""

import asyncio
import json
import os
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rixin.engines.child.config import ChildConfig
from rixin.engines.child.status import Ready
from rixin.engines.process import Failed, Loading
from tests.engines.child.running import COMMAND, QWEN, SMOLLM2, Child, ask, encode_config, start
from tests.support.hang import HANG

STORY = "Tell me a long story about a fox."


def small(socket: Path) -> ChildConfig:
    """A child that starts quickly."""
    return ChildConfig(name="local", path=SMOLLM2, socket=socket, slots=2, context_length=1024)


def test_a_start_tells_what_is_loaded(smol_child: Child) -> None:
    """First how much of the weights is read, then that the library is at work, then what was loaded."""
    first, *parts, last, ready = smol_child.statuses
    assert first == last == Loading()
    told = [part.progress for part in parts if isinstance(part, Loading) and part.progress is not None]
    assert len(told) == len(parts) > 1
    assert told == sorted(told)
    assert told[-1] == 1
    assert isinstance(ready, Ready)
    assert (ready.context_length, ready.pool, ready.slots, ready.vision) == (4096, 4096, 2, False)
    assert ready.max_output_length == 4096
    assert ready.trained_context == 8192
    assert ready.architecture == "llama"
    assert ready.size_bytes == SMOLLM2.stat().st_size


def test_the_default_model_has_its_whole_window(qwen_child: Child) -> None:
    """A window of 32768 tokens, a pool of one window, answers of at most 8192."""
    ready = qwen_child.ready
    assert (ready.context_length, ready.pool, ready.max_output_length, ready.slots) == (32768, 32768, 8192, 4)


def test_sockets_are_for_their_owner_only(smol_child: Child) -> None:
    """Neither our socket nor the library's can be used by another user."""
    sockets = [*smol_child.config.socket.parent.iterdir()]
    assert len(sockets) == 2
    for path in sockets:
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH)
    assert stat.S_IMODE(smol_child.config.socket.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        (b"", "not a GGUF file"),
        (b"Not a model at all", "not a GGUF file"),
        ("half", "cut off"),
        (b"GGUF\x03\0\0\0" + b"\0" * 16, "architecture"),
    ],
    ids=["missing", "empty", "something else", "half a file", "a bare header"],
)
def test_a_bad_model_file_is_a_failure_with_a_reason(content: bytes | str | None, words: str, tmp_path: Path) -> None:
    """What is wrong with the file is the last that is said."""
    path = tmp_path / "model.gguf"
    if isinstance(content, str):
        content = SMOLLM2.read_bytes()[: SMOLLM2.stat().st_size // 2]
    if content is not None:
        path.write_bytes(content)
    config = ChildConfig(name="local", path=path, socket=tmp_path / "engine.sock")
    with start(config) as child:
        failed = child.statuses[-1]
        assert isinstance(failed, Failed)
        assert words in failed.message
        assert child.process.wait(HANG) == 1


def test_a_file_that_the_library_cannot_load_is_a_failure(tmp_path: Path) -> None:
    """A header that is in order is not yet a model."""
    data = SMOLLM2.read_bytes().replace(b"llama", b"lemma", 1)
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    with start(ChildConfig(name="local", path=path, socket=tmp_path / "engine.sock")) as child:
        failed = child.statuses[-1]
        assert isinstance(failed, Failed)
        assert "llama.cpp cannot load" in failed.message


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is how Linux has OpenMP")
def test_a_library_that_the_system_lacks_is_a_failure_that_tells_what_to_install(tmp_path: Path) -> None:
    """Without GNU's OpenMP, which no package brings, the program says so, and which package of the system has it."""
    (tmp_path / "libgomp.so.1").touch()
    environ = os.environ | {"LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run(COMMAND, input=b"", env=environ, capture_output=True, timeout=HANG, check=False)
    assert done.returncode == 1
    message = json.loads(done.stdout)["message"]
    assert str(tmp_path / "libgomp.so.1") in message
    assert "install libgomp1" in message


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"\n", "configuration"),
        (b'{"name": "local"}\n', "path"),
        (b'{"name": "local", "path": "a", "socket": "b", "slots": 0}\n', "slots"),
        (b'{"name": "local", "path": "a", "socket": "b", "colour": "red"}\n', "colour"),
    ],
)
def test_a_wrong_configuration_is_a_failure_by_name(line: bytes, words: str) -> None:
    """The field that is wrong is named."""
    done = subprocess.run(COMMAND, input=line, capture_output=True, timeout=HANG, check=False)
    assert done.returncode == 1
    assert words in json.loads(done.stdout)["message"]


async def test_nothing_but_statuses_comes_out_of_stdout(tmp_path: Path) -> None:
    """What the library prints, even at its most talkative, comes out of stderr."""
    config = ChildConfig(
        name="local", path=SMOLLM2, socket=tmp_path / "engine.sock", context_length=1024, log_level="debug"
    )
    with (tmp_path / "log").open("wb") as log, start(config, log) as child:
        await child.client().answer(ask("hi", max_tokens=2))
        child.process.send_signal(signal.SIGTERM)
        assert child.process.stdout is not None
        assert child.process.stdout.read() == b""
        assert {type(status) for status in child.statuses} == {Loading, Ready}
    assert b"llama" in (tmp_path / "log").read_bytes()


async def test_prompts_do_not_reach_the_log(tmp_path: Path) -> None:
    """Neither a request that is answered nor one that the library complains about leaves its words there."""
    with (tmp_path / "log").open("wb") as log, start(small(tmp_path / "engine.sock"), log) as child:
        client = child.client()
        await client.answer(ask("xyzzy", max_tokens=2))
        schema = {"type": "object", "properties": {"xyzzy": {"type": "string", "pattern": "^(xyzzy["}}}
        form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        await client.post(ask("xyzzy", max_tokens=2, response_format=form))
        await client.post(b"xyzzy")
        child.process.send_signal(signal.SIGTERM)
        assert child.process.wait(HANG) == 0
    assert b"answers on" in (tmp_path / "log").read_bytes()
    assert b"xyzzy" not in (tmp_path / "log").read_bytes()


async def test_sigterm_lets_answers_finish(socket_path: Path) -> None:
    """What runs comes to its end, nothing new is taken, and the sockets are gone."""
    with start(small(socket_path)) as child:
        client = child.client()
        running = asyncio.ensure_future(client.collected(ask(STORY, max_tokens=60, logit_bias={"2": -100})))
        await client.until_load(running=1)
        child.process.send_signal(signal.SIGTERM)
        response = await running
        assert response.usage is not None
        assert response.usage.completion == 60
        assert await asyncio.to_thread(child.process.wait, HANG) == 0
        assert [*socket_path.parent.iterdir()] == []


async def test_answers_that_outlast_the_grace_end_with_an_error(socket_path: Path) -> None:
    """After the deadline a stream is broken off by an error, never by something that looks like its end."""
    config = ChildConfig(name="local", path=SMOLLM2, socket=socket_path, context_length=4096, shutdown_grace=0.1)
    with start(config) as child:
        client = child.client()
        running = asyncio.ensure_future(client.stream_bytes(ask(STORY, max_tokens=3000, logit_bias={"2": -100})))
        await client.until_load(running=1)
        child.process.send_signal(signal.SIGTERM)
        data = await running
        assert json.loads(data.rpartition(b"data: ")[2])["error"]["code"] == "shutting_down"
        assert await asyncio.to_thread(child.process.wait, HANG) == 0


async def test_the_end_of_the_life_line_ends_the_child(socket_path: Path) -> None:
    """A child whose parent closes its stdin is gone at once, whatever it was doing."""
    with start(small(socket_path)) as child:
        client = child.client()
        running = asyncio.ensure_future(client.stream_bytes(ask(STORY, max_tokens=900)))
        await client.until_load(running=1)
        assert child.process.stdin is not None
        child.process.stdin.close()
        assert await asyncio.to_thread(child.process.wait, HANG / 10) == 0
        await asyncio.gather(running, return_exceptions=True)


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-m", "rixin.engines.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(sys.stdin.buffer.readline())
child.stdin.flush()
print(child.pid, flush=True)
for line in map(bytes.decode, child.stdout):
    print(line, end="", flush=True)
    if sys.argv[1] in line:
        break
sys.stdin.buffer.read()
"""


@pytest.mark.parametrize("moment", ["loading", '"progress":1.0', "ready"])
def test_a_child_does_not_outlive_a_parent_that_is_killed(moment: str, socket_path: Path) -> None:
    """Killed while the child reads the weights, while the library loads them or later: each time the child ends too."""
    config = ChildConfig(name="local", path=SMOLLM2 if moment == "ready" else QWEN, socket=socket_path)
    command = (sys.executable, "-c", PARENT, moment)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(encode_config(config))
        parent.stdin.flush()
        pid = int(parent.stdout.readline())
        while moment not in parent.stdout.readline().decode():
            pass
        descriptor = os.pidfd_open(pid) if sys.platform == "linux" else None
        parent.kill()
        assert descriptor is not None, "this test waits for a process that is not its own, by Linux's pidfd"
        assert select.select([descriptor], [], [], HANG / 10)[0] == [descriptor]
        os.close(descriptor)
