"""Google's Gemini API over HTTP: its paths, its keys, its forms of streams, and thoughts that come back; rows G1 to G3
of the agents' hard cases.
"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import structlog

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.settings import Server, Settings
from tests.dialects.gemini.client import BrokenError, hear, read_array, read_events
from tests.support.engines import Step
from tests.support.web import Site, site
from tests.upstreams.thinking import THOUGHT, ThinkingUpstream
from tests.web.test_continuity import served as thinking

START: Event = Start(id="up-1", created=1, model="m")
END: list[Event] = [Finish(reason="stop"), Usage(prompt=7, completion=2)]
ANSWER: list[Step] = [[START], [Text(text="Hel")], [Text(text="lo")], END]
BODY: Any = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
FUNCTION = {"name": "look", "parameters": {"type": "OBJECT", "properties": {"place": {"type": "INTEGER"}}}}
CANARY = "sk-rx-canary0123456789abcdef"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine plays `ANSWER`."""
    settings = Settings(server=Server(data_dir=tmp_path, keep_alive=0.1))
    async with site(tmp_path, settings) as running:
        running.engine.script = ANSWER
        yield running


def post(served: Site, action: str, model: str = "m", body: Any = BODY, version: str = "v1beta") -> Any:
    """Asks a model for an action."""
    url = f"{served.url}/{version}/models/{model}:{action}"
    return served.client.post(url, json=body, headers={"x-goog-api-key": served.key})


async def get(served: Site, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and body of an answer."""
    sent = {"x-goog-api-key": served.key, **(headers or {})}
    async with served.client.get(served.url + path, headers=sent) as response:
        return response.status, await response.json()


@pytest.mark.parametrize("version", ["v1beta", "v1"])
async def test_g1_content_is_generated(served: Site, version: str) -> None:
    """Whole, for the model that the path names, under either of the API's versions."""
    async with post(served, "generateContent", version=version) as response:
        body = await response.json()
    assert (response.status, response.content_type) == (200, "application/json")
    assert (hear([body])[0].parts, body["modelVersion"]) == ([{"text": "Hello"}], "m")
    assert body["responseId"] == response.headers["x-request-id"].replace("-", "")
    [row] = await served.ledger.recent()
    assert (row.dialect, row.model_asked, row.prompt_tokens, row.completion_tokens) == ("gemini", "m", 7, 2)


@pytest.mark.parametrize(
    ("query", "kind", "read"),
    [("?alt=sse", "text/event-stream", read_events), ("", "application/json", read_array)],
)
async def test_g1_content_is_streamed(served: Site, query: str, kind: str, read: Any) -> None:
    """As events, or as one array."""
    async with post(served, f"streamGenerateContent{query}") as response:
        written = await response.read()
    assert (response.status, response.content_type) == (200, kind)
    assert hear(read(written))[0].parts == [{"text": "Hello"}]


@pytest.mark.parametrize(("query", "read"), [("?alt=sse", read_events), ("", read_array)])
async def test_g1_a_stream_that_breaks_says_so(served: Site, query: str, read: Any) -> None:
    """In the form in which Google's SDKs find it."""
    served.engine.script = [[START, Text(text="Hel")], RixinError(Kind.OVERLOADED, "Busy.")]
    async with post(served, f"streamGenerateContent{query}") as response:
        written = await response.read()
    with pytest.raises(BrokenError, match="UNAVAILABLE"):
        read(written)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("?key={key}", {}),
        ("", {"x-goog-api-key": "{key}"}),
        ("", {"authorization": "Bearer {key}"}),
        ("", {"x-api-key": "{key}"}),
        ("?key={key}", {"x-goog-api-key": "{key}"}),
    ],
)
async def test_g1_a_key_may_stand_in_the_query_or_a_header(served: Site, path: str, headers: dict[str, str]) -> None:
    """In any place that Google's clients put it, and in several if it is the same."""
    url = f"{served.url}/v1beta/models/m:generateContent{path.format(key=served.key)}"
    sent = {name: value.format(key=served.key) for name, value in headers.items()}
    async with served.client.post(url, json=BODY, headers=sent) as response:
        assert response.status == 200


async def test_g1_two_different_keys_are_refused(served: Site) -> None:
    """None wins; the error is in Google's envelope."""
    url = f"{served.url}/v1beta/models/m:generateContent?key={CANARY}"
    async with served.client.post(url, json=BODY, headers={"x-goog-api-key": served.key}) as response:
        body = await response.json()
    assert (response.status, body["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert CANARY not in str(body)


async def test_g1_a_key_in_a_query_counts_nowhere_else(served: Site) -> None:
    """Other dialects' clients have no use for it, and URLs are kept in too many places."""
    url = f"{served.url}/v1/chat/completions?key={served.key}"
    async with served.client.post(url, json=served.body()) as response:
        assert response.status == 401


async def test_g1_a_key_in_a_query_is_in_no_log(served: Site) -> None:
    """Neither one that counts nor one that does not, whatever becomes of the request."""
    with structlog.testing.capture_logs() as logs:
        for key in (served.key, CANARY):
            for path in (
                "m:generateContent",
                "m:streamGenerateContent",
                "n:generateContent",
                "m:countTokens",
                "m",
                "m:x",
            ):
                url = f"{served.url}/v1beta/models/{path}?key={key}"
                async with served.client.post(url, json=BODY) as response:
                    told = await response.text()
                assert key not in told
    assert len([entry for entry in logs if entry["event"] == "request"]) == 12
    rows = await served.ledger.recent()
    assert served.key not in f"{logs} {rows}"
    assert CANARY not in f"{logs} {rows}"


async def test_g1_tokens_are_counted(served: Site) -> None:
    """Nothing is generated."""
    async with post(served, "countTokens") as response:
        body = await response.json()
    assert response.status == 200
    assert body["totalTokens"] > 0
    assert served.engine.requests == []


async def test_g1_models_are_listed_in_googles_shape(served: Site) -> None:
    """Below `/v1beta`, and below `/v1` for Google's clients."""
    for prefix in ("/v1beta", "/v1"):
        status, body = await get(served, f"{prefix}/models?pageSize=1")
        assert (status, [entry["name"] for entry in body["models"]]) == (200, ["models/m"])
        status, body = await get(served, f"{prefix}/models/m")
        assert (status, body["name"]) == (200, "models/m")
        status, body = await get(served, f"{prefix}/models/n")
        assert (status, body["error"]["status"]) == (404, "NOT_FOUND")
    assert (await get(served, "/v1/models", {"x-goog-api-key": "", "x-api-key": served.key}))[0] == 200


@pytest.mark.parametrize("model", ["scripted/m", "scripted%2Fm"])
async def test_g1_a_models_name_may_hold_a_slash(served: Site, model: str) -> None:
    """A provider's model is named with it."""
    async with post(served, "generateContent", model) as response:
        assert (response.status, (await response.json())["modelVersion"]) == (200, "scripted/m")


@pytest.mark.parametrize(
    ("action", "status", "word"),
    [("embedContent", 405, "UNIMPLEMENTED"), ("generateContent/x", 405, "UNIMPLEMENTED")],
)
async def test_g1_other_actions_are_refused_in_googles_envelope(
    served: Site, action: str, status: int, word: str
) -> None:
    """Below the models, only those paths may be posted to."""
    async with post(served, action) as response:
        body = await response.json()
    assert (response.status, body["error"]["status"]) == (status, word)


async def test_g1_paths_that_are_nobodys_are_told_in_googles_envelope(served: Site) -> None:
    """To who comes with its header."""
    status, body = await get(served, "/v1beta/cachedContents")
    assert (status, body["error"]["status"]) == (404, "NOT_FOUND")


async def test_a_refused_request_is_taken_down(served: Site) -> None:
    """With the model of its path."""
    async with post(served, "generateContent", body={"contents": []}) as response:
        body = await response.json()
    assert (response.status, body["error"]["details"][0]["fieldViolations"][0]["field"]) == (400, "contents")
    [row] = await served.ledger.recent()
    assert (row.dialect, row.model_asked, row.status, row.error) == ("gemini", "m", 400, "invalid_request")


@pytest.mark.parametrize("action", ["generateContent", "streamGenerateContent"])
@pytest.mark.parametrize("kept", ["all", "no ids", "gemini cli"])
async def test_g3_thoughts_come_back_in_their_signature(tmp_path: Path, action: str, kept: str) -> None:
    """To an upstream that refuses calls without them: the client shows none, and seals them as it was told."""
    tools = [{"functionDeclarations": [FUNCTION]}]
    async with thinking(tmp_path, upstream := ThinkingUpstream(verbatim=True, calls=2)) as running:
        streamed = action.startswith("stream")

        async def ask(contents: list[Any]) -> list[Any]:
            body = {"contents": contents, "tools": tools}
            async with post(running.site, action, "deepseek-chat", body) as response:
                written = await response.read()
            return hear(read_array(written if streamed else b"[%s]" % written))[0].parts

        parts = await ask(BODY["contents"])
        assert [set(part) for part in parts] == [{"functionCall", "thoughtSignature"}, {"functionCall"}]
        assert THOUGHT not in str(parts)
        results: list[Any] = []
        for part in parts:
            called = part["functionCall"]
            if kept == "no ids":
                del called["id"]
            elif kept == "gemini cli":
                called["id"] = f"look__{called['id']}"
            response = {"output": f"nonce {called['args']['place']}"}
            results.append({"functionResponse": {**called, "args": None, "response": response}})
        final = await ask([*BODY["contents"], {"role": "model", "parts": parts}, {"role": "user", "parts": results}])
    assert (upstream.refused, upstream.thoughts) == (0, [THOUGHT])
    assert final[-1]["text"] == "It says: nonce 1"


async def test_g3_foreign_signatures_are_dropped_by_name(tmp_path: Path) -> None:
    """A history that began at Google's goes on here, and the client is told what was left out."""
    call = {"functionCall": {"name": "look", "args": {"place": 1}}, "thoughtSignature": "CiQBVKhc7vB+"}
    result = {"functionResponse": {"name": "look", "response": {"output": "nonce"}}}
    turns = [{"role": "model", "parts": [call]}, {"role": "user", "parts": [result]}]
    body = {"contents": [*BODY["contents"], *turns], "tools": [{"functionDeclarations": [FUNCTION]}]}
    async with (
        thinking(tmp_path, ThinkingUpstream()) as running,
        post(running.site, "generateContent", "deepseek-chat", body) as response,
    ):
        assert response.status == 200
        assert "drop_foreign_reasoning(contents)" in response.headers["x-rixin-changes"]
