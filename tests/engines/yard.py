"""Fleets whose engines are a few lines of Python."""

import asyncio
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from rixin.clock import SystemClock
from rixin.engines.background_pull import PullProgress
from rixin.engines.control_messages import Notice
from rixin.engines.fleet import Fleet
from rixin.engines.launcher import Launcher
from rixin.engines.process import Failed, Loading
from rixin.engines.process_pipes import Program
from rixin.errors import RixinError
from rixin.settings import EMBEDDER, Engine, LocalModel, Provider, Server, Settings
from tests.support.hang import HANG

SIZE = 1_000_000
"""Bytes of a model's file, unless a test says otherwise."""
NEEDS = 1_100_000
"""Bytes of memory that such a model is reckoned with."""

CHILD = """
import json, os, sys
config = json.loads(sys.stdin.readline())
if "broken" in config["model"]:
    print(json.dumps({"type": "failed", "message": "no such tensor"}), flush=True)
    sys.exit(1)
if "slow" in config["model"]:
    print(json.dumps({"type": "loading", "progress": 0.5}), flush=True)
    sys.stdin.read()
ready = {"type": "ready", "context_length": config["context_length"], "pool": config["pool"], "pid": os.getpid()}
print(json.dumps(ready), flush=True)
sys.stdin.read()
"""


class Up(Struct, frozen=True, tag="ready"):
    """What the scripted engine says when it is ready."""

    context_length: int
    pool: int
    pid: int
    max_output_length: int = 512
    slots: int = 2
    vision: bool = False


class Source:
    """Where weights are pulled from, as a test decides."""

    error: RixinError | None = None

    def __init__(self) -> None:
        self.asked: list[tuple[str, Path]] = []
        self.on_progress: Callable[[PullProgress], None] = lambda _: None
        self.arrived: asyncio.Future[Path] = asyncio.get_running_loop().create_future()
        self.begun = asyncio.Event()

    async def pull(self, name: str, directory: Path, on_progress: Callable[[PullProgress], None]) -> Path:
        """Fails, or waits for the file to arrive."""
        self.asked.append((name, directory))
        if self.error:
            raise self.error
        self.on_progress = on_progress
        self.begun.set()
        return await asyncio.shield(self.arrived)


class Yard:
    """Makes fleets whose engines are a few lines of Python, and ends them after the test."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path
        self.script = tmp_path / "engine.py"
        self.script.write_text(CHILD)
        self.source = Source()
        self.notices: list[Notice] = []
        self.told = asyncio.Condition()
        self.lines: list[str] = []
        self.fleets: list[Fleet] = []

    def program(self, spec: LocalModel, socket: Path) -> Program:
        """How the scripted engine is started."""
        configuration = {"model": spec.name, "context_length": spec.context_length, "pool": spec.pool}
        return Program(arguments=(sys.executable, str(self.script)), configuration=msgspec.json.encode(configuration))

    def model(self, name: str, *, size: int = SIZE, keep_loaded: bool = False) -> LocalModel:
        """A model with a file of so many bytes."""
        path = self.path / f"{name}.gguf"
        path.write_bytes(gguf(size))
        return LocalModel(name=name, path=path, keep_loaded=keep_loaded)

    def embedder(self, _socket: Path) -> Program:
        """How a scripted embedder is started."""
        return self.program(LocalModel(name=EMBEDDER, path=Path(), context_length=512, pool=8), _socket)

    def fleet(
        self,
        *models: LocalModel,
        budget: int = 2 * NEEDS,
        providers: tuple[Provider, ...] = (),
        embedder_idle: float | None = None,
    ) -> Fleet:
        """A fleet of these models, in which two of the usual size have room; with an embedder where it may rest."""
        engine = Engine(memory_budget=budget, embedder_idle=embedder_idle or 0.0)
        settings = Settings(server=Server(data_dir=self.path), engine=engine, models=models, providers=providers)
        fleet = Fleet(
            settings,
            pull=self.source.pull,
            launcher=Launcher(
                self.program,
                msgspec.json.Decoder(Loading | Failed | Up).decode,
                None if embedder_idle is None else self.embedder,
            ),
            directory=self.path,
            clock=SystemClock(),
            log=lambda source, line: self.lines.append(f"{source}: {line}"),
            push=self.note,
        )
        self.fleets.append(fleet)
        return fleet

    def note(self, notice: Notice) -> None:
        """Keeps a notice, and wakes those who wait for it."""
        self.notices.append(notice)

        async def tell() -> None:
            async with self.told:
                self.told.notify_all()

        self.teller = asyncio.ensure_future(tell())

    async def until(self, met: Callable[[], bool]) -> None:
        """Waits for a notice after which a condition holds."""
        async with asyncio.timeout(HANG), self.told:
            await self.told.wait_for(met)


def gguf(size: int) -> bytes:
    """A model file of so many bytes: an architecture, a window, no tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    pairs = text("general.architecture") + struct.pack("<I", 8) + text("llama")
    pairs += text("llama.context_length") + struct.pack("<II", 4, 100_000)
    return (b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + pairs).ljust(size, b"\0")
