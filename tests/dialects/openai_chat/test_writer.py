"""Streams written: what golden cases do not show."""

from typing import Any

import msgspec
import pytest

from rixin.core.events import (
    Annotation,
    Event,
    Finish,
    Reasoning,
    Refusal,
    Start,
    Text,
    ToolArguments,
    ToolEnd,
    ToolStart,
)
from rixin.core.messages import Opaque
from rixin.core.usage import Usage
from rixin.dialects.openai_chat import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.support import STAMP, ask_chat, ask_prompt

LITE = "sensenova-6.7-flash-lite"
IDENTITY = (
    b'"id":"0190a7d2-5f3c-7b1e-9c00-2b6f8e4d1a77","request_id":"0190a7d2-5f3c-7b1e-9c00-2b6f8e4d1a77",'
    b'"object":"chat.completion.chunk","created":1776952631,"model":"up-model"'
)
ANSWER: list[Event] = [Start(id="x", created=1, model="true"), Text(text="Hi"), Finish(reason="stop"), Usage(prompt=1)]


def chunk(choices: bytes) -> bytes:
    """The bytes of a chunk."""
    return b"data: {" + IDENTITY + b',"choices":[' + choices + b"]}\n\n"


@pytest.mark.parametrize(
    ("model", "options", "wanted"),
    [
        (LITE, None, True),
        (LITE, {"include_usage": True}, True),
        (LITE, {"include_usage": False}, False),
        ("up-model", None, False),
        ("up-model", {}, False),
        ("up-model", {"include_usage": True}, True),
        ("up-model", {"include_usage": False}, False),
    ],
)
def test_usage_is_sent_as_asked_or_by_custom(model: str, options: dict[str, bool] | None, wanted: bool) -> None:
    """The client decides, and where it does not, the model's conventions."""
    writer = DIALECT.writer(ask_chat(model=model, stream=True, stream_options=options), STAMP)
    stream = writer.feed(ANSWER) + writer.close()
    assert (b'"choices":[],"usage":{"prompt_tokens":1,' in stream) is wanted
    assert stream.endswith(b"data: [DONE]\n\n")


def test_only_the_last_usage_is_sent() -> None:
    """Cumulative counts replace each other."""
    writer = DIALECT.writer(ask_chat(model=LITE, stream=True), STAMP)
    stream = writer.feed([*ANSWER, Usage(prompt=1, completion=2)]) + writer.close()
    assert stream.count(b'"usage"') == 1
    assert b'"completion_tokens":2,' in stream


def test_an_answer_without_words_still_has_its_role() -> None:
    """A finish alone is preceded by a delta with the role, which some clients need."""
    writer = DIALECT.writer(ask_chat(stream=True), STAMP)
    assert writer.feed([Start(id="x", created=1, model="m")]) == b""
    assert writer.feed([Finish(reason="stop")]) == chunk(
        b'{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}'
    ) + chunk(b'{"index":0,"delta":{},"finish_reason":"stop"}')


def test_a_full_window_is_a_length() -> None:
    """The platform has no word for it."""
    writer = DIALECT.writer(ask_chat(stream=True), STAMP)
    assert b'"finish_reason":"length"' in writer.feed([Text(text="Hi"), Finish(reason="context")])


def test_another_dialects_opaque_has_no_form_here() -> None:
    """What only its own dialect can say is left out."""
    writer = DIALECT.writer(ask_chat(stream=True), STAMP)
    assert writer.feed([Opaque(dialect="another", kind="x", value=1), ToolEnd(index=0)]) == b""


def test_a_failure_ends_the_stream_without_done() -> None:
    """The error is a data chunk in the dialect's envelope, and all there is."""
    writer = DIALECT.writer(ask_chat(stream=True), STAMP)
    assert writer.fail(RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke.")) == (
        b'data: {"error":{"message":"It broke.","type":"internal_server_error","code":"14"}}\n\n'
    )


def test_a_sign_of_life_is_a_comment() -> None:
    """Clients ignore it."""
    for request in (ask_chat(stream=True), ask_prompt(stream=True)):
        assert DIALECT.writer(request, STAMP).keep_alive() == b": keep-alive\n\n"


def test_names_and_words_are_escaped() -> None:
    """Nothing that a model or a client says can break out of its JSON."""
    writer = DIALECT.writer(ask_chat(stream=True), STAMP)
    stream = writer.feed([Text(text='"}\n\ndata: [DONE]\n\n')])
    assert stream.count(b"\n\n") == 1
    assert b'"content":"\\"}\\n\\ndata: [DONE]\\n\\n"' in stream


def test_a_text_completion_has_words_thoughts_and_log_probabilities() -> None:
    """Log probabilities take the older shape, with places in the whole text; calls and the like have no form."""
    writer = DIALECT.writer(ask_prompt(stream=True), STAMP)
    head = b"data: {" + IDENTITY.replace(b"chat.completion.chunk", b"text_completion") + b',"choices":['
    logprobs: Any = {
        "content": [{"token": " up", "logprob": -0.5, "top_logprobs": [{"token": " on", "logprob": -1.0}]}]
    }
    events: list[Event] = [
        Reasoning(text="Hm"),
        Text(text="Once"),
        Text(text=" up", logprobs=logprobs),
        ToolStart(index=0, id="c", name="f"),
        ToolArguments(index=0, text="{}"),
        Refusal(text="No."),
        Annotation(value=1),
        Finish(reason="stop"),
    ]
    assert writer.feed(events) == (
        head + b'{"index":0,"text":"","reasoning_content":"Hm","finish_reason":null}]}\n\n'
        + head + b'{"index":0,"text":"Once","logprobs":null,"finish_reason":null}]}\n\n'
        + head + b'{"index":0,"text":" up","logprobs":{"tokens":[" up"],"token_logprobs":[-0.5],'
        + b'"top_logprobs":[{" on":-1.0}],"text_offset":[4]},"finish_reason":null}]}\n\n'
        + head + b'{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]}\n\n'
    )  # fmt: skip
    assert writer.close() == b"data: [DONE]\n\n"


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("ask", [ask_chat, ask_prompt])
def test_c3_thoughts_are_told_in_the_field_of_the_models_card(ask: Any, field: Any) -> None:
    """In the one that its clients know, whichever of the names its upstream uses, and in no other."""
    request = ask(stream=True)
    card = msgspec.structs.replace(request.card, reasoning_field=field)
    stream = DIALECT.writer(msgspec.structs.replace(request, card=card), STAMP).feed([Reasoning(text="Hm")])
    assert b'"%s":"Hm"' % field.encode() in stream
    assert stream.count(b'"Hm"') == 1
    assert stream.count(b'"reasoning') == 1
