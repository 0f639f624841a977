"""The official SDK reads what we write: streams, whole answers, errors, counts and models, over real HTTP."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import anthropic
import pytest

from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.anthropic import DIALECT
from rixin.dialects.anthropic.models import render_models
from rixin.dialects.anthropic.response import render_count, response_headers
from rixin.errors import Kind, RixinError
from tests.dialects.anthropic.asking import parse
from tests.dialects.support import CARDS, STAMP

EVENTS: list[Event] = [
    Start(id="up", created=1, model="m"),
    Reasoning(text="Let me "),
    Reasoning(text="see."),
    Reasoning(signature="sig"),
    Text(text="Hello, "),
    Text(text="世界"),
    ToolStart(index=0, id="toolu_a", name="f"),
    ToolStart(index=1, id="toolu_b", name="g"),
    ToolArguments(index=1, text='{"y":'),
    ToolArguments(index=0, text='{"x":1}'),
    ToolArguments(index=1, text="2}"),
    ToolEnd(index=0),
    ToolEnd(index=1),
    Finish(reason="tool_calls"),
    Usage(prompt=100, completion=20, cached=60, reasoning=5),
]
FAILURES = {
    "overloaded": RixinError(Kind.OVERLOADED, "Busy."),
    "overflow": RixinError(Kind.CONTEXT_OVERFLOW, "Too long.", limit=1000, requested=2000),
    "limited": RixinError(Kind.RATE_LIMITED, "Slow down.", retry_after=7),
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the dialect says; the words of the prompt say which failure is wanted, and where."""

    protocol_version = "HTTP/1.1"
    wbufsize = 0
    answer_headers: ClassVar[dict[str, str]] = response_headers(STAMP)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Nothing."""

    def do_GET(self) -> None:
        """The list of models."""
        self.reply(200, render_models([*CARDS.values()], {"limit": "1000"}))

    def do_POST(self) -> None:
        """A count or an answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/count_tokens"):
            self.reply(200, render_count(42, STAMP))
            return
        request = parse(body)
        failure = FAILURES.get(request.messages[-1].text)
        writer = DIALECT.writer(request, STAMP)
        if request.stream and request.messages[-1].text != "overflow":
            events = EVENTS if failure is None else EVENTS[:5]
            stream = b"".join(writer.feed([event]) + writer.keep_alive() for event in events)
            self.stream(stream + (writer.close() if failure is None else writer.fail(failure)))
        elif failure is None:
            self.reply(200, DIALECT.render_response(collect(EVENTS), request, STAMP))
        else:
            reply = DIALECT.render_error(failure, STAMP)
            self.reply(reply.status, reply.body, reply.headers)

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """A whole answer."""
        self.send_response(status)
        for name, value in (self.answer_headers if headers is None else headers).items():
            self.send_header(name, value)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, body: bytes) -> None:
        """A stream in pieces that no event ends with."""
        self.send_response(200)
        for name, value in self.answer_headers.items():
            self.send_header(name, value)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), 97):
            piece = body[start : start + 97]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")


@pytest.fixture(scope="module")
def client() -> Iterator[anthropic.Anthropic]:
    """The SDK, on a server of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}"
        with anthropic.Anthropic(base_url=address, api_key="sk-rx-test", max_retries=0) as client:
            yield client
        server.shutdown()
        thread.join()


def ask(words: str = "Hi") -> dict[str, Any]:
    """What every request says."""
    return {"model": "up-model", "max_tokens": 100, "messages": [{"role": "user", "content": words}]}


def check(message: Any) -> None:
    """A message is the answer, block by block."""
    content = [block.model_dump(exclude_none=True) for block in message.content]
    for block in content:
        block.pop("parsed_output", None)
    assert content == [
        {"type": "thinking", "thinking": "Let me see.", "signature": "sig"},
        {"type": "text", "text": "Hello, 世界"},
        {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {"x": 1}},
        {"type": "tool_use", "id": "toolu_b", "name": "g", "input": {"y": 2}},
    ]
    assert (message.stop_reason, message.model, message.role) == ("tool_use", "up-model", "assistant")
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens) == (40, 60, 20)
    assert usage.output_tokens_details.thinking_tokens == 5


def test_a10_the_stream_helper_reads_our_streams(client: anthropic.Anthropic) -> None:
    """Thoughts, words and parallel calls are put together, and the helper's own events come."""
    with client.messages.stream(**ask()) as stream:
        kinds = {event.type for event in stream}
        check(stream.get_final_message())
        assert stream.request_id == STAMP.request_id
    assert {"text", "thinking", "signature", "input_json", "content_block_stop", "message_stop"} <= kinds


def test_a_whole_answer_is_read(client: anthropic.Anthropic) -> None:
    """With the id of the request from its header."""
    messages: Any = client.messages
    message = messages.create(**ask())
    check(message)
    assert message._request_id == STAMP.request_id


def test_a13_an_error_in_mid_stream_is_raised(client: anthropic.Anthropic) -> None:
    """`event: error` is an error to the SDK, with our envelope."""
    with client.messages.stream(**ask("overloaded")) as stream, pytest.raises(anthropic.APIStatusError) as caught:
        stream.until_done()
    body: Any = caught.value.body
    assert body["error"] == {"type": "overloaded_error", "message": "Busy."}


def test_a12_an_overflow_is_a_bad_request(client: anthropic.Anthropic) -> None:
    """With Anthropic's words, streamed or not."""
    words = "prompt is too long: 2000 tokens > 1000 maximum"
    with pytest.raises(anthropic.BadRequestError, match=words):
        client.messages.create(**ask("overflow"))
    with pytest.raises(anthropic.BadRequestError, match=words), client.messages.stream(**ask("overflow")):
        pytest.fail("the stream began")


def test_a13_a_limit_is_a_rate_limit(client: anthropic.Anthropic) -> None:
    """With the wait in the header that the SDK reads."""
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**ask("limited"))
    assert caught.value.response.headers["retry-after"] == "7"
    assert caught.value.request_id == STAMP.request_id


def test_a16_a_count_is_read(client: anthropic.Anthropic) -> None:
    """As the SDK asks for it."""
    asked = {name: value for name, value in ask().items() if name != "max_tokens"}
    assert client.messages.count_tokens(**asked).input_tokens == 42


def test_a17_the_list_of_models_is_read(client: anthropic.Anthropic) -> None:
    """Every model has a name to show and a time."""
    models = list(client.models.list())
    assert [model.id for model in models] == [*CARDS]
    assert all(model.display_name and model.created_at.year >= 1970 for model in models)
