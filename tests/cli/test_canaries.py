"""Secrets of a running server, looked for wherever they must not be."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from rixin.store.database import FILE_NAME
from tests.cli.program import HANG_LIMIT, ended, rixin, serving, until
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.support.databases import execute, served_place, tables
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

PROVIDER_KEY = "canary-of-the-provider-1f6a"
PROXY_PASSWORD = "canary-of-the-proxy-77c0"
HEADER = "canary-of-a-header-b2d9"
CANARIES = (PROVIDER_KEY, PROXY_PASSWORD, HEADER)
PROMPT = "canary-of-a-prompt-5c1e"
ANSWER = "canary-of-an-answer-90ab"
FILE = "canary-of-a-file-3b7d"
KNOWN = "canary-of-a-passage-e40c"
WRONG_KEY = "sk-rx-canary-of-nobodys-key-8a2c"
PASSWORD = "canary-of-a-password-61fe"
WRONG_PASSWORD = "canary-of-a-wrong-password-0d4b"
ADDED_KEY = "sk-canary-of-an-added-key-9e27"
ADDED_HEADER = "canary-of-an-added-header-c153"
GEMINI = "/v1beta/models/m:generateContent"
NATIVE = "/v1/llm/chat-completions"
EMBEDDINGS = "/v1/embeddings"
IMAGES = "/v1/images/generations"
DRAWS = "sensenova-u1-fast"
TURNS = "/v1/llm/chat-conversations"
BASES = "/v1/llm/knowledge-bases"
CONFIG = f"""
[server]
keep_bodies = "all"

[[providers]]
name = "p"
base_url = "http://upstream.example/v1"
models = ["m"]
retries = 0
api_keys = ["{PROVIDER_KEY}"]
headers = {{ x-team = "{HEADER}" }}
"""
QUIET_CONFIG = CONFIG.replace('keep_bodies = "all"', "")
"""The same, and nobody asks for anything to be kept."""


def echoing(request: Request) -> Reply:
    """An upstream that repeats every secret that it was sent in its errors, and answers only who asks kindly."""
    if b"please" in request.body:
        return stream([*completion_events(), DONE])
    repeated = " ".join(f"{name} {value.removeprefix('Bearer ')}" for name, value in request.headers.items())
    return answer(json.dumps({"error": {"message": f"Bad request with {repeated}", "code": "odd"}}), status=400)


async def test_o4_no_secret_is_where_others_read(data_dir: Path, tmp_path: Path) -> None:
    """Not in the log at its most talkative, in what clients are told, in any file, on the screen, or in the admin API.

    The upstream does its best: its errors hold all that it was sent, the proxy's password included.
    """
    config = tmp_path / "rixin.toml"
    config.write_text(CONFIG)
    said: list[str] = []
    async with ScriptedUpstream(echoing) as proxy:
        through = proxy.url.removesuffix("/v1").replace("://", f"://ann:{PROXY_PASSWORD}@")
        async with serving(data_dir, "--json", LOG_LEVEL="debug", HTTP_PROXY=through, no_proxy="") as process:
            url = json.loads(await until(process, "listening"))["url"]
            first_key = (data_dir / "first-key").read_text().strip()
            headers = {"authorization": f"Bearer {first_key}"}
            async with aiohttp.ClientSession(headers=headers) as client:
                for words in ("Hi", "please"):
                    for path in (CHAT, MESSAGES, RESPONSES):
                        body = {"model": "m", "stream": True, "max_tokens": 5}
                        body |= (
                            {"input": words}
                            if path == RESPONSES
                            else {"messages": [{"role": "user", "content": words}]}
                        )
                        async with client.post(url + path, json=body) as response:
                            assert response.status == (200 if words == "please" else 400)
                            said.append(await response.text())
                async with client.get(
                    f"{url}/v1/models", headers={"authorization": "Bearer sk-rx-wrong-1234567890"}
                ) as refused:
                    said.append(await refused.text())
                async with client.get(f"{url}/admin/v1/requests") as listed:
                    rows = (await listed.json())["data"]
                assert len(rows) >= 6
                for path in ("providers", "status", *(f"requests/{row['id']}" for row in rows)):
                    async with client.get(f"{url}/admin/v1/{path}") as shown:
                        assert shown.status == 200
                        said.append(await shown.text())
            said.append((await rixin("config", "show", data_dir=data_dir)).out)
            code, log = await ended(process)
        assert code == 0
        asked = proxy.posted
        assert {request.headers["authorization"] for request in asked} == {f"Bearer {PROVIDER_KEY}"}
        assert {request.headers["x-team"] for request in asked} == {HEADER}
        assert all("proxy-authorization" in request.headers for request in asked)
    said += [*log, *(path.read_bytes().decode("latin-1") for path in data_dir.rglob("*") if path.is_file())]
    for canary in CANARIES:
        assert [text for text in said if canary in text] == [], canary
    assert [text for text in said if first_key in text and text.strip() != first_key] == []


def _body(path: str, words: str, **fields: object) -> dict[str, object]:
    """A request of a route that says some words."""
    if path == RESPONSES:
        return {"model": "m", "input": words, **fields}
    if path == GEMINI:
        return {"contents": [{"role": "user", "parts": [{"text": words}]}]}
    if path == EMBEDDINGS:
        return {"model": "m", "input": words}
    return {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": words}], **fields}


def repeating(request: Request) -> Reply:
    """An upstream that repeats all that it was sent, in its errors and in its answers."""
    if b"refuse" in request.body:
        return answer(json.dumps({"error": {"message": f"Bad: {request.body.decode()}", "code": "odd"}}), status=400)
    if b"break" in request.body:
        return answer(f"<html>{request.body.decode()}</html>", content_type="text/html", status=502)
    return stream([*completion_events((ANSWER, *request.headers.values())), DONE])


@dataclass
class Watched:
    """A server of which all is read that it writes, but for what clients leave with it to be kept."""

    client: aiohttp.ClientSession
    url: str
    data_dir: Path
    key: str
    written: list[str] = field(default_factory=list[str])

    async def ask(self, path: str, credential: str | None, **body: Any) -> tuple[int, bytes]:
        """Sends a request, and gives the status and whatever comes."""
        headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
        async with self.client.post(self.url + path, headers=headers, **body) as response:
            return response.status, await response.read()

    async def asked(self, path: str, **fields: Any) -> Any:
        """What a request that is in order is answered."""
        status, body = await self.ask(path, self.key, json=fields)
        assert status in (200, 201), body
        return json.loads(body)

    def found(self, canary: str) -> list[str]:
        """Where a canary was written."""
        return [text[:300] for text in self.written if canary in text]


@asynccontextmanager
async def watched(data_dir: Path, log_level: str = "info") -> AsyncGenerator[Watched]:
    """A server behind which is the upstream that repeats everything; what it has written is read when it has ended."""
    (data_dir.parent / "rixin.toml").write_text(QUIET_CONFIG)
    async with ScriptedUpstream(answer("")) as collector, ScriptedUpstream(repeating) as proxy:
        environ = {
            "HTTP_PROXY": proxy.url.removesuffix("/v1"),
            "no_proxy": "127.0.0.1",
            "LOG_LEVEL": log_level,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1"),
        }
        async with serving(data_dir, "--json", **environ) as process, aiohttp.ClientSession() as client:
            url = json.loads(await until(process, "listening"))["url"]
            server = Watched(client, url, data_dir, (data_dir / "first-key").read_text().strip())
            yield server
            async with client.get(f"{url}/metrics") as metrics:
                server.written.append(await metrics.text())
            code, log = await ended(process)
        assert code == 0
        assert len(collector.posted) > 0
        server.written += [*log, *(request.body.decode("latin-1") for request in collector.requests)]
    # What a client leaves in a file, and the first key of a new server, are there to be kept.
    place = served_place(data_dir)
    files = [path for path in data_dir.rglob("*") if path.is_file() and data_dir / "files" not in path.parents]
    files = [path for path in files if path.name != "first-key" and not path.name.startswith(FILE_NAME)]
    server.written += [path.read_bytes().decode("latin-1") for path in files]
    # So are the passages that are looked up for a client.
    for name in tables(place):
        if not name.startswith("knowledge_"):
            server.written += map(str, execute(place, f'SELECT * FROM "{name}"'))


async def test_l1_what_clients_say_and_show_is_written_nowhere(data_dir: Path) -> None:
    """Neither in the log, nor in a metric, a trace, an error, a row or any other file, unless somebody asks for that.

    Prompts, answers, images, files, what is remembered of conversations, keys and tokens go through every dialect,
    streamed and whole, right and wrong; the upstream repeats all that it was sent in its errors and in its answers.
    """
    told: set[tuple[str, int]] = set()
    async with watched(data_dir) as server:
        pair = json.loads((await rixin("keys", "create", "s", "--access-key", "--json", data_dir=data_dir)).out)
        secret = pair["secret_access_key"]
        token = json.loads((await rixin("keys", "token", "--json", data_dir=data_dir)).out)["token"]
        for credential in (server.key, token):
            for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE, EMBEDDINGS):
                for words in (PROMPT, f"refuse {PROMPT}", f"break {PROMPT}"):
                    for fields in ({}, {"stream": True}, {"temperature": PROMPT}):
                        status, _ = await server.ask(path, credential, json=_body(path, words, **fields))
                        told.add((path, status))
            await server.ask(CHAT, credential, data=f'{{"model": "m", "messages": "{PROMPT}')
            await server.ask(f"{GEMINI}?key={credential}", None, json=_body(GEMINI, PROMPT))
            form = aiohttp.FormData({"purpose": "user_data"})
            form.add_field("file", FILE.encode(), filename="notes.txt")
            await server.ask("/v1/files", credential, data=form)
        await server.ask(CHAT, WRONG_KEY, json=_body(CHAT, PROMPT))
    assert {(path, 200) for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE)} <= told
    assert {(path, 400) for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE, EMBEDDINGS)} <= told
    assert len(server.written) > 50
    for canary in (PROMPT, ANSWER, FILE, PROVIDER_KEY, HEADER, WRONG_KEY, server.key, token, secret):
        assert server.found(canary) == [], canary


async def test_l1_what_is_drawn_counted_remembered_or_known_is_written_nowhere(data_dir: Path) -> None:
    """Prompts of images, texts to be counted, turns of sessions, and passages and questions of knowledge bases."""
    message = {"role": "user", "content": PROMPT}
    async with watched(data_dir) as server:
        for fields in ({"prompt_extend": False, "size": "2048x2048"}, {"size": PROMPT}):
            status, _ = await server.ask(IMAGES, server.key, json={"model": DRAWS, "prompt": PROMPT, **fields})
            assert status == (400 if fields["size"] == PROMPT else 200)
        for path, body in {
            f"{MESSAGES}/count_tokens": {"messages": [message]},
            f"{RESPONSES}/input_tokens": {"input": PROMPT},
            f"{RESPONSES}/compact": {"input": [message]},
        }.items():
            await server.ask(path, server.key, json={"model": "m", **body})
            await server.ask(path, server.key, json={"model": "m", **body, "tools": PROMPT})
        session = (await server.asked("/v1/llm/chat/sessions", system_prompt=[{"role": "system", "content": PROMPT}]))[
            "session_id"
        ]
        form = aiohttp.FormData({"scheme": "KNOWLEDGE_BASE_1", "user_provided_filename": "facts.json"})
        form.add_field("file", json.dumps({"text_lst": [f"The lamp {KNOWN} is red."]}), filename="facts.json")
        file = json.loads((await server.ask("/v1/files", server.key, data=form))[1])["id"]
        made = await server.asked(BASES, description="facts", files=[file])
        base = made["knowledge_base"]["id"]
        await _until_known(server, base)
        known = {"know_ids": [base], "knowledge_config": {"knowledge_base_result": True}}
        for words in (f"{PROMPT} {KNOWN}", f"refuse {PROMPT}", f"break {PROMPT}"):
            turn = {"model": "m", "session_id": session, "content": words, "stream": True, **known}
            chat = {**_body(NATIVE, words), "stream": True, **known}
            statuses = [
                (await server.ask(path, server.key, json=body))[0]
                for path, body in ((TURNS, turn), (NATIVE, chat), (TURNS, {**turn, "content": [PROMPT]}))
            ]
            assert [status == 200 for status in statuses] == [words.startswith(PROMPT)] * 2 + [False]
    for canary in (PROMPT, ANSWER, KNOWN, PROVIDER_KEY, HEADER, server.key):
        assert server.found(canary) == [], canary


async def test_l1_what_people_come_in_with_and_add_is_written_nowhere(data_dir: Path) -> None:
    """The set-up token, passwords that are right, wrong, in the wrong field or in a broken body, logins, and keys and
    headers of providers that are added while the server runs; in no log, however talkative.
    """
    as_json = {"content-type": "application/json"}
    async with watched(data_dir, "debug") as server:
        admin, token = f"{server.url}/admin/v1", (data_dir / "setup-token").read_text().strip()
        ada = {"email": "ada@example.com", "password": PASSWORD}
        async with server.client.post(f"{admin}/setup", json={**ada, "name": "Ada", "token": token}) as response:
            assert response.status == 201
            login = response.cookies["rixin"].value
        as_ada = {"cookie": f"rixin={login}", "x-rixin-csrf": "1"}
        broken = f'{{"email": "ada@example.com", "password": "{PASSWORD}'
        provider = {"name": "added", "base_url": "http://upstream.example/v1", "models": ["n"], "api_keys": [ADDED_KEY]}
        provider |= {"headers": {"x-team": ADDED_HEADER}}
        for method, path, body, status in (
            ("POST", "/login", json.dumps(ada), 200),
            ("POST", "/login", json.dumps({**ada, "password": WRONG_PASSWORD}), 401),
            ("POST", "/login", json.dumps({**ada, "email": PASSWORD}), 401),
            ("POST", "/login", json.dumps({**ada, "email": [PASSWORD]}), 400),
            ("POST", "/login", broken, 400),
            ("PUT", "/session/password", json.dumps({"old_password": WRONG_PASSWORD, "password": PASSWORD}), 403),
            ("POST", "/providers", json.dumps({**provider, "timeout": ADDED_KEY}), 400),
            ("POST", "/providers", json.dumps(provider), 201),
            ("PATCH", "/providers/added", json.dumps({"api_keys": ADDED_KEY}), 400),
            ("POST", "/logout", None, 204),
        ):
            headers = as_json | (as_ada if path != "/login" else {})
            async with server.client.request(method, admin + path, data=body, headers=headers) as response:
                assert response.status == status, (path, await response.text())
                server.written.append(await response.text())
        for words in ("Hi", "refuse", "break"):
            await server.ask(CHAT, server.key, json={**_body(CHAT, words), "model": "added/n"})
        for path in ("audit", "providers", "providers/added", "requests"):
            async with server.client.get(f"{admin}/{path}", headers={"authorization": f"Bearer {server.key}"}) as shown:
                assert shown.status == 200
                server.written.append(await shown.text())
    for canary in (PASSWORD, WRONG_PASSWORD, token, login, ADDED_KEY, ADDED_HEADER):
        assert server.found(canary) == [], canary


async def _until_known(server: Watched, base: str) -> None:
    """Waits until a knowledge base can be asked."""
    headers = {"authorization": f"Bearer {server.key}"}
    async with asyncio.timeout(HANG_LIMIT):
        while True:
            async with server.client.get(f"{server.url}{BASES}/{base}", headers=headers) as response:
                if (await response.json())["knowledge_base"]["status"] == "VALID":
                    return
            await asyncio.sleep(0.1)
