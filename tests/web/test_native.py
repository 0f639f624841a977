"""The native V6 platform over HTTP: its routes, its credentials, its errors."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.accounts.access_keys import CreatedAccessKey
from rixin.accounts.key_rules import KeyWish
from rixin.clock import SystemClock
from rixin.core.events import Event, Finish, Start, Text
from rixin.core.usage import Usage
from rixin.dialects.sensenova_native.tokens import mint
from rixin.limits.base import Limit
from rixin.settings import Server, Settings
from tests.support.engines import Step
from tests.support.pages import DOCS
from tests.support.web import Site, site

CHAT = "/v1/llm/chat-completions"
START: Event = Start(id="up-1", created=1, model="m")
END: list[Event] = [Finish(reason="stop"), Usage(prompt=7, completion=2)]
ANSWER: list[Step] = [[START], [Text(text="Hel")], [Text(text="lo")], END]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine plays `ANSWER`."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as running:
        running.engine.script = ANSWER
        yield running


@pytest.fixture
async def pair(served: Site) -> CreatedAccessKey:
    """An access key."""
    return await served.keys.create_access_key(KeyWish(name="script"))


def token(pair: CreatedAccessKey, *, age: int = 0) -> str:
    """A token that its holder signed a while ago."""
    return mint(pair.access_key_id, pair.secret_access_key, int(SystemClock().now()) - age)


async def ask(
    served: Site, credential: str | None = None, path: str = CHAT, method: str = "POST", **fields: Any
) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer."""
    headers = {"authorization": f"Bearer {credential}"} if credential else {}
    body = None if method == "GET" else served.body(**fields)
    async with served.client.request(method, served.url + path, json=body, headers=headers) as response:
        assert response.headers["x-request-id"]
        return response.status, json.loads(await response.read())


def code(answer: tuple[int, dict[str, Any]]) -> tuple[int, int]:
    """Status and code of an error, whose envelope is checked."""
    status, body = answer
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    return status, body["error"]["code"]


async def test_a_chat_is_answered_whole_and_streamed(served: Site, pair: CreatedAccessKey) -> None:
    """With a token or with an API key; `data.id` is made of the request's id."""
    for credential in (token(pair), served.key):
        status, body = await ask(served, credential)
        assert status == 200
        assert body["data"]["choices"] == [
            {"message": "Hello", "finish_reason": "stop", "index": 0, "role": "assistant"}
        ]
        assert body["data"]["usage"]["total_tokens"] == 9
        headers = {"authorization": f"Bearer {credential}", "x-request-id": "a-b-c"}
        body = served.body(stream=True)
        async with served.client.post(served.url + CHAT, json=body, headers=headers) as response:
            assert response.content_type == "text/event-stream"
            assert response.headers["x-request-id"] == "a-b-c"
            stream = await response.text()
        assert stream.startswith('data:{"data":{"id":"abc","choices":[{"delta":"Hel",')
        assert stream.endswith("data:[DONE]\n\n")
        last = json.loads(stream.split("\n\n")[-3].removeprefix("data:"))
        assert last["data"]["usage"]["total_tokens"] == 9
    rows = await served.ledger.recent()
    assert [row.dialect for row in rows] == ["sensenova_native"] * 4
    assert {row.key_id for row in rows[2:]} == {pair.id}


async def test_a3_every_form_of_a_key_obeys_the_same_rules(served: Site) -> None:
    """Scopes, models and quotas of an access key count on every route, in whichever header its token comes."""
    wish = KeyWish(name="narrow", models=("m",))
    pair = await served.keys.create_access_key(wish)
    metrics = await served.keys.create_access_key(KeyWish(name="metrics", scopes=("metrics",)))
    for path in (CHAT, "/v1/chat/completions"):
        for header in ("authorization", "x-api-key"):

            async def status(pair: CreatedAccessKey, model: str, path: str = path, header: str = header) -> int:
                value = token(pair) if header == "x-api-key" else f"Bearer {token(pair)}"
                body = served.body(model=model)
                async with served.client.post(served.url + path, json=body, headers={header: value}) as response:
                    return response.status

            assert await status(pair, "m") == 200
            assert await status(pair, "secret-m") == 403
            assert await status(metrics, "m") == 403
    served.limits.append(Limit(key="k", unit="requests", amount=1, window=60))
    assert (await ask(served, token(pair)))[0] == 200
    assert code(await ask(served, token(pair))) == (429, 8)


async def test_a3_one_credential_in_two_headers_is_one(served: Site, pair: CreatedAccessKey) -> None:
    """A token and a key, or two tokens, are refused together."""
    one, other = token(pair), token(pair, age=1)
    for plain, status in ((one, 200), (other, 401), (served.key, 401)):
        headers = {"authorization": f"Bearer {one}", "x-api-key": plain}
        async with served.client.post(served.url + CHAT, json=served.body(), headers=headers) as response:
            assert response.status == status
            if status == 401:
                assert "two different credentials" in (await response.json())["error"]["message"]


async def test_credentials_that_are_not_in_order(served: Site, pair: CreatedAccessKey) -> None:
    """No credential, an unknown one, an expired token and a forged one are 401, code 16."""
    good = token(pair)
    for credential in (None, "sk-rx-unknown", token(pair, age=3600), good[:-4] + "AAAA", "a.b.c"):
        assert code(await ask(served, credential)) == (401, 16)
    await served.keys.disable(pair.id)
    assert code(await ask(served, good)) == (401, 16)


@pytest.mark.parametrize(
    ("method", "path", "fields", "expected"),
    [
        ("POST", CHAT, {"top_p": 1}, (400, 3)),
        ("POST", CHAT, {"model": "unknown"}, (404, 5)),
        ("GET", CHAT, {}, (501, 12)),
        ("PUT", "/v1/llm/completions", {}, (501, 12)),
        ("POST", "/v1/llm/models", {}, (501, 12)),
        ("GET", "/v1/llm/models/unknown", {}, (404, 5)),
        ("POST", "/v1/llm/fine-tunes", {}, (501, 12)),
        ("GET", "/v1/llm/fine-tune/datasets/d1/files/f1", {}, (501, 12)),
        ("DELETE", "/v1/llm/models/m", {}, (501, 12)),
        ("PUT", "/v1/llm/anything", {}, (501, 12)),
        ("GET", "/v1/imgen/models", {}, (501, 12)),
        ("GET", "/agent-5o/duplex/ws2", {}, (501, 12)),
        ("POST", "/v1/imgen/internal/generation_tasks", {}, (501, 12)),
        ("POST", "/v1/nlp/finetune/completions", {}, (501, 12)),
    ],
)
async def test_errors_are_the_platforms(
    served: Site, pair: CreatedAccessKey, method: str, path: str, fields: dict[str, Any], expected: tuple[int, int]
) -> None:
    """Status and code by the documented map, and routes that are not served are so by name."""
    assert code(await ask(served, token(pair), path, method, **fields)) == expected


def test_what_is_not_served_is_documented() -> None:
    """Each kind of route that answers so stands in the list of what is not there yet."""
    listed = (DOCS / "native.md").read_text(encoding="utf-8").partition("## Not yet")[2]
    for route in (
        "/v1/llm/fine-tunes",
        "/v1/llm/fine-tune/",
        "/v1/nlp/finetune/completions",
        "/v1/imgen/",
        "/agent-5o/duplex/ws2",
    ):
        assert f"`{route}" in listed


async def test_the_realtime_socket_is_not_opened(served: Site, pair: CreatedAccessKey) -> None:
    """Its handshake has the platform's answer to what is not implemented."""
    headers = {"authorization": f"Bearer {token(pair)}"}
    url = f"{served.url}/agent-5o/duplex/ws2"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await served.client.ws_connect(url, headers=headers)
    assert caught.value.status == 501
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    async with served.client.get(url, headers=headers | upgrade) as response:
        assert code((response.status, await response.json())) == (501, 12)


async def test_unserved_routes_tell_nothing_without_a_credential(served: Site) -> None:
    """Who is nobody learns not what there is."""
    assert code(await ask(served, None, "/v1/llm/anything")) == (401, 16)


async def test_models_are_listed_in_the_platforms_shape(served: Site, pair: CreatedAccessKey) -> None:
    """All that the key may use, and each by itself."""
    narrow = await served.keys.create_access_key(KeyWish(name="narrow", models=("m",)))
    status, listed = await ask(served, token(pair), "/v1/llm/models", "GET")
    assert (status, listed["object"]) == (200, "LIST")
    assert {"m", "secret-m"} <= {model["id"] for model in listed["data"]}
    _, listed = await ask(served, token(narrow), "/v1/llm/models", "GET")
    assert [model["id"] for model in listed["data"]] == ["m"]
    _, one = await ask(served, token(narrow), "/v1/llm/models/m", "GET")
    assert one == listed["data"][0]
    assert code(await ask(served, token(narrow), "/v1/llm/models/secret-m", "GET")) == (403, 7)


async def test_a_bare_prompt_is_continued(served: Site, pair: CreatedAccessKey) -> None:
    """Legacy completions answer with texts."""
    headers = {"authorization": f"Bearer {token(pair)}"}
    body = {"model": "m", "prompt": "Once"}
    async with served.client.post(served.url + "/v1/llm/completions", json=body, headers=headers) as response:
        answer = await response.json()
    assert answer["data"]["choices"][0]["text"] == "Hello"
