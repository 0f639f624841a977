"""The embedded model through the whole server, against the engine's own HTTP server on the same file."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.agent import AgentTurn, measure_turns
from bench.measure import Loader, LoadResult, median_ratio
from bench.processes import Process, wait_for_quiet
from bench.scenarios import CONCURRENCIES, EMBEDDED_TOKENS, embedded_prompt
from bench.stream import client_of, stream
from bench.targets import ALL_CORES, OUR_NAME, RixinServer, Target, free_port, in_turns, request, wait_until
from rixin.settings import Engine

NATIVE = "native"
"""llama.cpp's own server."""
CONTEXT = 32768
PROBE_RATE, PROBE_SECONDS = 50, 4


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """Some streams at a time on one server, all of them at once."""

    target: str
    concurrency: int
    round: int
    tokens: int
    seconds: float
    first_token_seconds: float
    """The median over the streams."""

    @property
    def tokens_per_second(self) -> float:
        """All streams together, prompts included in the time."""
        return self.tokens / self.seconds


class EmbeddedResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured on the embedded model."""

    model: str
    first_answer_seconds: float
    """From the start of a server with a fresh data directory to its first answer."""
    generations: list[Generation]
    probe: LoadResult
    """`/health` while four streams run: what the server's event loop lags, and the way there and back."""
    turns: list[AgentTurn] = []
    """Of an agent's conversations."""

    def rounds(self, target: str, concurrency: int) -> list[Generation]:
        """All rounds of a server at so many streams."""
        return [each for each in self.generations if (each.target, each.concurrency) == (target, concurrency)]

    def ratios(self, concurrency: int) -> tuple[float | None, float | None]:
        """Tokens a second and the time to the first one, each of llama.cpp's own server's; None where there is none."""
        ours, native = self.rounds(OUR_NAME, concurrency), self.rounds(NATIVE, concurrency)
        return (
            median_ratio([each.tokens_per_second for each in ours], [each.tokens_per_second for each in native]),
            median_ratio([each.first_token_seconds for each in ours], [each.first_token_seconds for each in native]),
        )


@dataclass(frozen=True)
class Pair:
    """The two servers."""

    rixin: Target
    native: Target
    first_answer_seconds: float


def measure_embedded(
    model: Path, folder: Path, rounds: int, loader: Loader, tell: Callable[[str], None], *, turns: bool
) -> EmbeddedResult:
    """Measures both servers, turn by turn; with `turns`, also an agent's, which takes minutes."""
    generations: list[Generation] = []
    with _servers(model, folder) as pair:
        tell(f"embedded: first answer after {pair.first_answer_seconds:.1f} s")
        for number in range(rounds):
            for concurrency in CONCURRENCIES:
                for target in in_turns((pair.rixin, pair.native), number):
                    wait_for_quiet(loader.patience)
                    done = asyncio.run(_generate(target, concurrency, number))
                    tell(
                        f"embedded: round {number + 1}, {concurrency} at a time, {target.name}: "
                        f"{done.tokens_per_second:.1f} tokens/s, first token {done.first_token_seconds:.2f} s"
                    )
                    generations.append(done)
        probe = asyncio.run(_probe(pair.rixin, loader))
        wait_for_quiet(loader.patience)
        measured = asyncio.run(measure_turns(pair.rixin)) if turns else []
        for turn in measured:
            tell(f"embedded: {turn.name}: first token {turn.first_token_seconds:.1f} s, {turn.cached_tokens} cached")
    return EmbeddedResult(
        model=model.name,
        first_answer_seconds=pair.first_answer_seconds,
        generations=generations,
        probe=probe,
        turns=measured,
    )


@contextlib.contextmanager
def _servers(model: Path, folder: Path) -> Generator[Pair]:
    # On a busy machine streams wait long; that is to be measured, and not refused.
    configuration = (
        "[engine]\nqueue_deadline = 600\n\n"
        f'[[models]]\nname = "local"\npath = {json.dumps(str(model))}\ncontext_length = {CONTEXT}\n'
    )
    server = RixinServer(folder / "embedded", configuration)
    with server.run(ALL_CORES) as (process, _):
        rixin = server.target(process)
        hello = {"model": "local", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 4}
        first = wait_until(process, "the model", lambda: _answers(rixin, hello), pause=0.05)
        with _native(model, folder) as native:
            yield Pair(rixin, native, first)


def _answers(target: Target, body: object) -> bool:
    status, answer = request(target.port, "POST", target.chat_path, body, target.headers)
    if status not in (200, 503):
        raise RuntimeError(f"the embedded model answered with status {status}: {answer.decode(errors='replace')}")
    return status == 200


@contextlib.contextmanager
def _native(model: Path, folder: Path) -> Generator[Target]:
    port, settings = free_port(), Engine()
    threads = settings.threads or len(ALL_CORES)
    command = [sys.executable, "-m", "bench.native_engine", str(model), "--port", str(port)]
    command += ["--slots", str(settings.slots), "--threads", str(threads), "--context", str(CONTEXT)]
    process = Process(command, log=folder / "native.log", cores=ALL_CORES, environment={"OMP_WAIT_POLICY": "PASSIVE"})
    try:
        wait_until(process, "the native engine", lambda: request(port, "GET", "/health")[0] == 200)
        yield Target(NATIVE, port, process)
    finally:
        process.stop()


async def _generate(target: Target, concurrency: int, number: int) -> Generation:
    """Runs so many streams at once, each on a prompt of its own."""
    async with client_of(target) as client:
        began = time.monotonic()
        bodies = [_body(embedded_prompt(f"{number}.{concurrency}", index)) for index in range(concurrency)]
        done = await asyncio.gather(*(stream(client, target.port, body) for body in bodies))
        seconds = time.monotonic() - began
    firsts = sorted(answer.first_token_seconds for answer in done)
    return Generation(
        target=target.name,
        concurrency=concurrency,
        round=number,
        tokens=sum(answer.completion_tokens for answer in done),
        seconds=seconds,
        first_token_seconds=firsts[len(firsts) // 2],
    )


def _body(prompt: str) -> dict[str, object]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "local", "messages": messages, "max_tokens": EMBEDDED_TOKENS, "temperature": 0}


async def _probe(target: Target, loader: Loader) -> LoadResult:
    """Asks for `/health` while four streams run."""
    async with client_of(target) as client:
        streams = [
            asyncio.ensure_future(stream(client, target.port, _body(embedded_prompt("probe", index))))
            for index in range(4)
        ]
        arguments = ["-u", "/health", "-c", "1", "-r", str(PROBE_RATE), "-d", str(PROBE_SECONDS)]
        probe = await asyncio.to_thread(loader.run, target, arguments)
        await asyncio.gather(*streams)
    return probe
