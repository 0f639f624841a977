"""The real program, run as its users run it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import typer.testing
from msgspec import Struct

from rixin.settings import Settings, load
from tests.support.databases import served_environment

Invoke = Callable[..., typer.testing.Result]
"""Runs a command line in the test's own process."""

HANG_LIMIT = 60.0


class Result(Struct, frozen=True):
    """How a run of the program ended."""

    code: int
    out: str
    err: str


def environment(data_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without anybody's keys and settings, on a data directory of its own."""
    ours = ("RIXIN_", "OPENAI_", "NO_COLOR", "FORCE_COLOR", "HF_", "MODELSCOPE_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    clean |= {"RIXIN_DATA_DIR": str(data_dir), "COLUMNS": "100"}
    return clean | served_environment(data_dir) | dict(extra or {})


def settings_on(data_dir: Path) -> Settings:
    """The settings of every run of the program on a data directory that has no configuration."""
    return load(environ=environment(data_dir))


async def rixin(*arguments: str, data_dir: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Result:
    """Runs `rixin` to its end. The working directory is the data directory's parent."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rixin",
        *arguments,
        cwd=data_dir.parent,
        env=environment(data_dir, env),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(HANG_LIMIT):
            out, err = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Result(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def serving(
    data_dir: Path, *arguments: str, verb: str = "serve", **env: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A server of this command line; ends with the context."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rixin", verb, "--port", "0", *arguments),
        cwd=data_dir.parent,
        env=environment(data_dir, env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(process: asyncio.subprocess.Process, text: str) -> str:
    """What was printed up to the line that holds `text`."""
    assert process.stdout
    shown = ""
    async with asyncio.timeout(HANG_LIMIT):
        while text not in shown:
            line = await process.stdout.readline()
            assert line, f"the server ended after {shown!r}"
            shown += line.decode()
    return shown


async def ended(process: asyncio.subprocess.Process) -> tuple[int, list[str]]:
    """The exit code and the log, after SIGTERM."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(HANG_LIMIT):
        _, log = await process.communicate()
    assert process.returncode is not None
    return process.returncode, log.decode().splitlines()
