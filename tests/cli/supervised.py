"""A server for the supervisor's tests: the real supervisor, with a worker and an engine of a few lines each.

Started as a program of its own: `python supervised.py DIRECTORY WORKERS PORT [BEHAVIOUR]`. It prints what `on_ready` is
told, as a line of JSON, and an error as a line after `error: `.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from rixin.cli.supervisor import ServerReady, Supervisor
from rixin.clock import SystemClock
from rixin.engines.background_pull import PullProgress
from rixin.engines.launcher import Launcher
from rixin.engines.process import Failed, Loading, Restart
from rixin.engines.process_pipes import Program
from rixin.errors import Kind, RixinError
from rixin.settings import Engine, LocalModel, Server, Settings

WORKER = r"""
import asyncio, json, os, signal, socket, sys, threading
from rixin.cli import worker_config

config = worker_config.decode(sys.stdin.buffer.readline())
behaviour = sys.argv[1]

def until_supervisor_ends():
    while os.read(0, 1024):
        pass
    os._exit(1)

def say(**status):
    print(json.dumps(status), flush=True)

async def main():
    stopping = asyncio.Event()
    busy, hang_ups = set(), []
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_ups.append, 1)

    async def answer(reader, writer):
        busy.add(asyncio.current_task())
        order = (await reader.readline()).decode().strip()
        if order == "who":
            who = {"pid": os.getpid(), "index": config.index, "first": config.first, "control": config.control_socket}
            who["hang_ups"] = len(hang_ups)
            writer.write(json.dumps(who).encode())
        if order == "slow":
            writer.write(b"begun\n")
            await stopping.wait()
            writer.write(b"ended\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        busy.discard(asyncio.current_task())

    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    servers = [await asyncio.start_server(answer, sock=socket.socket(fileno=number)) for number in config.listeners]
    say(type="ready", first_key="sk-rx-first" if config.first and config.show_first_key else None)
    await stopping.wait()
    for server in servers:
        server.close()
    if busy:
        await asyncio.wait(busy)

threading.Thread(target=until_supervisor_ends, daemon=True).start()
if behaviour == "broken":
    say(type="failed", message="the database is locked")
    sys.exit(1)
runs = config.settings.server.data_dir / "runs"
with runs.open("a") as file:
    file.write("x")
if behaviour == "crashing" or (behaviour == "flaky" and 1 < runs.stat().st_size < 7):
    sys.exit(7)
asyncio.run(main())
"""

ENGINE = """
import json, os, sys
sys.stdin.readline()
print(json.dumps({"type": "ready"}), flush=True)
sys.stdin.read()
"""


class EngineReady(Struct, frozen=True, tag="ready"):
    """What the engine of these tests says when it is ready."""

    context_length: int = 4096
    pool: int = 4096
    max_output_length: int = 512
    slots: int = 1
    vision: bool = False


async def no_pull(name: str, directory: Path, on_progress: Callable[[PullProgress], None]) -> Path:
    """Nothing can be pulled here."""
    raise RixinError(Kind.UPSTREAM_UNREACHABLE, f"no source could give the model {name}")


async def main(directory: Path, workers: int, port: int, behaviour: str) -> int:
    """Runs the server."""
    settings = Settings(
        server=Server(data_dir=directory, host="127.0.0.1", port=port, workers=workers),
        engine=Engine(memory_budget=1 << 30),
        models=(LocalModel(name="a", path=directory / "a.gguf"),),
    )
    supervisor = Supervisor(
        settings,
        pull=no_pull,
        launcher=Launcher(
            lambda spec, socket: Program(arguments=(sys.executable, "-c", ENGINE), configuration=b"{}"),
            msgspec.json.Decoder(Loading | Failed | EngineReady).decode,
        ),
        clock=SystemClock(),
        log=log,
        show_first_key=True,
        on_ready=tell,
        worker=(sys.executable, "-c", WORKER, behaviour),
        restart=Restart(first=0.02, longest=0.1, limit=3),
    )
    return await supervisor.run()


def log(source: str, line: str) -> None:
    """Writes what happens to stderr."""
    sys.stderr.write(f"{source}: {line}\n")


def tell(ready: ServerReady) -> None:
    """Prints what a server says when it is ready."""
    sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        code = asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [*sys.argv, ""][4]))
    except RixinError as error:
        sys.stdout.write(f"error: {error.message}\n")
        code = 1
    sys.exit(code)
