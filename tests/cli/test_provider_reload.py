"""A running server and providers that change: added, edited, broken, encrypted."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import update

from rixin.store.database import Database
from rixin.store.schema import providers
from tests.cli.program import ended, rixin, serving, until
from tests.support.databases import Place, execute, served_place
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, completion

KEY = "sk-a-key-of-nobody-1234"
LATEST = 50.0
"""Seconds within which a change must count; 5 are promised."""

PAUSE = 0.05
"""Seconds between two questions whether it does: nobody reads the log meanwhile, which must not fill its pipe."""


def upstream_of(*models: str) -> Callable[[Request], Reply]:
    """An upstream that lists models and answers with the first one's name."""

    def reply(request: Request) -> Reply:
        if request.path.endswith("/models"):
            return answer(json.dumps({"data": [{"id": name} for name in models]}))
        return answer(completion(f"I am {models[0]}"))

    return reply


def row(name: str, upstream: ScriptedUpstream, *more: str) -> str:
    """The lines of rixin.toml for a provider."""
    return "\n".join(["[[providers]]", f'name = "{name}"', f'base_url = "{upstream.url}"', *more, "", ""])


@dataclass
class Running:
    """A server of the real program."""

    url: str
    client: aiohttp.ClientSession
    process: asyncio.subprocess.Process
    data_dir: Path

    async def ask(self, model: str, **fields: Any) -> tuple[int, str, str]:
        """Status, answer or error, and what was changed."""
        body = {"model": model, "messages": [{"role": "user", "content": "Who?"}], **fields}
        async with self.client.post(f"{self.url}/v1/chat/completions", json=body) as response:
            tree = await response.json()
            text = tree["choices"][0]["message"]["content"] if response.ok else tree["error"]["message"]
            return response.status, text, response.headers.get("x-rixin-changes", "")

    async def problems(self) -> list[str]:
        """What the status tells of the configuration."""
        async with self.client.get(f"{self.url}/admin/v1/status") as response:
            return (await response.json())["problems"]

    async def until_answered(self, model: str, wanted: str, *, often: int = 1) -> None:
        """Waits until a model's answer is this one, so often in a row."""
        found = 0
        async with asyncio.timeout(LATEST):
            while found < often:
                found = found + 1 if (await self.ask(model))[1] == wanted else 0
                await asyncio.sleep(PAUSE)

    async def until_told(self, text: str) -> None:
        """Waits until the status tells this, or nothing where the text is empty."""
        async with asyncio.timeout(LATEST):
            while not any(text in problem for problem in await self.problems()) if text else await self.problems():  # noqa: ASYNC110 - as above
                await asyncio.sleep(PAUSE)


@asynccontextmanager
async def running(data_dir: Path, *arguments: str, **env: str) -> AsyncGenerator[Running]:
    """A server, and a client with its first key."""
    async with serving(data_dir, "--json", *arguments, **env) as process:
        told = json.loads(await until(process, "listening"))
        key = (data_dir / "first-key").read_text().strip()
        # A connection for each request, so that each worker is asked.
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}, connector=connector) as client:
            yield Running(told["url"], client, process, data_dir)


@pytest.fixture
async def first(tmp_path: Path) -> AsyncIterator[ScriptedUpstream]:
    """The upstream of a configuration file."""
    async with ScriptedUpstream(upstream_of("first")) as upstream:
        (tmp_path / "rixin.toml").write_text(row("filed", upstream))
        yield upstream


@pytest.mark.usefixtures("first")
async def test_a_provider_that_is_added_while_the_server_runs_is_used(data_dir: Path) -> None:
    """Each worker serves it with its key within seconds of the command, without a restart, and no more once removed."""
    async with (
        ScriptedUpstream(upstream_of("second")) as second,
        running(data_dir, "--workers", "2") as server,
    ):
        assert (await server.ask("second"))[0] == 404
        add = ("providers", "add", "new", "--base-url", second.url, "--api-key-stdin")
        added = await rixin(*add, data_dir=data_dir, stdin=KEY.encode())
        assert added.code == 0, added.err
        await server.until_answered("second", "I am second", often=30)
        asked = second.posted
        assert asked[0].headers["authorization"] == f"Bearer {KEY}"
        for file in data_dir.iterdir():
            if file.is_file():
                assert KEY.encode() not in file.read_bytes(), file.name
        assert (await rixin("providers", "remove", "new", "--yes", data_dir=data_dir)).code == 0
        async with asyncio.timeout(LATEST):
            while (await server.ask("new/second"))[0] == 200:  # noqa: ASYNC110 - another process decides when
                await asyncio.sleep(PAUSE)
        assert await server.ask("first") == (200, "I am first", "")
        code, log = await ended(server.process)
    assert code == 0
    assert KEY not in "".join(log)


async def test_a_key_that_is_replaced_is_used(data_dir: Path, first: ScriptedUpstream) -> None:
    """A key that the admin API is given while the server runs is the one that the upstream is sent."""
    async with running(data_dir) as server:
        wish = {"name": "api", "base_url": first.url, "api_keys": ["sk-the-first-key-0001"], "models": ["m"]}
        async with server.client.post(f"{server.url}/admin/v1/providers", json=wish) as response:
            assert response.status == 201
        await server.until_answered("api/m", "I am first")
        change = {"api_keys": ["sk-the-second-key-0002"]}
        async with server.client.patch(f"{server.url}/admin/v1/providers/api", json=change) as response:
            assert (await response.json())["api_keys"] == ["...0002"]
        await server.until_answered("api/m", "I am first")
    sent = [request.headers["authorization"] for request in first.posted]
    assert sent == ["Bearer sk-the-first-key-0001", "Bearer sk-the-second-key-0002"]


async def test_o7_the_file_is_followed_and_survives_mistakes(
    data_dir: Path, first: ScriptedUpstream, tmp_path: Path
) -> None:
    """An edited file counts; a broken one is told and leaves the last good one in force; a mended one counts again."""
    path = tmp_path / "rixin.toml"
    async with ScriptedUpstream(upstream_of("second")) as second, running(data_dir) as server:
        path.write_text(row("filed", first) + row("more", second) + '[aliases]\nbest = "second"\n')
        await server.until_answered("best", "I am second")
        path.write_text(row("filed", first) + "[[providers]\n")
        await server.until_told("is not valid TOML")
        assert (await server.ask("best"))[1] == "I am second"
        assert (await server.ask("first"))[1] == "I am first"
        checked = await rixin("config", "validate", data_dir=data_dir)
        assert (checked.code, "is not valid TOML" in checked.err) == (1, True)
        path.write_text(row("filed", first, 'preset = "nobody"'))
        await server.until_told("there is no preset 'nobody'")
        assert "no preset 'nobody'" in (await rixin("config", "validate", data_dir=data_dir)).err
        assert (await server.ask("best"))[1] == "I am second"
        path.write_text(row("filed", second))
        await server.until_told("")
        await server.until_answered("filed/second", "I am second")
        assert (await server.ask("best"))[0] == 404
        _, log = await ended(server.process)
    told = [json.loads(line) for line in log if "configuration cannot be used" in line]
    assert [record["level"] for record in told] == ["error", "error"]


async def test_o7_sighup_has_the_file_read(data_dir: Path, first: ScriptedUpstream, tmp_path: Path) -> None:
    """At once, and although nothing that is looked at each second tells that it has changed."""
    path = tmp_path / "rixin.toml"
    path.write_text(row("filed", first) + '[aliases]\nsome = "first"\n')
    async with running(data_dir) as server:
        await server.until_answered("some", "I am first")
        before = path.stat()
        path.write_text(row("filed", first) + '[aliases]\nmore = "first"\n')
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        server.process.send_signal(signal.SIGHUP)
        await server.until_answered("more", "I am first")
        assert (await server.ask("some"))[0] == 404
        assert (await ended(server.process))[0] == 0


async def test_a_stored_provider_is_there_from_the_start(data_dir: Path, tmp_path: Path) -> None:
    """A server without a configuration file serves what was stored, and pulls no model that nobody asked for."""
    async with ScriptedUpstream(upstream_of("only")) as upstream:
        add = ("providers", "add", "up", "--base-url", upstream.url, "--preset", "sensenova")
        assert (await rixin(*add, data_dir=data_dir)).code == 0
        assert not (tmp_path / "rixin.toml").exists()
        async with serving(data_dir) as process:
            shown = await until(process, "local: ")
            assert f"up: {upstream.url}" in shown
            assert "downloaded when somebody first asks for it" in shown
        async with running(data_dir) as server:
            async with server.client.get(f"{server.url}/readyz") as response:
                assert response.status == 200
            status, text, changes = await server.ask("only", tool_choice="auto", user="ann", temperature=1)
            assert (status, text) == (200, "I am only")
            assert "(user)" in changes
    sent = [request.json for request in upstream.posted]
    assert sent == [{"model": "only", "messages": [{"role": "user", "content": "Who?"}], "temperature": 1}]


@pytest.mark.usefixtures("first")
async def test_another_root_secret_is_told(data_dir: Path) -> None:
    """A provider whose keys cannot be read is a problem in the status, and the others are served."""
    other, secret = data_dir.parent / "other", {"RIXIN_SECRET_KEY": bytes(range(50, 82)).hex()}
    add = ("providers", "add", "new", "--base-url", "https://new.example.com", "--no-check", "--api-key-stdin")
    for directory, env in ((data_dir, None), (other, secret)):
        assert (await rixin(*add, data_dir=directory, env=env, stdin=KEY.encode())).code == 0
    await _copy_sealed(served_place(other), served_place(data_dir))
    async with running(data_dir) as server:
        await server.until_told("The keys of the provider new are lost")
        assert (await server.ask("first"))[1] == "I am first"


async def _copy_sealed(source: Place, target: Place) -> None:
    """Puts keys in place that another root secret has encrypted."""
    [(sealed,)] = execute(source, "SELECT sealed FROM providers")
    database = Database(target)
    async with database.begin() as connection:
        await connection.execute(update(providers).values(sealed=sealed))
    await database.aclose()
