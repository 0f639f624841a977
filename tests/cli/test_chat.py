"""`rixin chat` against a real HTTP server, and at a real terminal."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.program import HANG_LIMIT, Invoke, Result, environment, rixin
from tests.upstreams.scripted import (
    DONE,
    Cut,
    Reply,
    Request,
    ScriptedUpstream,
    Stall,
    answer,
    completion,
    completion_chunk,
    completion_events,
    stream,
)

WHOLE = [*completion_events(), DONE]
MODELS = json.dumps({"object": "list", "data": [{"id": "other"}, {"id": "local"}]})


def replies(*chats: Reply, models: str = MODELS) -> ScriptedUpstream:
    """A server that lists models and answers chats in turn, the last one for ever."""
    left = list(chats)

    def choose(request: Request) -> Reply:
        if request.path == "/v1/models":
            return answer(models)
        return left.pop(0) if len(left) > 1 else left[0]

    return ScriptedUpstream(choose)


async def chat(upstream: ScriptedUpstream, *arguments: str, data_dir: Path, stdin: bytes = b"") -> Result:
    """Runs `rixin chat` against a server."""
    return await rixin("chat", "--base-url", upstream.url, *arguments, data_dir=data_dir, stdin=stdin)


def sent(upstream: ScriptedUpstream, index: int = -1) -> dict[str, object]:
    """The body of a chat request."""
    return [request for request in upstream.requests if request.path.endswith("/completions")][index].json


async def test_a_question_is_answered(data_dir: Path) -> None:
    """The words go to stdout, nothing else does, and the key is sent as a bearer."""
    async with replies(stream(WHOLE)) as upstream:
        result = await chat(upstream, "--api-key", "k", "What is", "the capital?", data_dir=data_dir)
        assert (result.code, result.out, result.err) == (0, "Paris 巴黎\n", "")
        assert sent(upstream) == {
            "model": "local",
            "messages": [{"role": "user", "content": "What is the capital?"}],
            "stream": True,
        }
        assert upstream.requests[-1].headers["authorization"] == "Bearer k"


async def test_what_is_piped_in_is_added_to_the_question(data_dir: Path) -> None:
    """A text on stdin follows the question, or is the question."""
    async with replies(stream(WHOLE)) as upstream:
        await chat(upstream, "Summarise:", data_dir=data_dir, stdin="长文 text\n".encode())
        assert sent(upstream)["messages"] == [{"role": "user", "content": "Summarise:\n\n长文 text"}]
        await chat(upstream, data_dir=data_dir, stdin=b"only this")
        assert sent(upstream)["messages"] == [{"role": "user", "content": "only this"}]


async def test_flags_become_fields(data_dir: Path) -> None:
    """Model, system message, token limit and preset are in the request; a preset is all of its parameters."""
    async with replies(stream(WHOLE)) as upstream:
        await chat(
            upstream, "-m", "m", "--system", "Be brief.", "--max-tokens", "5", "--preset", "thinking-coding", "Hi",
            data_dir=data_dir,
        )  # fmt: skip
        assert len(upstream.requests) == 1, "a named model needs no list"
        assert sent(upstream) == {
            "model": "m",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
            "stream": True,
            "max_tokens": 5,
            "temperature": 0.6,
            "top_p": 0.95,
            "top_k": 20,
            "min_p": 0.0,
            "presence_penalty": 0.0,
            "repetition_penalty": 1.0,
        }


async def test_raw_events_are_printed_as_they_came(data_dir: Path) -> None:
    """`--json` prints one event a line, as the server wrote it."""
    async with replies(stream(WHOLE)) as upstream:
        result = await chat(upstream, "--json", "Hi", data_dir=data_dir)
    lines = result.out.splitlines()
    assert result.code == 0
    assert lines == [event.decode().removeprefix("data: ").strip() for event in WHOLE]


async def test_a_server_that_does_not_stream_is_understood(data_dir: Path) -> None:
    """A whole answer to a request for a stream is shown all the same."""
    async with replies(answer(completion())) as upstream:
        assert (await chat(upstream, "Hi", data_dir=data_dir)).out == "Paris 巴黎\n"


async def test_a_stream_that_breaks_off_is_an_error(data_dir: Path) -> None:
    """What came is shown, and that it was not all is said with exit code 1."""
    async with replies(stream([completion_chunk({"content": "Par"})], end=Cut())) as upstream:
        result = await chat(upstream, "Hi", data_dir=data_dir)
    assert (result.code, result.out) == (1, "Par\n")
    assert result.err.startswith("error: ")


async def test_the_servers_error_is_shown(data_dir: Path) -> None:
    """The server's own words are the error."""
    body = json.dumps({"error": {"message": "model is on holiday", "type": "x", "code": "5"}})
    async with replies(answer(body, status=404)) as upstream:
        result = await chat(upstream, "Hi", data_dir=data_dir)
    assert (result.code, result.out) == (1, "")
    assert "model is on holiday" in result.err


async def test_without_a_key_the_way_to_one_is_told(data_dir: Path) -> None:
    """A 401 to somebody who sent no key says how to give one."""
    body = json.dumps({"error": {"message": "no credential", "type": "x", "code": "16"}})
    async with replies(answer(body, status=401)) as upstream:
        result = await chat(upstream, "-m", "m", "Hi", data_dir=data_dir)
    assert result.code == 1
    assert "--api-key" in result.err
    assert "rixin keys create" in result.err


async def test_nobody_there_says_how_to_start_the_server(data_dir: Path) -> None:
    """Without a server on this machine the error is what to do."""
    result = await rixin("chat", "Hi", data_dir=data_dir, env={"RIXIN_PORT": "9"})
    assert result.code == 1
    assert result.err == "error: no server answers at http://127.0.0.1:9/v1. Start it with: rixin serve\n"


async def test_several_models_of_somebody_elses_server_are_not_guessed(data_dir: Path) -> None:
    """A server without `local` and with several models wants --model, and some are named."""
    models = json.dumps({"data": [{"id": "a"}, {"id": "b"}]})
    async with replies(stream(WHOLE), models=models) as upstream:
        result = await chat(upstream, "Hi", data_dir=data_dir)
    assert result.code == 1
    assert "--model; there are a, b" in result.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--preset", "wild", "Hi"], "thinking-general"),
        ([], "nothing to ask"),
        (["--max-tokens", "0", "Hi"], "equal to 1"),
    ],
)
def test_wrong_usage_is_told(invoke: Invoke, arguments: list[str], says: str) -> None:
    """Usage errors have exit code 2 and say what there is."""
    result = invoke("chat", *arguments)
    assert result.exit_code == 2
    assert says in " ".join(result.stderr.replace("│", "").split())


class Terminal:
    """A program at a pseudo-terminal."""

    def __init__(self, master: int, process: asyncio.subprocess.Process) -> None:
        self.shown = ""
        self.process = process
        self._master = master
        self._more = asyncio.Event()
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program has ended
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
        self.shown += data.decode()
        self._more.set()

    async def until(self, text: str) -> str:
        """What was shown up to `text`, which is taken away."""
        async with asyncio.timeout(HANG_LIMIT):
            while text not in self.shown:
                self._more.clear()
                await self._more.wait()
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, keys: str) -> None:
        """Types keys."""
        os.write(self._master, keys.encode())

    async def interrupt(self, text: str) -> None:
        """Types Ctrl-C until `text` is shown: one just before the prompt is read is heard with the next key only."""
        while True:
            self.type("\x03")
            with suppress(TimeoutError):
                async with asyncio.timeout(3):
                    await self.until(text)
                    return

    async def end(self) -> int:
        """The exit code."""
        async with asyncio.timeout(HANG_LIMIT):
            return await self.process.wait()


@asynccontextmanager
async def at_terminal(upstream: ScriptedUpstream, data_dir: Path, *arguments: str) -> AsyncGenerator[Terminal]:
    """`rixin chat` in a session of its own, whose terminal is ours to read and type at."""
    master, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rixin", "chat", "--base-url", upstream.url, *arguments),
        env=environment(data_dir, {"TERM": "xterm", "INPUTRC": "/dev/null"}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        preexec_fn=lambda: os.login_tty(0) if hasattr(os, "login_tty") else take_terminal(),
    )
    os.close(terminal)
    try:
        yield Terminal(master, process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        asyncio.get_running_loop().remove_reader(master)
        os.close(master)


def take_terminal() -> None:
    """Makes the standard input the controlling terminal, so that Ctrl-C comes as SIGINT."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def test_a_conversation_remembers(data_dir: Path) -> None:
    """Each question carries what was said before; /reset forgets it, /system changes it, /exit leaves."""
    async with replies(stream(WHOLE)) as upstream, at_terminal(upstream, data_dir) as terminal:
        assert "local at http://127.0.0.1" in await terminal.until(">>> ")
        terminal.type("capital?\n")
        assert "Paris 巴黎" in await terminal.until(">>> ")
        terminal.type("sure?\n")
        await terminal.until("Paris 巴黎")
        await terminal.until(">>> ")
        assert sent(upstream)["messages"] == [
            {"role": "user", "content": "capital?"},
            {"role": "assistant", "content": "Paris 巴黎"},
            {"role": "user", "content": "sure?"},
        ]
        terminal.type("/reset\n")
        await terminal.until("forgotten")
        terminal.type("/system Be brief.\n")
        await terminal.until("Be brief.\r\n")
        terminal.type("again\n")
        await terminal.until("Paris 巴黎")
        await terminal.until(">>> ")
        assert sent(upstream)["messages"] == [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "again"},
        ]
        terminal.type("/exit\n")
        assert await terminal.end() == 0


async def test_ctrl_c_stops_the_answer_and_not_the_conversation(data_dir: Path) -> None:
    """The server sees the client leave, what was said so far counts, and the next question is answered."""
    endless = stream([*completion_events()[:2], Stall()])
    async with replies(endless, stream(WHOLE)) as upstream, at_terminal(upstream, data_dir) as terminal:
        await terminal.until(">>> ")
        terminal.type("go on\n")
        await terminal.until("Paris")
        terminal.type("\x03")
        async with asyncio.timeout(HANG_LIMIT):
            await upstream.left.wait()
        assert "(stopped)" in await terminal.until(">>> ")
        terminal.type("and?\n")
        await terminal.until("Paris 巴黎")
        assert sent(upstream)["messages"] == [
            {"role": "user", "content": "go on"},
            {"role": "assistant", "content": "Paris"},
            {"role": "user", "content": "and?"},
        ]
        await terminal.until(">>> ")
        terminal.type("\x04")
        assert await terminal.end() == 0


async def test_ctrl_c_at_the_prompt_does_not_leave(data_dir: Path) -> None:
    """An empty Ctrl-C says how to leave."""
    async with replies(stream(WHOLE)) as upstream, at_terminal(upstream, data_dir) as terminal:
        await terminal.until(">>> ")
        await terminal.interrupt("/exit or Ctrl-D leaves")
        terminal.type("/nonsense\n")
        await terminal.until("/nonsense is not known")
        await terminal.until(">>> ")
        terminal.type("\x04")
        assert await terminal.end() == 0


async def test_an_error_ends_the_answer_and_not_the_conversation(data_dir: Path) -> None:
    """After an error the question is taken back, and the next one goes without it."""
    refused = answer(json.dumps({"error": {"message": "too busy", "type": "x", "code": "8"}}), status=429)
    async with replies(refused, stream(WHOLE)) as upstream, at_terminal(upstream, data_dir) as terminal:
        await terminal.until(">>> ")
        terminal.type("one\n")
        assert "too busy" in await terminal.until(">>> ")
        terminal.type("two\n")
        await terminal.until("Paris 巴黎")
        assert sent(upstream)["messages"] == [{"role": "user", "content": "two"}]


async def test_ctrl_c_ends_a_single_question(data_dir: Path) -> None:
    """One question that is interrupted ends the program with 130 and no traceback."""
    endless = stream([*completion_events()[:2], Stall()])
    async with replies(endless) as upstream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rixin", "chat", "--base-url", upstream.url, "Hi"),
            env=environment(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        assert process.stderr
        async with asyncio.timeout(HANG_LIMIT):
            assert await process.stdout.readexactly(5) == b"Paris"
            process.send_signal(signal.SIGINT)
            assert await process.wait() == 130
            assert b"Traceback" not in await process.stderr.read()
