"""What the ledger says after upstreams broke, clients left and servers were killed: what the upstream reported, to the
token; and of what was cut, what was relayed.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.core.estimate import estimate_text
from tests.support.hang import HANG
from tests.support.kills import kill_all, processes, restarted
from tests.support.server import Server
from tests.upstreams.scripted import (
    DONE,
    Delay,
    Request,
    Reset,
    ScriptedUpstream,
    Stall,
    Step,
    answer,
    completion_chunk,
    event,
    stream,
)

pytestmark = [
    pytest.mark.timeout(500),
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes by /proc, which is Linux's"),
]

CANARY = "Grüße aus dem Kanarienvogelkäfig"
WORDS = ("Paris", " is the capital", " of France", " 巴黎", "!")
COUNTED = 7
"""Tokens that an upstream calls a word which counts all along, so that nobody confuses them with an estimate."""
BEHIND = 1.0
"""Seconds that a checkpoint may lie before a kill: ten times what is promised, since the machine may be busy."""
CONFIG = """
[[providers]]
name = "first"
base_url = "{first}"
api_keys = ["sk-up"]
models = ["fragile", "steady"]
retries = 1

[[providers]]
name = "second"
base_url = "{second}"
api_keys = ["sk-up"]
models = ["fragile", "steady"]
priority = 1
retries = 1

[prices."second/fragile"]
prompt = 1
completion = 2

[prices."second/steady"]
prompt = 1
completion = 2

[prices.fragile]
prompt = "3"
completion = "4"

[prices.steady]
prompt = "3"
completion = "4"

[plans.chaos]
limits = [
  {{ unit = "tokens", amount = 5000000, window = 18000 }},
  {{ unit = "money", amount = 8000000, window = 18000 }},
  {{ unit = "concurrency", amount = 12 }},
]
"""
AT_A_TIME = 12
"""Requests: as many as the plan admits. Each reserves half a unit of the currency, so that the plan's money is too
little for a lease, of which a killed process would keep what is left."""
LEASED = 5_000_000 // 4
"""Tokens that a process has leased at most."""
LONG = 11
PRICES = {"first": (3, 4), "second": (1, 2)}


@dataclass
class Upstreams:
    """What two upstreams do, by what a request says, and what they report."""

    asked: set[str] = field(default_factory=set[str])
    reported: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])

    def reply(self, name: str) -> Callable[[Request], Sequence[Step]]:
        """The replies of one of them."""

        def choose(request: Request) -> Sequence[Step]:
            if request.method != "POST":
                return answer('{"data": [{"id": "fragile"}, {"id": "steady"}]}')
            case = request.json["messages"][-1]["content"].removeprefix(CANARY)
            self.asked.add(case)
            kind, number = case.split("-")[1:]
            return self._steps(name, kind, int(number), case)

        return choose

    def _steps(self, name: str, kind: str, number: int, case: str) -> Sequence[Step]:
        words = [completion_chunk({"content": word}) for word in WORDS]
        finish = completion_chunk({}, "stop")
        match kind:
            case "broken":
                return answer('{"error": {"message": "no"}}', status=500)
            case "failover" if name == "first":
                return answer('{"error": {"message": "busy"}}', status=503)
            case "whole":
                message = {"role": "assistant", "content": "".join(WORDS)}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                body = {"id": "1", "object": "chat.completion", "created": 1, "model": "fragile", "choices": [choice]}
                return answer(json.dumps(body | {"usage": self._report(case, number)}))
            case "stream" | "failover":
                return stream(
                    [*words, finish, event({"id": "1", "choices": [], "usage": self._report(case, number)}), DONE]
                )
            case "silent":
                return stream([*words, finish, DONE])
            case "cut":
                return stream([*words[: 1 + number % 4], Delay(0.05)], end=Reset())
            case "counting":
                return stream([*self._counting(1 + number % 4), Delay(0.05)], end=Reset())
            case "leaver":
                return stream([*words[: 1 + number % 4]], end=Stall())
            case "long":
                return stream(
                    [*self._paced(300), finish, event({"choices": [], "usage": self._report(case, number)}), DONE]
                )
            case _:
                raise AssertionError(kind)

    def _report(self, case: str, number: int) -> dict[str, int]:
        self.reported[case] = (11 + number, 23 + 2 * number)
        prompt, completion = self.reported[case]
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}

    def _counting(self, words: int) -> Iterator[bytes]:
        for number, word in enumerate(WORDS[:words], 1):
            chunk = json.loads(completion_chunk({"content": word}).removeprefix(b"data: "))
            yield event(chunk | {"usage": {"prompt_tokens": 100, "completion_tokens": COUNTED * number}})

    def _paced(self, words: int) -> Iterator[bytes | Step]:
        for number in range(words):
            yield completion_chunk({"content": WORDS[number % len(WORDS)]})
            yield Delay(0.02)


@dataclass
class Seen:
    """What a client saw of a request."""

    case: str
    words: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    done: bool = False
    refused: str = ""
    """What was said instead of an answer."""

    @property
    def text(self) -> str:
        """What came."""
        return "".join(word for _, word in self.words)

    @property
    def relayed(self) -> int:
        """Tokens of what came, by our estimate."""
        return self.relayed_by(time.monotonic())

    def relayed_by(self, instant: float) -> int:
        """Tokens of what came before an instant."""
        return sum(estimate_text(word) for at, word in self.words if at < instant)


class Client:
    """Asks a server, and sees what becomes of it."""

    def __init__(self, server: Server, key: str, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._headers = {"authorization": f"Bearer {key}"}
        self._session = session
        self._some = asyncio.Semaphore(AT_A_TIME)
        self.seen: dict[str, Seen] = {}

    async def ask(self, case: str) -> None:
        """Asks for what a case says, when others make room for it."""
        async with self._some:
            await self._ask(case)

    async def _ask(self, case: str) -> None:
        """Takes the answer as far as it comes; a leaver leaves."""
        seen = self.seen[case] = Seen(case)
        kind, number = case.split("-")[1:]
        # A model that fails too often is left alone for a while, which the phases after the first do not wait for.
        model = "fragile" if number.startswith("1") else "steady"
        body = {"model": model, "stream": kind != "whole", "messages": [{"role": "user", "content": CANARY + case}]}
        headers = self._headers | {"x-request-id": case}
        with suppress(aiohttp.ClientError):
            async with self._session.post(
                f"{self._server.url}/v1/chat/completions", json=body, headers=headers
            ) as response:
                if kind == "whole" or response.status != 200:
                    said = await response.text()
                    seen.done = response.status == 200
                    seen.refused = "" if seen.done else said
                    return
                async for line in response.content:
                    if line == b"data: [DONE]\n":
                        seen.done = True
                    elif line.startswith(b"data: {"):
                        for choice in json.loads(line[6:]).get("choices", ()):
                            if text := choice["delta"].get("content"):
                                seen.words.append((time.monotonic(), text))
                    # Words that arrive together may be relayed as one.
                    if kind == "leaver" and seen.text == "".join(WORDS[: 1 + int(number) % 4]):
                        return

    def asked(self, upstreams: Upstreams) -> set[str]:
        """The cases of which something came, or with which an upstream was asked: each of them must have a row."""
        return {case for case, seen in self.seen.items() if seen.done or seen.words or case in upstreams.asked}

    async def rows(self) -> list[dict[str, Any]]:
        """All rows of the ledger."""
        rows: list[dict[str, Any]] = []
        before = ""
        while True:
            page = await self.get(f"/usage/recent?limit=1000{before}")
            rows += page["data"]
            if page["next"] is None:
                return rows
            before = f"&before={page['next']}"

    async def rows_of(self, cases: set[str]) -> dict[str, dict[str, Any]]:
        """The rows of cases, once each has at least one; none may have two."""
        async with asyncio.timeout(HANG):
            while True:
                rows = [row for row in await self.rows() if row["id"].startswith("case-")]
                found = Counter(row["id"] for row in rows)
                if cases <= found.keys():
                    assert set(found.values()) <= {1}
                    return {row["id"]: row for row in rows}
                await asyncio.sleep(0.2)

    async def get(self, path: str) -> Any:
        """What the admin API says."""
        async with self._session.get(f"{self._server.url}/admin/v1{path}", headers=self._server.headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def until_at_rest(self, rows: dict[str, dict[str, Any]], *, leased: int = 0) -> None:
        """Waits until the plan counts what the rows tell, and nothing else.

        Args:
            rows: All of the key's.
            leased: How many tokens killed processes may have leased, which nobody gives back.
        """
        cost = round(sum(float(row["cost"]) for row in rows.values()) * 1e6)
        tokens = sum(row["prompt_tokens"] + row["completion_tokens"] for row in rows.values())
        counted: dict[str, int] = {}
        try:
            async with asyncio.timeout(HANG):
                while True:
                    quotas = await self.get("/quotas")
                    counted = {view["unit"]: view["used"] for view in quotas["data"] if view["kind"] == "key"}
                    exact = (counted["concurrency"], counted["money"]) == (0, cost)
                    if exact and tokens <= counted["tokens"] <= tokens + leased:
                        return
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pytest.fail(f"{counted} is counted at rest, and {tokens} tokens for {cost} were used")


def check(rows: dict[str, dict[str, Any]], seen: dict[str, Seen], reported: dict[str, tuple[int, int]]) -> None:
    """Each row tells what its case came to, as far as no server was killed in it."""
    for case, what in seen.items():
        row, kind = rows[case], case.split("-")[1]
        tokens = (row["prompt_tokens"], row["completion_tokens"])
        match kind:
            case "whole" | "stream" | "failover" | "long" if what.done:
                assert (tokens, row["estimated"], row["error"]) == (reported[case], False, None), row
            case "silent" if what.done:
                assert (tokens[1], row["estimated"], row["error"]) == (what.relayed, True, None), row
            case "counting":
                assert (tokens, row["estimated"]) == ((100, COUNTED * len(what.words)), True), row
            case "cut" | "leaver":
                assert (tokens[1], row["estimated"]) == (what.relayed, True), row
                assert tokens[0] > 0
                assert row["error"] == ("cancelled" if kind == "leaver" else "upstream_interrupted")
            case _:
                assert not what.done, row
                assert tokens == (0, 0), row
        prompt, completion = PRICES[row["provider"]]
        assert float(row["cost"]) * 1e6 == pytest.approx(prompt * tokens[0] + completion * tokens[1], abs=1e-3)


async def until_relaying(client: Client, count: int) -> None:
    """Waits until so many of the long answers have come so far that a checkpoint must tell of them."""
    began = time.monotonic()
    while True:
        instant = time.monotonic() - BEHIND
        long = [seen for seen in client.seen.values() if "-long-" in seen.case]
        if sum(seen.relayed_by(instant) > 5 for seen in long) >= count:
            return
        assert instant < began + HANG, {seen.case: seen.refused or len(seen.words) for seen in long}
        await asyncio.sleep(0.05)


def check_killed(rows: dict[str, dict[str, Any]], seen: dict[str, Seen], killed: float) -> int:
    """Each row of a request that was cut by a kill tells what its last checkpoint had relayed; how many they are."""
    interrupted = 0
    for case, what in seen.items():
        row = rows.get(case)
        if row is None or row["error"] != "interrupted":
            continue
        interrupted += 1
        assert (row["status"], row["estimated"]) == (0, True)
        assert what.relayed_by(killed - BEHIND) <= row["completion_tokens"] <= what.relayed, (row, what.words[-1])
        assert (row["prompt_tokens"] > 0) == (row["completion_tokens"] > 0)
    return interrupted


def cases(phase: str, *kinds: str, count: int) -> list[str]:
    """So many of each kind."""
    return [f"case-{kind}-{phase}{number:02}" for number in range(count) for kind in kinds]


@asynccontextmanager
async def load(client: Client, phase: str) -> AsyncGenerator[list[str]]:
    """Long answers, and short ones one after the other, until they are broken off."""

    async def short() -> None:
        for case in cases(phase, "whole", "stream", count=99):
            await client.ask(case)

    long = cases(phase, "long", count=LONG)
    asking = [asyncio.create_task(work) for work in (*(client.ask(case) for case in long), short())]
    try:
        yield long
    finally:
        await asyncio.wait(asking, timeout=HANG)


@pytest.mark.parametrize("counters", ["database", "redis"])
async def test_the_ledger_equals_what_was_reported_and_relayed(
    launch: Callable[..., Server], request: pytest.FixtureRequest, counters: str
) -> None:
    """Through disconnects, errors, failovers and kills: no row is missing, none is double, every figure is right; and
    nothing is reserved for what is over.
    """
    redis = f'[server]\nredis_url = "{request.getfixturevalue("redis").url}"\n' if counters == "redis" else ""
    upstreams = Upstreams()
    async with (
        ScriptedUpstream(upstreams.reply("first")) as first,
        ScriptedUpstream(upstreams.reply("second")) as second,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(HANG)) as session,
    ):
        config = redis + CONFIG.format(first=first.url, second=second.url)
        server = launch(config=config)
        command = [*server.cli("keys", "create", "chaos", "--plan", "chaos", "--json"), "--config"]
        made = subprocess.run(
            [*command, str(server.data_dir / "test.toml")],
            env=server.environ, capture_output=True, text=True, check=True, timeout=HANG,
        )  # fmt: skip
        key = json.loads(made.stdout)["key"]
        client = Client(server, key, session)

        # Upstreams break, clients leave, and nothing is killed.
        asked = cases("1", "whole", "stream", "failover", "silent", "cut", "counting", "leaver", count=9)
        asked += cases("1", "broken", count=2)
        await asyncio.gather(*(client.ask(case) for case in asked))
        rows = await client.rows_of(set(asked))
        check(rows, client.seen, upstreams.reported)
        await client.until_at_rest(rows)

        # All is killed, and started again.
        client.seen.clear()
        async with load(client, "2"):
            await until_relaying(client, 10)
            kept = b"".join(path.read_bytes() for path in (server.data_dir / "journal").rglob("*") if path.is_file())
            killed = time.monotonic()
            kill_all(server)
        assert b"case-long-200" in kept
        assert CANARY.encode() not in kept
        assert key.encode() not in kept
        again = restarted(server, launch, "--workers", "2")
        before, client = client, Client(again, key, session)
        rows = await client.rows_of(before.asked(upstreams))
        done = {case: seen for case, seen in before.seen.items() if seen.done}
        check(rows, done, upstreams.reported)
        assert check_killed(rows, before.seen, killed) >= 10
        await client.until_at_rest(rows, leased=LEASED)

        # One of two workers is killed; the other one takes up what it left.
        client.seen.clear()
        async with load(client, "3"):
            await until_relaying(client, 10)
            killed = time.monotonic()
            os.kill(processes(again)[0], signal.SIGKILL)
        rows = await client.rows_of(client.asked(upstreams))
        check(rows, {case: seen for case, seen in client.seen.items() if seen.done}, upstreams.reported)
        assert check_killed(rows, client.seen, killed) >= 1
        await client.until_at_rest(rows, leased=2 * LEASED)

        await sums_are_right(client)
        assert len(processes(again)) == 2
        await until_journals(again, 2)


async def until_journals(server: Server, count: int) -> None:
    """Waits until there are so many journals: at rest those of the processes that live."""
    async with asyncio.timeout(HANG):
        while True:
            left = [path.name for path in (server.data_dir / "journal").iterdir()]
            if len(left) == count:
                return
            await asyncio.sleep(0.05)


async def sums_are_right(client: Client) -> None:
    """What is summed by the hour is what the rows come to."""
    rows = await client.rows()
    summary = await client.get("/usage/summary?group_by=provider")
    for total in summary["data"]:
        mine = [row for row in rows if row["provider"] == total["group"]]
        assert total["requests"] == len(mine)
        for name in ("prompt_tokens", "completion_tokens"):
            assert total[name] == sum(row[name] for row in mine)
        assert float(total["cost"]) == pytest.approx(sum(float(row["cost"]) for row in mine))
