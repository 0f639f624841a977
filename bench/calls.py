"""`python -m bench.calls`: how many calls of functions, Python's and C's, the server makes to answer a request.

Seconds depend on the machine and on who else uses it. Calls do not, and grow with what the interpreter has to do; so a
test holds them to `calls.toml`, and the request path cannot grow long again unnoticed.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import httptools
import uvloop

from bench.agent import agent_body
from bench.asks import CHAT, QUESTION, Ask
from bench.build import HOME, build
from bench.targets import provider_configuration, upstream
from rixin.accounts.key_rules import KeyWish
from rixin.cli import logs
from rixin.cli.compose import compose
from rixin.clock import SystemClock
from rixin.engines.control import ControlServer
from rixin.engines.control_messages import ListModels, Models, Request
from rixin.server.server import Server
from rixin.settings import load

BUDGET = HOME / "calls.toml"
WARM_UP, REQUESTS, ROUNDS = 30, 10, 12


@dataclass(frozen=True)
class Case:
    """A request that is counted."""

    path: str
    body: Mapping[str, object]


def _chat(ask: Ask) -> Case:
    return Case(CHAT.path, CHAT.body(ask))


_TRANSLATED: Mapping[str, object] = {
    "model": "mock",
    "max_tokens": 256,
    "messages": [{"role": "user", "content": QUESTION}],
}

CASES: Mapping[str, Case] = {
    "whole": _chat(Ask("mock")),
    "stream": _chat(Ask("mock", stream=True)),
    "translated": Case("/v1/messages", _TRANSLATED),
    "translated_stream": Case("/v1/messages", {**_TRANSLATED, "stream": True}),
    "agent": Case(CHAT.path, {**agent_body(QUESTION, size=0.75), "model": "mock", "stream": False}),
}
"""A whole answer and a stream of 204 events, both also in another dialect than the upstream's, and a request of 40 kB
with 10 tools."""


class Tally:
    """Counts calls by who makes them, while it is the context."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __enter__(self) -> "Tally":
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            self.calls[frame.f_code.co_filename] += 1


class Client(asyncio.Transport):
    """A client at the other end of a connection that no network carries."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__()
        self._key = key
        self._parser = httptools.HttpResponseParser(self)
        self._complete = asyncio.Event()
        self._connection = server.connection()
        self._connection.connection_made(self)

    async def ask(self, case: Case) -> None:
        """Sends a request and takes the answer.

        Raises:
            RuntimeError: It is an error.
        """
        body = json.dumps(case.body, separators=(",", ":"))
        top = f"POST {case.path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self._key}"
        self._complete.clear()
        self._connection.data_received(f"{top}\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        await self._complete.wait()
        if (status := self._parser.get_status_code()) != 200:
            raise RuntimeError(f"status {status}")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """The server sends."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The answer is complete."""
        self._complete.set()


async def _no_models(_peer: int, _request: Request) -> Models:
    return Models([])


@asynccontextmanager
async def _clients(port: int, folder: Path) -> AsyncGenerator[Callable[[], Client]]:
    """Makes clients of this server, which has one upstream, at a port of this machine."""
    config = folder / "rixin.toml"
    config.write_text(f"[server]\ndata_dir = {json.dumps(str(folder / 'data'))}\n{provider_configuration(port)}")
    control = ControlServer(folder / "control", {ListModels: _no_models})
    await control.start()
    try:
        async with compose(load(config), folder / "control", SystemClock(), config) as worker:
            key = await worker.keys.create_api_key(KeyWish(name="bench"))
            server = Server(worker.app.serve, refuse=worker.app.refuse)
            await server.start([])
            yield lambda: Client(server, key.key)
    finally:
        await control.aclose()


async def _count(client: Client, case: Case) -> Counter[str]:
    """The calls of `REQUESTS` requests: the fewest of several rounds, the others do something else besides."""
    for _ in range(WARM_UP):
        await client.ask(case)
    rounds: list[Counter[str]] = []
    for _ in range(ROUNDS):
        with Tally() as tally:
            for _ in range(REQUESTS):
                await client.ask(case)
        rounds.append(tally.calls)
    return min(rounds, key=lambda calls: calls.total())


async def _seconds(clients: Sequence[Client], case: Case) -> float:
    """Processor time of a request, with several clients at a time: the least of several rounds."""

    async def some(client: Client) -> None:
        for _ in range(REQUESTS):
            await client.ask(case)

    rounds: list[float] = []
    for _ in range(ROUNDS):
        began = time.process_time()
        await asyncio.gather(*map(some, clients))
        rounds.append((time.process_time() - began) / REQUESTS / len(clients))
    return min(rounds)


@dataclass(frozen=True)
class Cost:
    """What a request costs: its calls by the file that makes them, and seconds of processor time."""

    files: Mapping[str, float]
    seconds: float

    @property
    def calls(self) -> float:
        """All of its calls."""
        return sum(self.files.values())


def measure(names: Iterable[str], *, timed: bool = True) -> dict[str, Cost]:
    """What some cases cost; once in a process, whose log is written as ever and read by nobody."""
    costs: dict[str, Cost] = {}
    with (
        tempfile.TemporaryDirectory(prefix="rixin-") as folder,
        upstream(build().upstream, Path(folder)) as target,
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        with redirect_stderr(nowhere):
            logs.configure("info", "json")

        async def all_of_them() -> None:
            async with _clients(target.port, Path(folder)) as connect:
                for name in names:
                    tally = await _count(connect(), CASES[name])
                    files = {file: calls / REQUESTS for file, calls in tally.most_common()}
                    costs[name] = Cost(
                        files, await _seconds([connect() for _ in range(16)], CASES[name]) if timed else 0.0
                    )

        runner.run(all_of_them())
    return costs


def budget() -> dict[str, float]:
    """How many calls each case may cost."""
    return tomllib.loads(BUDGET.read_text(encoding="utf-8"))["calls"]


def main() -> None:
    """Prints what each case costs; with `--files`, who makes the calls."""
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=__doc__)
    parser.add_argument("--only", action="append", choices=CASES, help="repeat; all unless given")
    parser.add_argument("--files", action="store_true", help="print who makes them")
    parser.add_argument("--json", action="store_true", help="print the calls as JSON and nothing else")
    arguments = parser.parse_args(sys.argv[1:])
    costs = measure(arguments.only or CASES, timed=not arguments.json)
    if arguments.json:
        print(json.dumps({name: cost.calls for name, cost in costs.items()}))
        return
    allowed = budget()
    for name, cost in costs.items():
        print(f"{name}: {cost.calls:,.0f} calls of {allowed[name]:,.0f}, {cost.seconds * 1e6:,.0f} us")
        for file, calls in cost.files.items() if arguments.files else ():
            print(f"{calls:9,.1f} {file}")


if __name__ == "__main__":
    main()
