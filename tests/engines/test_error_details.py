"""What the log may know of an upstream's error: never its words, for they quote the prompt."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from rixin.core.requests import Generate
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.remote import Remote
from rixin.errors import Kind, RixinError
from rixin.settings import Provider
from tests.engines.chat import chat, streaming
from tests.support.hang import HANG
from tests.upstreams.scripted import Reply, ScriptedUpstream, answer, completion_events, event, stream

PROMPT = "the launch code is heliotrope-77"
CANARY = "heliotrope"
QUOTES = f"Invalid value in messages[0].content: '{PROMPT}'"


def openai(code: object = "invalid_value", message: str = QUOTES) -> dict[str, Any]:
    """OpenAI's envelope."""
    return {"error": {"message": message, "type": "invalid_request_error", "param": "messages", "code": code}}


async def failure(reply: Reply, *, whole: bool = True) -> RixinError:
    """The error that a request ends with."""
    async with ScriptedUpstream(reply) as upstream, asyncio.timeout(HANG):
        engine = Remote.connect(Provider(name="up", base_url=upstream.url), DIALECT, {})
        with pytest.raises(RixinError) as caught:
            await _drain(engine, chat() if whole else streaming())
        await engine.aclose()
    return caught.value


async def _drain(engine: Remote, request: Generate) -> None:
    async with aclosing(engine.stream(request)) as batches:
        async for _ in batches:
            pass


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, openai(), Kind.INVALID_REQUEST),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": QUOTES, "type": "value_error", "input": PROMPT}]},
         Kind.INVALID_REQUEST),
        (400, openai("content_filter"), Kind.CONTENT_POLICY),
        (403, openai(message=f"Sensitive content: {PROMPT}"), Kind.CONTENT_POLICY),
        (400, openai("context_length_exceeded"), Kind.CONTEXT_OVERFLOW),
        (400, {"error": QUOTES}, Kind.INVALID_REQUEST),
        (403, {"error": {"message": QUOTES, "status": "PERMISSION_DENIED"}}, Kind.PERMISSION_DENIED),
        (404, openai("model_not_found"), Kind.MODEL_NOT_FOUND),
        (413, openai(), Kind.TOO_LARGE),
        (500, openai("server_error"), Kind.UPSTREAM_INVALID),
        (503, openai("overloaded_error"), Kind.OVERLOADED),
        (504, {"message": QUOTES}, Kind.UPSTREAM_TIMEOUT),
        (400, {"base_resp": {"status_code": 2013, "status_msg": QUOTES}}, Kind.INVALID_REQUEST),
        (500, QUOTES, Kind.UPSTREAM_INVALID),
    ],
    ids=lambda value: str(value) if isinstance(value, Kind | int) else "",
)  # fmt: skip
async def test_no_detail_holds_the_upstreams_words(status: int, body: object, kind: Kind) -> None:
    """Whatever its shape, status and meaning: the log gets the status and the code, the client the words."""
    error = await failure(answer(json.dumps(body), status=status))
    assert error.kind is kind
    assert error.detail is not None
    assert error.detail.startswith(f"upstream status {status}, code ")
    assert CANARY not in error.detail


async def test_no_detail_of_a_stream_holds_them() -> None:
    """An error in the middle of a stream, and something there that is no event at all."""
    first = completion_events()[0]
    for broken in (event(openai()), b"data: " + PROMPT.encode() + b"\n\n", b"event: error\n" + event(openai())):
        error = await failure(stream([first, broken]), whole=False)
        assert error.detail is None or CANARY not in error.detail


async def test_what_is_no_answer_is_not_quoted() -> None:
    """A body that is no JSON is described, by its length and first character."""
    error = await failure(answer(f'"{PROMPT}"'))
    assert error.detail is None or CANARY not in error.detail


async def test_words_about_our_key_are_kept() -> None:
    """They are about the operator's account, hold nothing of the prompt, and are what the operator needs."""
    error = await failure(
        answer(json.dumps(openai("rate_limit_exceeded", "Limit of 3 requests per minute")), status=429)
    )
    assert error.kind is Kind.RATE_LIMITED
    assert error.detail == "upstream status 429, code rate_limit_exceeded: Limit of 3 requests per minute"
