"""The unmodified OpenAI SDK reads what we write, from a real HTTP server."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import openai
import pytest
from openai.types.responses import Response, ResponseFunctionToolCall, ToolParam

from rixin.core.events import Event, Finish, Reasoning, Refusal, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.openai_responses import DIALECT
from rixin.errors import Kind, RixinError
from tests.dialects.openai_responses.asking import fresh_stamp, parse

START = Start(id="x", created=1, model="true")
USAGE = Usage(prompt=7, completion=5, cached=3, reasoning=2)
WEATHER: ToolParam = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
PARALLEL: list[Event] = [
    START,
    Reasoning(text="Two "),
    Reasoning(text="cities."),
    Reasoning(signature="sealed"),
    Text(text="Let me "),
    Text(text="look."),
    ToolStart(index=0, id="call_a", name="get_weather"),
    ToolStart(index=1, id="call_b", name="get_weather"),
    ToolArguments(index=0, text='{"city":'),
    ToolArguments(index=1, text='{"city":"Paris"}'),
    ToolArguments(index=0, text='"Rome"}'),
    ToolEnd(index=0),
    ToolEnd(index=1),
    Finish(reason="tool_calls"),
    USAGE,
]

Serve = Callable[[list[Event], RixinError | None], openai.OpenAI]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an answer to every request, with signs of life between its events; gives a client for it."""
    script: list[tuple[list[Event], RixinError | None]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_POST(self) -> None:
            request = parse(self.rfile.read(int(self.headers["content-length"])))
            events, error = script[-1]
            if error is not None and not events:
                reply = DIALECT.render_error(error, fresh_stamp())
                self.answer(reply.status, "application/json", reply.body)
            elif request.stream:
                writer = DIALECT.writer(request, fresh_stamp())
                head = writer.keep_alive()
                pieces = [writer.feed([event]) + writer.keep_alive() for event in events]
                end = writer.close() if error is None else writer.fail(error)
                self.answer(200, "text/event-stream", head + b"".join(pieces) + end)
            else:
                body = DIALECT.render_response(collect(events), request, fresh_stamp())
                self.answer(200, "application/json", body)

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        clients: list[openai.OpenAI] = []

        def start(events: list[Event], error: RixinError | None = None) -> openai.OpenAI:
            script.append((events, error))
            url = f"http://127.0.0.1:{server.server_address[1]}/v1"
            clients.append(openai.OpenAI(api_key="none", base_url=url, max_retries=0, timeout=20))
            return clients[-1]

        yield start
        for client in clients:
            client.close()
        server.shutdown()
        thread.join()


def check_parallel(response: Response) -> None:
    """All of `PARALLEL` is there."""
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "function_call"]
    assert response.output_text == "Let me look."
    calls = [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]
    assert [(call.call_id, call.arguments) for call in calls] == [
        ("call_a", '{"city":"Rome"}'),
        ("call_b", '{"city":"Paris"}'),
    ]
    assert response.usage is not None
    assert (response.usage.total_tokens, response.usage.output_tokens_details.reasoning_tokens) == (12, 2)
    assert response.usage.input_tokens_details.cached_tokens == 3


@pytest.mark.parametrize("summary", ["auto", None])
def test_the_stream_helper_follows_thoughts_words_and_parallel_calls(serve: Serve, summary: str | None) -> None:
    """Its snapshots grow with the deltas, and its final response is whole."""
    client = serve(PARALLEL, None)
    with client.responses.stream(
        model="up-model",
        input="Weather?",
        tools=[WEATHER],
        reasoning={"summary": "auto"} if summary else None,
    ) as stream:
        events = list(stream)
        final = stream.get_final_response()
    check_parallel(final)
    texts = [event.snapshot for event in events if event.type == "response.output_text.delta"]
    assert texts == ["Let me ", "Let me look."]
    snapshots = [event.snapshot for event in events if event.type == "response.function_call_arguments.delta"]
    assert snapshots == ['{"city":', '{"city":"Paris"}', '{"city":"Rome"}']
    wanted = "response.reasoning_summary_text.delta" if summary else "response.reasoning_text.delta"
    assert [event.type for event in events].count(wanted) == 2
    assert events[-1].type == "response.completed"


def test_a_whole_answer_is_parsed(serve: Serve) -> None:
    """`create` without a stream gives the same."""
    check_parallel(serve(PARALLEL, None).responses.create(model="up-model", input="Weather?", tools=[WEATHER]))


def test_a_custom_call_is_parsed(serve: Serve) -> None:
    """The helper's final item has the unwrapped text."""
    events: list[Event] = [
        START,
        ToolStart(index=0, id="c", name="patch"),
        ToolArguments(index=0, text='{"input":"*** Be'),
        ToolArguments(index=0, text='gin"}'),
        ToolEnd(index=0),
        Finish(reason="tool_calls"),
        USAGE,
    ]
    client = serve(events, None)
    with client.responses.stream(
        model="up-model", input="Patch!", tools=[{"type": "custom", "name": "patch"}]
    ) as stream:
        (item,) = stream.get_final_response().output
    assert item.type == "custom_tool_call"
    assert (item.name, item.input) == ("patch", "*** Begin")


def test_a_refusal_is_parsed(serve: Serve) -> None:
    """It is a part of the message beside the words."""
    client = serve([START, Text(text="a"), Refusal(text="no"), Finish(reason="stop"), USAGE], None)
    with client.responses.stream(model="up-model", input="x") as stream:
        (item,) = stream.get_final_response().output
    assert item.type == "message"
    assert [part.type for part in item.content] == ["output_text", "refusal"]


def test_an_incomplete_response_is_told(serve: Serve) -> None:
    """Its reason is there."""
    client = serve([START, Text(text="a"), Finish(reason="length"), USAGE], None)
    stream = client.responses.create(model="up-model", input="x", stream=True)
    last = list(stream)[-1]
    assert last.type == "response.incomplete"
    assert last.response.incomplete_details is not None
    assert last.response.incomplete_details.reason == "max_output_tokens"


def test_a_failure_in_the_stream_is_told(serve: Serve) -> None:
    """As `response.failed`, and the helper has no final response."""
    client = serve([START, Text(text="a")], RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke."))
    with client.responses.stream(model="up-model", input="x") as stream:
        last = list(stream)[-1]
        assert last.type == "response.failed"
        assert last.response.error is not None
        assert last.response.error.message == "It broke."
        with pytest.raises(RuntimeError, match="completed"):
            stream.get_final_response()


def test_an_error_before_the_stream_is_raised(serve: Serve) -> None:
    """With status, code and parameter."""
    client = serve([], RixinError(Kind.CONTEXT_OVERFLOW, "Too long.", param="input", limit=8192, requested=9000))
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="up-model", input="x")
    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "input")
    assert "maximum context length is 8192 tokens" in caught.value.message
