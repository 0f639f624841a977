"""The unmodified `anthropic` and `openai` SDKs and their stream helpers, through the whole application.

What each event must hold is tested with the dialects; here it is that nothing on the way takes from it.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, cast

import anthropic
import openai
import pytest
from anthropic.types import MessageParam, ToolParam
from openai.types.responses import FunctionToolParam, Response, ResponseInputParam

from rixin.core.events import Event, Finish, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.messages import ReasoningPart, TextPart, ToolResult
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.settings import Server, Settings
from tests.support.engines import Step
from tests.support.web import Site, site

SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
HI: list[MessageParam] = [{"role": "user", "content": "Hi"}]
TOOL = "get_weather"
CITIES = ["Paris", "上海"]
THOUGHT = "Two cities, so two calls."


def calls_and_tells(request: Generate) -> Sequence[Step]:
    """Thinks, and calls the tool for two cities at once; once it has the results, it repeats them."""
    results = [part for message in request.messages for part in message.parts if isinstance(part, ToolResult)]
    if results:
        told = " and ".join(part.text for result in results for part in result.parts if isinstance(part, TextPart))
        usage = Usage(prompt=60, completion=5, cached=40)
        return [[Start(id="up-2", created=1, model="m"), Text(text=told)], [Finish(reason="stop"), usage]]
    return [
        [Start(id="up-1", created=1, model="m"), Reasoning(text=THOUGHT[:9])],
        [Reasoning(text=THOUGHT[9:])],
        [Text(text="Let me "), Text(text="look.")],
        *(call for index, city in enumerate(CITIES) for call in _call(index, city)),
        [Finish(reason="tool_calls"), Usage(prompt=40, completion=20, reasoning=6)],
    ]


def _call(index: int, city: str) -> list[list[Event]]:
    arguments = json.dumps({"city": city}, ensure_ascii=False)
    return [
        [ToolStart(index=index, id=f"call_{index}", name=TOOL), ToolArguments(index=index, text=arguments[:5])],
        [ToolArguments(index=index, text=arguments[5:]), ToolEnd(index=index)],
    ]


def weather(city: object) -> str:
    """The tool."""
    return f"{city}: rain"


def thoughts(request: Generate) -> list[str]:
    """What a model is told of its earlier thoughts."""
    parts = [part for message in request.messages for part in message.parts]
    return [part.text for part in parts if isinstance(part, ReasoningPart)]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose model uses a tool, and whose silences are bridged all the time."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path, keep_alive=0.01))) as running:
        running.engine.script = calls_and_tells
        yield running


@pytest.fixture(params=["", "/anthropic"])
async def claude(served: Site, request: pytest.FixtureRequest) -> AsyncGenerator[anthropic.AsyncAnthropic, None]:
    """Anthropic's SDK, on both of the places where Messages are."""
    url = served.url + request.param
    async with anthropic.AsyncAnthropic(base_url=url, api_key=served.key, max_retries=1) as client:
        yield client


@pytest.fixture
async def gpt(served: Site) -> AsyncGenerator[openai.AsyncOpenAI, None]:
    """OpenAI's SDK."""
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=served.key, max_retries=1) as client:
        yield client


ANTHROPIC_TOOL: ToolParam = {"name": TOOL, "input_schema": SCHEMA}
OPENAI_TOOL: FunctionToolParam = {"type": "function", "name": TOOL, "parameters": SCHEMA, "strict": False}


@pytest.mark.parametrize("streamed", [False, True])
async def test_messages_make_a_round_trip(served: Site, claude: anthropic.AsyncAnthropic, streamed: bool) -> None:
    """Thoughts, words and parallel calls; the answer goes back as the SDK holds it, its thoughts included."""
    messages: list[MessageParam] = [{"role": "user", "content": "The weather in Paris and Shanghai?"}]

    async def turn() -> anthropic.types.Message:
        if not streamed:
            return await claude.messages.create(model="m", max_tokens=100, messages=messages, tools=[ANTHROPIC_TOOL])
        async with claude.messages.stream(
            model="m", max_tokens=100, messages=messages, tools=[ANTHROPIC_TOOL]
        ) as stream:
            kinds = [event.type async for event in stream]
            message = await stream.get_final_message()
        assert kinds[0] == "message_start"
        assert kinds[-1] == "message_stop"
        return message

    first = await turn()
    assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert first.content[0].type == "thinking"
    assert first.content[0].thinking == THOUGHT
    uses = [block for block in first.content if block.type == "tool_use"]
    assert [use.input for use in uses] == [{"city": city} for city in CITIES]
    assert (first.stop_reason, first.usage.input_tokens, first.usage.output_tokens) == ("tool_use", 40, 20)

    messages.append({"role": "assistant", "content": first.content})
    results = [weather(use.input.get("city")) for use in uses]
    messages.append(
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": use.id, "content": result}
                for use, result in zip(uses, results, strict=True)
            ],
        }
    )
    last = await turn()
    assert [block.text for block in last.content if block.type == "text"] == [" and ".join(results)]
    assert (last.stop_reason, last.usage.cache_read_input_tokens) == ("end_turn", 40)
    assert thoughts(served.engine.requests[-1]) == [THOUGHT]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("stored", [False, True])
async def test_responses_make_a_round_trip(served: Site, gpt: openai.AsyncOpenAI, streamed: bool, stored: bool) -> None:
    """Thoughts, words and parallel calls; the SDK goes on from its items or from the response's id."""
    question: ResponseInputParam = [{"role": "user", "content": "The weather in Paris and Shanghai?"}]

    async def turn(items: ResponseInputParam, previous: str | None) -> Response:
        asked: Any = {
            "model": "m",
            "input": items,
            "tools": [OPENAI_TOOL],
            "store": stored,
            "include": ["reasoning.encrypted_content"],
            "previous_response_id": previous or openai.omit,
        }
        if not streamed:
            return cast("Response", await gpt.responses.create(**asked))
        async with gpt.responses.stream(**asked) as stream:
            kinds = [event.type async for event in stream]
            response = await stream.get_final_response()
        assert kinds[:2] == ["response.created", "response.in_progress"]
        assert kinds[-1] == "response.completed"
        return response

    first = await turn(question, None)
    assert [item.type for item in first.output] == ["reasoning", "message", "function_call", "function_call"]
    calls = [item for item in first.output if item.type == "function_call"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": city} for city in CITIES]
    assert first.output_text == "Let me look."
    assert first.usage is not None
    assert (first.usage.input_tokens, first.usage.output_tokens_details.reasoning_tokens) == (40, 6)

    results = [weather(json.loads(call.arguments)["city"]) for call in calls]
    outputs: Any = [
        {"type": "function_call_output", "call_id": call.call_id, "output": result}
        for call, result in zip(calls, results, strict=True)
    ]
    echoed: Any = [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
    last = await turn(outputs, first.id) if stored else await turn([*question, *echoed, *outputs], None)
    assert last.output_text == " and ".join(results)
    assert last.status == "completed"
    assert thoughts(served.engine.requests[-1]) == [THOUGHT]


async def test_a13_e2_limits_are_waited_for_as_they_say(
    served: Site, claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    """Both SDKs try again, after the time that they are told."""
    served.limits.append(Limit("key:test", "requests", 1, 1.0))
    for _ in range(2):
        assert (await claude.messages.create(model="m", max_tokens=9, messages=HI)).content
    assert (await gpt.responses.create(model="m", input="Hi")).output


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        (Kind.CONTENT_POLICY, anthropic.BadRequestError, 400),
        (Kind.UNAUTHENTICATED, anthropic.AuthenticationError, 401),
        (Kind.TOO_LARGE, anthropic.RequestTooLargeError, 413),
    ],
)
async def test_a13_what_is_in_vain_is_not_tried_again(
    served: Site, claude: anthropic.AsyncAnthropic, kind: Kind, error: type[anthropic.APIStatusError], status: int
) -> None:
    """The SDK is told so, and has a class for each."""
    served.engine.script = [RixinError(kind, "No.", retry_after=3600)]
    with pytest.raises(error) as caught:
        await claude.messages.create(model="m", max_tokens=9, messages=HI)
    assert caught.value.status_code == status
    assert len(served.engine.requests) == 1


async def test_a12_e1_an_overflow_is_told_in_the_words_that_clients_know(
    served: Site, claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    """With both numbers where Claude Code reads them, by code where Codex does, whole or streamed; none tries again."""
    served.engine.script = [RixinError(Kind.CONTEXT_OVERFLOW, "Too long.", limit=1000, requested=2000)]
    words = "prompt is too long: 2000 tokens > 1000 maximum"
    with pytest.raises(anthropic.BadRequestError, match=words):
        await claude.messages.create(model="m", max_tokens=9, messages=HI)
    with pytest.raises(anthropic.BadRequestError, match=words):
        async with claude.messages.stream(model="m", max_tokens=9, messages=HI):
            pytest.fail("the stream began")
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            await gpt.responses.create(model="m", input="Hi", stream=stream)
        assert caught.value.code == "context_length_exceeded"
    assert len(served.engine.requests) == 4


async def test_s10_a_stream_that_breaks_is_an_error_to_both(
    served: Site, claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    """Nobody takes the half for the whole."""
    served.engine.script = [
        [Start(id="up", created=1, model="m"), Text(text="Half")],
        RixinError(Kind.OVERLOADED, "Busy."),
    ]
    with pytest.raises(anthropic.APIStatusError, match="overloaded_error"):
        async with claude.messages.stream(model="m", max_tokens=9, messages=HI) as stream:
            await stream.until_done()
    async with gpt.responses.stream(model="m", input="Hi") as events:
        kinds = [event.type async for event in events]
    assert kinds[-1] == "response.failed"


async def test_a16_a17_what_is_there_besides_answers(
    served: Site, claude: anthropic.AsyncAnthropic, gpt: openai.AsyncOpenAI
) -> None:
    """Counts, and models in each SDK's shape, a page at a time; ids of requests are found."""
    counted = await claude.messages.count_tokens(model="m", messages=HI)
    assert 0 < counted.input_tokens < 10
    assert (await gpt.responses.input_tokens.count(model="m", input="Hi")).input_tokens == counted.input_tokens
    assert [model.display_name async for model in await claude.models.list(limit=1)] == ["m", "secret-m", "small-m"]
    assert (await claude.models.retrieve("m")).id == (await gpt.models.retrieve("m")).id == "m"
    message = await claude.messages.create(model="m", max_tokens=9, messages=HI)
    [row] = await served.ledger.recent()
    assert message._request_id == row.id  # pyright: ignore[reportPrivateUsage] - public by Anthropic's documentation
