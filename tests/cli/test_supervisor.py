"""The supervisor as a program of its own, with real workers and engines under it."""

import asyncio
import contextlib
import os
import pty
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from rixin.cli.supervisor import ServerReady, control_socket
from rixin.engines.control import ControlClient
from rixin.engines.runtime_dir import remove_runtime_dir
from rixin.settings import Server, Settings
from tests.support.hang import HANG

PROGRAM = Path(__file__).with_name("supervised.py")


ATTACH = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
if sys.argv[-1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Runs a command in a session of its own, on the terminal of a descriptor."""


class Who(msgspec.Struct):
    """What a worker says of itself."""

    pid: int
    index: int
    first: bool
    control: str
    hang_ups: int
    """How often it was told to read the configuration."""


class Running:
    """One server under test."""

    def __init__(self, directory: Path, process: asyncio.subprocess.Process) -> None:
        self.directory = directory
        self.process = process
        self.ready: ServerReady | None = None

    async def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout
        return (await asyncio.wait_for(self.process.stdout.readline(), HANG)).decode().strip()

    async def until_ready(self) -> ServerReady:
        """Waits until it serves."""
        self.ready = msgspec.json.decode(await self.line(), type=ServerReady)
        return self.ready

    async def connect(self, order: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Gives an order to a worker."""
        assert self.ready
        reader, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.ready.port), HANG)
        writer.write(order.encode() + b"\n")
        return reader, writer

    async def who(self) -> Who:
        """Asks any worker who it is."""
        reader, writer = await self.connect("who")
        answer = await asyncio.wait_for(reader.read(), HANG)
        writer.close()
        return msgspec.json.decode(answer, type=Who)

    async def everybody(self, count: int) -> dict[int, Who]:
        """Asks until so many workers have answered, by their index."""
        found: dict[int, Who] = {}
        async with asyncio.timeout(HANG):
            while len(found) < count:
                who = await self.who()
                found[who.index] = who
        return found

    @property
    def control_socket(self) -> Path:
        """Where it answers programs."""
        return control_socket(Settings(server=Server(data_dir=self.directory)), os.environ)

    def control(self) -> ControlClient:
        """A client of its control socket."""
        return ControlClient(self.control_socket)

    async def wait(self) -> int:
        """Its exit code."""
        return await asyncio.wait_for(self.process.wait(), HANG)

    async def log(self) -> str:
        """All that it and its workers wrote, when the last of them has ended."""
        assert self.process.stderr
        return (await asyncio.wait_for(self.process.stderr.read(), HANG)).decode()


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts servers, which are gone after the test."""
    running: list[Running] = []

    async def start(
        *, workers: int = 1, port: int = 0, behaviour: str = "", name: str = "data", terminal: int | None = None
    ) -> Running:
        directory = tmp_path / name
        directory.mkdir(exist_ok=True)
        (directory / "a.gguf").write_bytes(gguf())
        process = await asyncio.create_subprocess_exec(
            *(() if terminal is None else (sys.executable, "-c", ATTACH, str(terminal))),
            sys.executable,
            str(PROGRAM),
            str(directory),
            str(workers),
            str(port),
            behaviour,
            pass_fds=() if terminal is None else (terminal,),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        running.append(Running(directory, process))
        return running[-1]

    yield start
    for server in running:
        with contextlib.suppress(ProcessLookupError):
            server.process.kill()
        await server.wait()
        await server.log()
        remove_runtime_dir(server.control_socket.parent)  # those that were killed could not


def gguf() -> bytes:
    """A model file without tensors."""
    key, value = b"general.architecture", b"llama"
    pair = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(value)) + value
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair


def is_gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def gone(pid: int) -> None:
    """Waits for the end of a process that is nobody's child here."""
    if sys.platform != "linux":
        while not is_gone(pid):  # noqa: ASYNC110 - other systems do not tell strangers of a process's end
            await asyncio.sleep(0.01)
        return
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, ended.set)
        await ended.wait()
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_server_is_ready_when_its_first_worker_is(start: Start) -> None:
    """What `on_ready` is told: an address that answers, the server's process, the first key."""
    server = await start()
    ready = await server.until_ready()
    assert ready == ServerReady(
        url=f"http://127.0.0.1:{ready.port}", port=ready.port, pid=server.process.pid, first_key="sk-rx-first"
    )
    who = await server.who()
    assert (who.index, who.first) == (0, True)


async def test_workers_share_one_port(start: Start) -> None:
    """All workers answer on the port that was found for the first, and only one of them prepares the store."""
    server = await start(workers=3)
    await server.until_ready()
    everybody = await server.everybody(3)
    assert sorted(index for index, who in everybody.items() if who.first) == [0]
    assert len({who.pid for who in everybody.values()}) == 3


async def test_killed_worker_comes_back_and_nobody_is_refused(start: Start) -> None:
    """Whoever connects while a killed worker is down waits for the next one on the same port."""
    server = await start()
    await server.until_ready()
    before = await server.who()
    os.kill(before.pid, signal.SIGKILL)
    after = await server.who()
    assert after.pid != before.pid
    server.process.terminate()
    assert "worker 0: ended unasked (signal SIGKILL)" in await server.log()


async def test_worker_is_never_given_up_once_it_served(start: Start) -> None:
    """A worker that fails more often in a row than the limit is asked for again, until it serves."""
    server = await start(behaviour="flaky")
    await server.until_ready()
    os.kill((await server.who()).pid, signal.SIGKILL)
    assert (await server.who()).index == 0
    server.process.terminate()
    assert "worker 0: stays down after 3 failures in a row: exit code 7" in await server.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_running_requests_end_before_the_server(start: Start, number: signal.Signals) -> None:
    """After SIGTERM or SIGINT a running request gets its whole answer, new ones are refused, the exit code is 0."""
    server = await start(workers=2)
    await server.until_ready()
    reader, writer = await server.connect("slow")
    assert await asyncio.wait_for(reader.readline(), HANG) == b"begun\n"
    server.process.send_signal(number)
    assert await asyncio.wait_for(reader.read(), HANG) == b"ended\n"
    writer.close()
    assert await server.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        await server.connect("who")


async def test_nothing_is_left_behind(start: Start) -> None:
    """After its end neither runtime directory nor children remain, and the next server may start."""
    server = await start()
    await server.until_ready()
    who = await server.who()
    directory = Path(who.control).parent
    assert directory.stat().st_mode & 0o777 == 0o700
    server.process.terminate()
    assert await server.wait() == 0
    assert not directory.exists()
    assert is_gone(who.pid)
    await (await start()).until_ready()


async def test_second_signal_ends_everything(start: Start) -> None:
    """Workers that do not end are killed by a second SIGTERM, long before their grace is over."""
    server = await start(behaviour="stubborn")
    await server.until_ready()
    who = await server.who()
    server.process.terminate()
    assert server.process.stderr
    while "running requests have" not in (await asyncio.wait_for(server.process.stderr.readline(), HANG)).decode():
        pass
    server.process.terminate()
    assert await server.wait() == 128 + signal.SIGTERM
    assert is_gone(who.pid)


async def test_o7_sighup_has_each_worker_read_the_configuration(start: Start) -> None:
    """It is passed on, and nothing ends; so it is under `nohup` and where there is no terminal."""
    server = await start(workers=2)
    await server.until_ready()
    before = await server.everybody(2)
    server.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(HANG):
        while any(who.hang_ups != 1 for who in (await server.everybody(2)).values()):
            pass
    assert {who.pid for who in (await server.everybody(2)).values()} == {who.pid for who in before.values()}
    server.process.terminate()
    assert await server.wait() == 0
    assert "SIGHUP: the configuration is read again" in await server.log()


@pytest.mark.parametrize("behaviour", ["", "nohup"])
async def test_o7_a_terminal_that_goes_ends_the_server(start: Start, behaviour: str) -> None:
    """Whoever closes the window ends it as by SIGTERM, unless it was started to outlive that."""
    master, terminal = pty.openpty()
    server = await start(behaviour=behaviour, terminal=terminal)
    os.close(terminal)
    await server.until_ready()
    server.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(HANG):
        while (await server.who()).hang_ups != 1:
            pass
    os.close(master)
    if behaviour == "nohup":
        async with asyncio.timeout(HANG):
            while (await server.who()).hang_ups != 2:
                pass
        server.process.terminate()
    assert await server.wait() == 0


async def test_children_end_when_the_supervisor_is_killed(start: Start) -> None:
    """After SIGKILL of the supervisor neither worker nor engine lives on."""
    server = await start(workers=2)
    await server.until_ready()
    pids = [who.pid for who in (await server.everybody(2)).values()]
    control = server.control()
    await control.ensure("a")
    (model,) = await control.list_models()
    assert model.pid
    await control.aclose()
    server.process.kill()
    await server.wait()
    for pid in (*pids, model.pid):
        await asyncio.wait_for(gone(pid), HANG)


async def test_second_server_on_the_same_data_is_refused(start: Start) -> None:
    """A second server on one data directory ends with an error that names the first one's process."""
    first = await start()
    await first.until_ready()
    second = await start()
    line = await second.line()
    assert line.startswith("error: another server")
    assert f"process {first.process.pid}" in line
    assert await second.wait() == 1
    assert (await first.who()).index == 0


async def test_lock_ends_with_a_killed_server(start: Start) -> None:
    """A server that was killed does not keep the next one off its data, and its stale sockets do not matter."""
    server = await start()
    await server.until_ready()
    server.process.kill()
    await server.wait()
    await server.log()
    await (await start()).until_ready()


@pytest.mark.parametrize("workers", [1, 2])
async def test_address_in_use_is_told(start: Start, workers: int) -> None:
    """A port that another server has is refused by its number, also where several sockets could share it."""
    first = await start(workers=workers)
    ready = await first.until_ready()
    await first.everybody(workers)
    second = await start(workers=workers, port=ready.port, name="other")
    assert await second.line() == (
        f"error: cannot listen on 127.0.0.1 port {ready.port}: Address already in use; "
        "another program is there, choose another port with --port"
    )


async def test_worker_that_cannot_start_ends_the_server(start: Start) -> None:
    """What the first worker says is wrong is the server's error."""
    server = await start(behaviour="broken")
    assert await server.line() == "error: the server cannot start: the database is locked"
    assert await server.wait() == 1


async def test_worker_that_crashes_at_start_ends_the_server(start: Start) -> None:
    """A first worker that crashes again and again ends the server instead of hanging it."""
    server = await start(behaviour="crashing")
    assert await server.line() == "error: the server cannot start: exit code 7"


async def test_programs_reach_the_local_models(start: Start) -> None:
    """The control socket, found by the settings, loads and lists models."""
    server = await start()
    await server.until_ready()
    control = server.control()
    ensured = await control.ensure("a")
    assert ensured.context_length == 4096
    assert [(status.model, status.state) for status in await control.list_models()] == [("a", "ready")]
    await control.aclose()


def test_supervisor_imports_no_server() -> None:
    """The supervisor's own modules bring in nothing of the rooms that serve, nor their libraries."""
    code = "import sys, rixin.cli.supervisor; print('\\n'.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=HANG)
    roots = {name.split(".")[0] for name in modules.stdout.split()}
    rooms = {name for name in modules.stdout.split() if name.startswith("rixin.")}
    unwanted = [f"rixin.{room}" for room in ("web", "server", "store", "service", "accounts", "routing", "limits")]
    assert not [name for name in rooms if name.startswith(tuple(unwanted))]
    assert not roots & {"sqlalchemy", "aiohttp", "httptools", "fastapi", "structlog", "xllamacpp", "typer"}
