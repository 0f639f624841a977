"""Two real servers on one PostgreSQL behave as one, and so do two workers of one server on SQLite."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.databases import environment_of, new_place
from tests.support.hang import HANG
from tests.support.server import Server, await_workers, start
from tests.upstreams.scripted import Request, ScriptedUpstream, Step, answer, completion, completion_events, stream

pytestmark = pytest.mark.timeout(400)
SOON = 0.1
"""Seconds between two looks whether something is so."""
HEARD = 2.5
"""Seconds after which a server has heard of an upstream that rests; asked before, it would find out for itself."""
PLAN = """
[plans.few]
limits = [{ unit = "requests", amount = 10, window = 18000 }]
"""
NARROW = """
[[providers]]
name = "narrow"
base_url = "{url}"
api_keys = ["sk-narrow"]
models = ["narrow"]
limits = [{{ unit = "requests", amount = 10, window = 18000 }}]
"""
"""A provider that admits ten calls."""


class Pair:
    """Two servers that share a database, a directory of files, and an upstream; or one, of which each worker is one."""

    def __init__(
        self, servers: tuple[Server, Server], client: aiohttp.ClientSession, upstream: ScriptedUpstream
    ) -> None:
        self.one, self.other = servers
        self.client = client
        self.upstream = upstream
        self.key = self.one.key

    async def call(
        self, server: Server, method: str, path: str, body: Any = None, *, key: str | None = None, **sent: Any
    ) -> tuple[int, Any]:
        """A request to one of them: the status, and the body of the answer, read as JSON where it is any."""
        headers = {"authorization": f"Bearer {key or self.key}"}
        async with self.client.request(method, server.url + path, json=body, headers=headers, **sent) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith(("{", "[")) else text

    async def ask(self, server: Server, *, key: str | None = None, model: str = "m") -> int:
        """Asks for a chat completion. Returns the status."""
        body = {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
        return (await self.call(server, "POST", "/v1/chat/completions", body, key=key))[0]

    async def make(self, path: str, **wish: str) -> Any:
        """Makes what the admin API of the first one is asked for."""
        status, made = await self.call(self.one, "POST", f"/admin/v1/{path}", wish)
        assert status == 201, made
        return made

    async def rush(self, *keys: str | None, model: str = "m") -> tuple[int, int]:
        """Thirty requests at the same time, at either and with each key in turn: how many are served, and not."""
        turns = itertools.islice(itertools.cycle(itertools.product((self.one, self.other), keys)), 30)
        asked = [self.ask(server, key=key, model=model) for server, key in turns]
        statuses = await asyncio.gather(*asked)
        assert {*statuses} == {200, 429}
        return statuses.count(200), statuses.count(429)


class Upstream:
    """What both servers ask. It fails when it is told to."""

    failing = False

    def __call__(self, request: Request) -> list[Step]:
        """Chooses an answer."""
        if self.failing:
            return answer('{"error": {"message": "down"}}', status=500)
        if request.method == "GET":
            return answer('{"object": "list", "data": [{"id": "m"}, {"id": "n"}]}')
        if request.json.get("stream"):
            return stream([*completion_events(), b"data: [DONE]\n\n"])
        return answer(completion())


async def eventually(met: Callable[[], Awaitable[bool]]) -> None:
    """Waits until something is so: processes hear of each other within seconds."""
    async with asyncio.timeout(HANG):
        while not await met():  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(SOON)


@pytest.fixture
def script() -> Upstream:
    """The upstream's mind."""
    return Upstream()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the servers."""
    return tmp_path_factory.mktemp("pair")


@pytest.fixture(params=["servers", "workers"])
async def pair(request: pytest.FixtureRequest, script: Upstream, tmp_path: Path) -> AsyncGenerator[Pair]:
    """Both, started at the same time."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(ScriptedUpstream(script))
        # Each request on a connection of its own, so that either worker may get it.
        connector = aiohttp.TCPConnector(force_close=True)
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        narrow = NARROW.format(url=upstream.url)
        config = f'{upstream.provider}retries = 0\n{narrow}[files]\nurl = "{tmp_path / "files"}"\n{PLAN}'

        async def begin(name: str, *flags: str, env: dict[str, str] | None = None) -> Server:
            server, stop = await asyncio.to_thread(start, tmp_path / name, *flags, config=config, env=env)
            stack.push_async_callback(asyncio.to_thread, stop)
            return server

        if request.param == "workers":
            one = other = await begin("one", "--workers", "2")
            await asyncio.to_thread(await_workers, one, 2)
        else:
            env = environment_of(stack.enter_context(new_place("postgresql", tmp_path)))
            one, other = await asyncio.gather(*(begin(name, env=env) for name in ("one", "other")))
        assert bool(one.key) != bool(other.key) or one is other  # the first key is made once
        one.key = other.key = one.key or other.key
        yield Pair((one, other), client, upstream)


async def test_both_are_one(pair: Pair, script: Upstream) -> None:
    """Keys, logins, plans, answers to go on from, sessions, files, knowledge, providers, requests, who rests."""
    await _keys(pair)
    await _logins(pair)
    await _plans(pair)
    await _limits_of_providers(pair)
    await _conversations(pair)
    await _files_and_knowledge(pair)
    await _providers_and_requests(pair)
    await _upstreams_that_rest(pair, script)


async def _keys(pair: Pair) -> None:
    """A key made at the one counts at the other at once; deleted there, it counts nowhere within seconds."""
    made = await pair.make("keys", name="shared")
    assert [await pair.ask(server, key=made["key"]) for server in (pair.one, pair.other)] == [200, 200]
    assert (await pair.call(pair.other, "DELETE", f"/admin/v1/keys/{made['id']}"))[0] == 204

    async def refused() -> bool:
        return {await pair.ask(server, key=made["key"]) for server in (pair.one, pair.other) * 4} == {401}

    await eventually(refused)


async def _logins(pair: Pair) -> None:
    """Who logs in at the one is known at the other, who logs out there is known nowhere, and guesses are one count."""
    eve = {"email": "eve@example.com", "password": "a password of nine words"}
    await pair.make("users", name="Eve", **eve)
    both = (pair.one, pair.other) * 4

    async def come(server: Server, password: str) -> tuple[int, dict[str, str]]:
        body = {**eve, "password": password}
        async with pair.client.post(f"{server.url}/admin/v1/login", json=body) as response:
            cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in response.cookies.items())
            return response.status, {"cookie": cookies, "x-rixin-csrf": "1"}

    async def ask(server: Server, method: str = "GET", path: str = "session") -> int:
        async with pair.client.request(method, f"{server.url}/admin/v1/{path}", headers=login) as response:
            return response.status

    status, login = await come(pair.one, eve["password"])
    assert status == 200
    assert [await ask(server) for server in both] == [200] * 8
    assert await ask(pair.other, "POST", "logout") == 204
    assert [await ask(server) for server in both] == [401] * 8
    assert [(await come(server, "wrong"))[0] for server in both] == [401] * 5 + [429] * 3


async def _plans(pair: Pair) -> None:
    """Of the ten calls that a key has, or a user or a team with two keys, both admit ten together, however many ask."""
    key = await pair.make("keys", name="few", plan="few")
    assert await pair.rush(key["key"]) == (10, 20)
    user = await pair.make("users", name="Ada", email="ada@example.com", plan="few")
    team = await pair.make("teams", name="core", plan="few")
    for whose in ({"user": user["id"]}, {"team": team["id"]}):
        keys = [(await pair.make("keys", name=name, **whose))["key"] for name in ("one", "two")]
        assert await pair.rush(*keys) == (10, 20)
        assert [await pair.ask(server, key=key) for server in (pair.one, pair.other) for key in keys] == [429] * 4


async def _limits_of_providers(pair: Pair) -> None:
    """Of the ten calls that a provider admits of everybody, both make ten together."""
    assert await pair.rush(None, model="narrow") == (10, 20)
    assert [request.json["model"] for request in pair.upstream.posted].count("narrow") == 10


async def _conversations(pair: Pair) -> None:
    """What was answered by the one can be read and gone on from at the other, and so can a session."""
    status, first = await pair.call(pair.one, "POST", "/v1/responses", {"model": "m", "input": "Hi"})
    assert status == 200, first
    assert (await pair.call(pair.other, "GET", f"/v1/responses/{first['id']}"))[1]["id"] == first["id"]
    going_on = {"model": "m", "input": "And?", "previous_response_id": first["id"]}
    assert (await pair.call(pair.other, "POST", "/v1/responses", going_on))[0] == 200
    assert [message["content"] for message in pair.upstream.posted[-1].json["messages"]] == ["Hi", "Paris 巴黎", "And?"]
    status, begun = await pair.call(pair.one, "POST", "/v1/llm/chat/sessions", {"system_prompt": []})
    assert status == 200, begun
    for server, content in ((pair.one, "First"), (pair.other, "Second")):
        turn = {"session_id": begun["session_id"], "model": "m", "content": content}
        status, said = await pair.call(server, "POST", "/v1/llm/chat-conversations", turn)
        assert status == 200, said
    texts = [message["content"] for message in pair.upstream.posted[-1].json["messages"]]
    assert texts == ["First", "Paris 巴黎", "Second"]


async def _files_and_knowledge(pair: Pair) -> None:
    """A file of the one is the other's; a base made at the one is indexed once, by either, and known to both."""
    form = aiohttp.FormData()
    form.add_field("file", json.dumps({"text_lst": ["The ferry leaves at noon."]}), filename="facts.json")
    form.add_field("scheme", "KNOWLEDGE_BASE_1")
    status, sent = await pair.call(pair.one, "POST", "/v1/files", data=form)
    assert status == 200, sent
    status, content = await pair.call(pair.other, "GET", f"/v1/files/{sent['id']}/content")
    assert (status, content) == (200, {"text_lst": ["The ferry leaves at noon."]})
    status, made = await pair.call(pair.one, "POST", "/v1/llm/knowledge-bases", {"files": [sent["id"]]})
    assert status == 200, made
    path = f"/v1/llm/knowledge-bases/{made['knowledge_base']['id']}"
    states: list[str] = []

    async def valid() -> bool:
        states[:] = [
            (await pair.call(server, "GET", path))[1]["knowledge_base"]["status"] for server in (pair.one, pair.other)
        ]
        return states == ["VALID", "VALID"]

    await eventually(valid)


async def _providers_and_requests(pair: Pair) -> None:
    """A provider added at the one serves at the other; a request to the one is in the log that the other shows."""
    provider = {"name": "second", "base_url": pair.upstream.url, "api_keys": ["sk-2"], "models": ["late"]}
    status, said = await pair.call(pair.one, "POST", "/admin/v1/providers", provider)
    assert status == 201, said

    async def listed() -> bool:
        _, models = await pair.call(pair.other, "GET", "/v1/models")
        return "late" in {model["id"].rpartition("/")[2] for model in models["data"]}

    await eventually(listed)
    headers = {"authorization": f"Bearer {pair.key}", "x-request-id": "req-seen-by-both"}
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    async with pair.client.post(f"{pair.one.url}/v1/chat/completions", json=body, headers=headers) as response:
        assert response.status == 200

    async def logged() -> bool:
        return (await pair.call(pair.other, "GET", "/admin/v1/requests/req-seen-by-both"))[0] == 200

    await eventually(logged)


async def _upstreams_that_rest(pair: Pair, script: Upstream) -> None:
    """Once the one leaves an upstream alone, so does the other within seconds, which it has not asked itself."""
    script.failing = True

    async def leaves_alone(server: Server) -> bool:
        before = len(pair.upstream.posted)
        status = await pair.ask(server)
        return status == 503 and len(pair.upstream.posted) == before

    await eventually(lambda: leaves_alone(pair.one))
    await asyncio.sleep(HEARD)
    assert [await leaves_alone(pair.other) for _ in range(8)] == [True] * 8
