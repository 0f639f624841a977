"""Secrets of a running server, looked for wherever they must not be."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.cli.program import ended, rixin, serving, until
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

PROVIDER_KEY = "canary-of-the-provider-1f6a"
PROXY_PASSWORD = "canary-of-the-proxy-77c0"
HEADER = "canary-of-a-header-b2d9"
CANARIES = (PROVIDER_KEY, PROXY_PASSWORD, HEADER)
PROMPT = "canary-of-a-prompt-5c1e"
ANSWER = "canary-of-an-answer-90ab"
FILE = "canary-of-a-file-3b7d"
WRONG_KEY = "sk-rx-canary-of-nobodys-key-8a2c"
GEMINI = "/v1beta/models/m:generateContent"
NATIVE = "/v1/llm/chat-completions"
EMBEDDINGS = "/v1/embeddings"
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


async def test_l1_what_clients_say_and_show_is_written_nowhere(data_dir: Path, tmp_path: Path) -> None:
    """Neither in the log, nor in a metric, a trace, an error, a row or any other file, unless somebody asks for that.

    Prompts, answers, images, files, what is remembered of conversations, keys and tokens go through every dialect,
    streamed and whole, right and wrong; the upstream repeats all that it was sent in its errors and in its answers.
    """

    def repeating(request: Request) -> Reply:
        if b"refuse" in request.body:
            return answer(
                json.dumps({"error": {"message": f"Bad: {request.body.decode()}", "code": "odd"}}), status=400
            )
        if b"break" in request.body:
            return answer(f"<html>{request.body.decode()}</html>", content_type="text/html", status=502)
        return stream([*completion_events((ANSWER, *request.headers.values())), DONE])

    (tmp_path / "rixin.toml").write_text(QUIET_CONFIG)
    written: list[str] = []
    told: set[tuple[str, int]] = set()
    async with ScriptedUpstream(answer("")) as collector, ScriptedUpstream(repeating) as proxy:
        environ = {
            "HTTP_PROXY": proxy.url.removesuffix("/v1"),
            "no_proxy": "127.0.0.1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1"),
        }
        async with serving(data_dir, "--json", **environ) as process:
            url = json.loads(await until(process, "listening"))["url"]
            key = (data_dir / "first-key").read_text().strip()
            pair = json.loads((await rixin("keys", "create", "s", "--access-key", "--json", data_dir=data_dir)).out)
            secret = pair["secret_access_key"]
            token = json.loads((await rixin("keys", "token", "--json", data_dir=data_dir)).out)["token"]
            async with aiohttp.ClientSession() as client:
                for credential in (key, token):
                    for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE, EMBEDDINGS):
                        for words in (PROMPT, f"refuse {PROMPT}", f"break {PROMPT}"):
                            for fields in ({}, {"stream": True}, {"temperature": PROMPT}):
                                body = _body(path, words, **fields)
                                told.add((path, await _ask(client, url + path, credential, json=body)))
                    await _ask(client, url + CHAT, credential, data=f'{{"model": "m", "messages": "{PROMPT}')
                    await _ask(client, f"{url}{GEMINI}?key={credential}", None, json=_body(GEMINI, PROMPT))
                    form = aiohttp.FormData({"purpose": "user_data"})
                    form.add_field("file", FILE.encode(), filename="notes.txt")
                    await _ask(client, f"{url}/v1/files", credential, data=form)
                await _ask(client, url + CHAT, WRONG_KEY, json=_body(CHAT, PROMPT))
                async with client.get(f"{url}/metrics") as metrics:
                    written.append(await metrics.text())
            code, log = await ended(process)
        assert code == 0
        assert {(path, 200) for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE)} <= told
        assert {(path, 400) for path in (CHAT, MESSAGES, RESPONSES, GEMINI, NATIVE, EMBEDDINGS)} <= told
        assert len(log) > 50
        assert len(collector.posted) > 0
        written += [*log, *(request.body.decode("latin-1") for request in collector.requests)]
    # What a client leaves in a file, and the first key of a new server, are there to be kept.
    kept = [path for path in data_dir.rglob("*") if path.is_file() and data_dir / "files" not in path.parents]
    written += [path.read_bytes().decode("latin-1") for path in kept if path.name != "first-key"]
    for canary in (PROMPT, ANSWER, FILE, PROVIDER_KEY, HEADER, WRONG_KEY, key, token, secret):
        assert [text[:300] for text in written if canary in text] == [], canary


async def _ask(client: aiohttp.ClientSession, url: str, credential: str | None, **body: Any) -> int:
    """Sends a request, reads whatever comes, and gives the status."""
    headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
    async with client.post(url, headers=headers, **body) as response:
        await response.read()
        return response.status
