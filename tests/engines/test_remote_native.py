"""The remote engine against a native V6 platform: where it asks, with which credential, and what it is told."""

import json
from typing import Any

from rixin.accounts import access_keys
from rixin.core.requests import Generate
from rixin.core.responses import Response
from rixin.core.usage import Usage
from rixin.dialects.base import Call
from rixin.dialects.sensenova_native import DIALECT
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.settings import Provider
from tests.engines.chat import CARD, streaming
from tests.engines.test_remote import answer_of, batches_of
from tests.upstreams.scripted import Request, ScriptedUpstream, answer, stream

SECRET = "a secret of the access key ak-1"
PAIR = f"ak-1|{SECRET}"
USAGE = {"prompt_tokens": 6, "knowledge_tokens": 2, "completion_tokens": 2, "total_tokens": 10}


def chunk(delta: str, finish: str = "") -> bytes:
    """An event of the platform's stream."""
    choice = {"delta": delta, "finish_reason": finish, "index": 0, "role": "assistant"}
    data = {"data": {"id": "5b1", "choices": [choice], "usage": USAGE}, "status": {"code": 0, "message": "ok"}}
    return b"data:" + json.dumps(data).encode() + b"\n\n"


STREAM = stream([chunk("Par"), chunk("is"), chunk("", "sensitive"), b"data:[DONE]\n\n"])
CHOICE = {"message": "Paris", "finish_reason": "context", "index": 0, "role": "assistant"}
WHOLE = answer(json.dumps({"data": {"id": "5b1", "choices": [CHOICE], "usage": USAGE}}))


def native(**fields: Any) -> Generate:
    """A request of a client of the same platform."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "know_ids": ["s1"], **fields}
    request = DIALECT.routes[0].parse(Call(body=json.dumps(body).encode()), lambda _: CARD)
    assert isinstance(request, Generate)
    return request


async def ask(request: Generate, key: str = PAIR) -> tuple[Response, Request]:
    """The answer of a platform, and what it was sent."""
    async with ScriptedUpstream(STREAM if request.stream else WHOLE) as upstream:
        engine = Remote.connect(Provider(name="up", base_url=upstream.url, api_keys=(key,)), DIALECT, {})
        try:
            return answer_of(await batches_of(engine, request)), upstream.requests[0]
        finally:
            await engine.aclose()


async def test_a_client_of_another_dialect_is_answered() -> None:
    """Its request is rendered in the platform's fields, and the answer has its words, end and counts."""
    response, sent = await ask(streaming())
    assert sent.path.endswith("/llm/chat-completions")
    assert json.loads(sent.body)["stream"] is True
    [choice] = response.choices
    assert (choice.text, choice.finish_reason) == ("Paris", "content_filter")
    assert response.usage == Usage(prompt=6, completion=2, knowledge=2)


async def test_a_client_of_the_same_dialect_is_passed_on() -> None:
    """Its body goes out as it came but for the model's name."""
    response, sent = await ask(native())
    assert json.loads(sent.body) == {
        "model": CARD.target,
        "messages": [{"role": "user", "content": "Hi"}],
        "know_ids": ["s1"],
    }
    [choice] = response.choices
    assert (choice.text, choice.finish_reason) == ("Paris", "context")


async def test_an_access_key_signs_a_token_for_each_request() -> None:
    """The secret stays here; an API key is sent as it is."""
    _, sent = await ask(native())
    token = sent.headers["authorization"].removeprefix("Bearer ")
    parsed = access_keys.parse(token)
    assert parsed.claims.iss == "ak-1"
    parsed.verify(SECRET.encode())
    assert SECRET not in str(sent)
    _, sent = await ask(native(), "sk-plain")
    assert sent.headers["authorization"] == "Bearer sk-plain"


async def test_models_are_listed() -> None:
    """At the platform's own place."""
    body = b'{"object":"LIST","data":[{"id":"SenseNova-V6-Pro","object":"MODEL"}]}'
    async with ScriptedUpstream(answer(body)) as upstream:
        engine = Remote.connect(Provider(name="up", base_url=upstream.url, api_keys=(PAIR,)), DIALECT, {})
        assert await engine.models() == [ListedModel(name="SenseNova-V6-Pro")]
        await engine.aclose()
        assert upstream.requests[0].path.endswith("/llm/models")
        assert upstream.requests[0].headers["authorization"].count(".") == 2
