"""A model that is loaded while somebody watches, by the real engine."""

import asyncio
import json
import os
import pty
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.cli.program import HANG_LIMIT, environment, rixin

SMOLLM = Path(__file__).parents[2] / ".cache" / "models" / "smollm2-135m.gguf"
ELSEWHERE = '[[providers]]\nname = "p"\nbase_url = "http://127.0.0.1:9"\nmodels = ["m"]\n'
"""With a provider the local model waits until it is asked for."""


class Terminal:
    """A terminal that keeps what it is sent."""

    def __init__(self) -> None:
        self._master, self.descriptor = pty.openpty()
        self.shown = ""
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        self.shown += os.read(self._master, 65536).decode(errors="replace")

    def close(self) -> None:
        """Reads what is left, and ends."""
        asyncio.get_running_loop().remove_reader(self._master)
        os.set_blocking(self._master, False)
        try:
            while data := os.read(self._master, 65536):
                self.shown += data.decode(errors="replace")
        except OSError:  # nothing is left
            pass
        os.close(self.descriptor)
        os.close(self._master)


@asynccontextmanager
async def run(
    terminal: Terminal, data_dir: Path, *arguments: str, **env: str
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`rixin` with its stderr on a terminal; ends with the context."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rixin", *arguments),
        cwd=data_dir.parent,
        env=environment(data_dir, {"TERM": "xterm", **env}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=terminal.descriptor,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(HANG_LIMIT):
            await process.communicate()


async def test_a_person_sees_how_far_a_model_is_loaded(data_dir: Path) -> None:
    """`models load` shows a bar and ends when the model answers; the server shows one on its own terminal."""
    data_dir.mkdir(exist_ok=True)
    (data_dir.parent / "rixin.toml").write_text(ELSEWHERE)
    servers, persons = Terminal(), Terminal()
    try:
        async with run(servers, data_dir, "serve", "--port", "0", "--json", "--model", str(SMOLLM)) as server:
            assert server.stdout is not None
            async with asyncio.timeout(HANG_LIMIT):
                told = json.loads(await server.stdout.readline())
            env = {"RIXIN_BASE_URL": told["url"], "RIXIN_API_KEY": (data_dir / "first-key").read_text().strip()}
            assert (await state(data_dir, env))["state"] == "stopped"
            async with run(persons, data_dir, "models", "load", "local", **env) as load:
                async with asyncio.timeout(HANG_LIMIT):
                    out, _ = await load.communicate()
            assert (load.returncode, out) == (0, b"loaded local\n")
            loaded = await state(data_dir, env)
            assert loaded["state"] == "ready"
            assert loaded["load"] == {"running": 0, "waiting": 0, "slots": 4, "reading": []}
    finally:
        servers.close()
        persons.close()
    assert "loading local" in persons.shown
    assert "loading local" in servers.shown
    assert "100%" in servers.shown


async def state(data_dir: Path, env: dict[str, str]) -> dict[str, object]:
    """What the server tells of the model that answers."""
    told = json.loads((await rixin("models", "ps", "--json", data_dir=data_dir, env=env)).out)
    return next(model for model in told if model["model"] == "local")
