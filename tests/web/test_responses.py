"""Responses that are kept, gone on from, listed, deleted and compacted, through OpenAI's official SDK."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import openai
import pytest

from rixin.core.events import Event, Finish, FinishReason, Reasoning, Start, Text, ToolArguments, ToolEnd, ToolStart
from rixin.core.requests import Generate
from rixin.core.usage import Usage
from rixin.errors import Kind, RixinError
from rixin.settings import Server, Settings
from tests.support.hang import HANG
from tests.support.web import Site, site

FUNCTION: Any = {"type": "function", "name": "look", "parameters": {"type": "object"}, "strict": False}
CALL: list[Event] = [
    ToolStart(index=0, id="call_1", name="look"),
    ToolArguments(index=0, text="{}"),
    ToolEnd(index=0),
]


def answered(*events: Event, reason: FinishReason = "stop") -> list[Event]:
    """A whole answer."""
    return [Start(id="up", created=1, model="m"), *events, Usage(prompt=11, completion=7), Finish(reason=reason)]


def saying(text: str) -> Sequence[Any]:
    """The script of a plain answer."""
    return [answered(Text(text=text))]


def told(request: Generate) -> list[tuple[str, str]]:
    """Who said what in a request."""
    return [(message.role, message.text) for message in request.messages]


class Served(NamedTuple):
    """A running application and its client."""

    site: Site
    gpt: Any

    def answer(self, script: Sequence[Any] | Callable[[Generate], Sequence[Any]]) -> None:
        """Says how requests are answered from now on."""
        self.site.engine.script = script

    @property
    def asked(self) -> Generate:
        """The last request."""
        return self.site.engine.requests[-1]

    async def another(self) -> Any:
        """The client of another key."""
        created = await self.site.keys.create("other", scopes=("inference",), models=(), plan=None, expires_at=None)
        return self.gpt.with_options(api_key=created.key)


@asynccontextmanager
async def serving(folder: Path, **server: Any) -> AsyncGenerator[Served, None]:
    """The application over a scripted engine."""
    async with (
        site(folder, Settings(server=Server(data_dir=folder, **server))) as running,
        openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=running.key, max_retries=0) as gpt,
    ):
        running.engine.script = saying("Hello.")
        yield Served(running, gpt)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served, None]:
    """A running application."""
    async with serving(tmp_path) as running:
        yield running


async def test_r29_a_response_goes_on_from_the_one_before(served: Served) -> None:
    """What was said stands in front, three turns deep, whether streamed or not; instructions are not inherited."""
    responses = served.gpt.responses
    first = await responses.create(model="m", input="One", instructions="Be brief.")
    async with responses.stream(model="m", input="Two", previous_response_id=first.id) as stream:
        second = await stream.get_final_response()
    third = await responses.create(
        model="m", input=[{"role": "user", "content": "Three"}], previous_response_id=second.id, instructions="Be rude."
    )
    assert told(served.asked) == [
        ("system", "Be rude."),
        ("user", "One"),
        ("assistant", "Hello."),
        ("user", "Two"),
        ("assistant", "Hello."),
        ("user", "Three"),
    ]
    assert (third.previous_response_id, third.instructions, first.store) == (second.id, "Be rude.", True)


async def test_r29_a_conversation_branches(served: Served) -> None:
    """Two responses go on from the same one."""
    first = await served.gpt.responses.create(model="m", input="One")
    for text in ("Left", "Right"):
        await served.gpt.responses.create(model="m", input=text, previous_response_id=first.id)
        assert [words for _, words in told(served.asked)] == ["One", "Hello.", text]


async def test_r29_the_output_of_a_call_is_enough(served: Served) -> None:
    """The call itself is remembered, with the thought before it."""
    served.answer([answered(Reasoning(text="I look."), *CALL, reason="tool_calls")])
    first = await served.gpt.responses.create(model="m", input="Look", tools=[FUNCTION])
    output = {"type": "function_call_output", "call_id": "call_1", "output": "4711"}
    await served.gpt.responses.create(model="m", input=[output], previous_response_id=first.id, tools=[FUNCTION])
    assert [message.role for message in served.asked.messages] == ["user", "assistant", "tool"]
    thought, call = served.asked.messages[1].parts
    assert (getattr(thought, "text", ""), getattr(call, "name", "")) == ("I look.", "look")


@pytest.mark.parametrize("streamed", [True, False])
async def test_r29_a_response_is_had_again_as_it_was(served: Served, streamed: bool) -> None:
    """Every field of it, the ids of its items too."""
    served.answer([answered(Reasoning(text="Think."), Text(text="See: "), *CALL, reason="tool_calls")])
    asked: Any = {"model": "m", "input": "Hi", "tools": [FUNCTION], "metadata": {"a": "b"}}
    if streamed:
        async with served.gpt.responses.stream(**asked) as stream:
            events = [event async for event in stream]
        response = events[-1].response
    else:
        response = await served.gpt.responses.create(**asked)
    again = await served.gpt.responses.retrieve(response.id)
    skipped = {"output": {"__all__": {"parsed_arguments", "content"}}}  # what the SDK's stream adds of its own
    assert again.model_dump(exclude=skipped) == response.model_dump(exclude=skipped)
    assert [item.id for item in again.output] == [item.id for item in response.output]
    assert (again.status, again.metadata, again.output[0].content[0].text) == ("completed", {"a": "b"}, "Think.")


async def test_r29_a_deleted_response_is_gone(served: Served) -> None:
    """It is not had, deleted, listed or gone on from any more."""
    responses = served.gpt.responses
    response = await responses.create(model="m", input="Hi")
    raw = await responses.with_raw_response.delete(response.id)
    assert json.loads(raw.text) == {"id": response.id, "object": "response", "deleted": True}
    for attempt in (responses.retrieve, responses.delete, responses.input_items.list):
        with pytest.raises(openai.NotFoundError) as caught:
            await attempt(response.id)
        assert caught.value.body["message"] == f"Response with id '{response.id}' not found."  # pyright: ignore[reportIndexIssue, reportCallIssue, reportArgumentType, reportOptionalSubscript] - the SDK types it as an object


async def test_r29_what_is_not_there_is_a_404_that_clients_know(served: Served) -> None:
    """With the code that OpenAI gives it, and the field that is to be left out."""
    with pytest.raises(openai.NotFoundError) as caught:
        await served.gpt.responses.create(model="m", input="Hi", previous_response_id="resp_nope")
    error: Any = caught.value
    assert (error.code, error.param) == ("previous_response_not_found", "previous_response_id")
    assert not served.site.engine.requests
    with pytest.raises(openai.NotFoundError) as caught:
        await served.gpt.responses.create(model="m", input="Hi", conversation="conv_1")
    error = caught.value
    assert error.param == "conversation"


@pytest.mark.parametrize("given", [5, ["text"], [{"role": "nobody", "content": "x"}]])
async def test_r29_what_goes_on_is_read_as_strictly_as_what_begins(served: Served, given: Any) -> None:
    """A wrong input is named, and not left out because there is history in front of it."""
    first = await served.gpt.responses.create(model="m", input="Hi")
    with pytest.raises(openai.BadRequestError) as caught:
        await served.gpt.responses.create(model="m", input=given, previous_response_id=first.id)
    assert "input" in caught.value.message


async def test_k7_another_keys_response_is_not_there(served: Served) -> None:
    """It is a 404 in every way, and stays where it was."""
    other = await served.another()
    response = await served.gpt.responses.create(model="m", input="Mine")
    item = response.output[0].id
    for attempt in (
        other.responses.retrieve(response.id),
        other.responses.delete(response.id),
        other.responses.input_items.list(response.id),
        other.responses.create(model="m", input="Hi", previous_response_id=response.id),
        other.responses.create(model="m", input=[{"type": "item_reference", "id": item}]),
    ):
        with pytest.raises(openai.NotFoundError):
            await attempt
    assert (await served.gpt.responses.retrieve(response.id)).id == response.id


async def test_r29_references_to_items_are_followed(served: Served) -> None:
    """Of the response before, of any other one, and of the input itself; an unknown one is named."""
    responses = served.gpt.responses
    first = await responses.create(model="m", input="One")
    [question] = (await responses.input_items.list(first.id)).data
    references = [{"type": "item_reference", "id": question.id}, {"id": first.output[0].id}]
    await responses.create(model="m", input=[*references, {"role": "user", "content": "Two"}])
    assert told(served.asked) == [("user", "One"), ("assistant", "Hello."), ("user", "Two")]
    with pytest.raises(openai.NotFoundError) as caught:
        await responses.create(model="m", input=[{"type": "item_reference", "id": "msg_nope"}])
    error: Any = caught.value
    assert error.param == "input[0].id"


async def test_r29_input_items_are_listed_in_pages(served: Served) -> None:
    """The last one first unless asked otherwise, the conversation's earlier ones among them, each with an id."""
    items = served.gpt.responses.input_items
    first = await served.gpt.responses.create(model="m", input=[{"role": "user", "content": f"{n}"} for n in range(5)])
    last = await served.gpt.responses.create(model="m", input="End", previous_response_id=first.id)

    def words(page: Any) -> list[str]:
        return [item.content[0].text for item in page]

    assert words([item async for item in items.list(last.id, limit=2)]) == ["End", "Hello.", *"43210"]
    assert words([item async for item in items.list(last.id, limit=3, order="asc")]) == [*"01234", "Hello.", "End"]
    page = await items.list(last.id, limit=2, order="asc")
    assert words(page.data) == ["0", "1"]
    assert (page.has_more, page.first_id, page.last_id) == (True, page.data[0].id, page.data[1].id)
    rest = await items.list(last.id, order="asc", after=page.last_id)
    assert (words(rest.data), rest.has_more) == (["2", "3", "4", "Hello.", "End"], False)
    assert len({item.id for item in (*page.data, *rest.data)}) == 7


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"order": "up"}, {"after": "msg_nope"}])
async def test_r29_a_wrong_page_is_named(served: Served, query: dict[str, Any]) -> None:
    """With the parameter that is wrong."""
    response = await served.gpt.responses.create(model="m", input="Hi")
    with pytest.raises(openai.BadRequestError) as caught:
        await served.gpt.responses.input_items.list(response.id, **query)
    error: Any = caught.value
    assert error.param == next(iter(query))


async def test_r29_what_is_not_to_be_stored_is_not(served: Served) -> None:
    """`store` is false, and the answer says so."""
    response = await served.gpt.responses.create(model="m", input="Hi", store=False)
    assert response.store is False
    with pytest.raises(openai.NotFoundError):
        await served.gpt.responses.retrieve(response.id)


async def test_r29_a_server_that_keeps_nothing_says_so(tmp_path: Path) -> None:
    """`store` is told as false whatever was asked, and a response to go on from is a clear 400."""
    async with serving(tmp_path, store_responses=False) as served:
        for asked in ({}, {"store": True}, {"store": None}):
            response = await served.gpt.responses.create(model="m", input="Hi", **asked)
            assert response.store is False
        with pytest.raises(openai.NotFoundError):
            await served.gpt.responses.retrieve(response.id)
        with pytest.raises(openai.BadRequestError) as caught:
            await served.gpt.responses.create(model="m", input="Hi", previous_response_id=response.id)
        error: Any = caught.value
        assert error.param == "previous_response_id"
        assert "store_responses" in error.message


async def test_s6_a_broken_answer_is_stored_as_failed(served: Served) -> None:
    """With what came of it, and why; and nobody goes on from half a call without being told."""
    broken = RixinError(Kind.UPSTREAM_INTERRUPTED, "It broke off.")
    served.answer([[Start(id="up", created=1, model="m"), Text(text="Half an ans")], broken])
    stream = await served.gpt.responses.create(model="m", input="Hi", stream=True)
    events = [event async for event in stream]
    assert events[-1].type == "response.failed"
    again = await served.gpt.responses.retrieve(events[-1].response.id)
    assert (again.status, again.output[0].status, again.output_text) == ("failed", "incomplete", "Half an ans")
    assert again.error.code == events[-1].response.error.code


async def test_s8_an_answer_that_was_cut_is_stored_as_incomplete(served: Served) -> None:
    """With the limit that cut it."""
    served.answer([answered(Text(text="Long"), reason="length")])
    response = await served.gpt.responses.create(model="m", input="Hi")
    again = await served.gpt.responses.retrieve(response.id)
    assert (again.status, again.incomplete_details.reason) == ("incomplete", "max_output_tokens")


async def test_t10_an_answer_that_nobody_waited_for_is_stored_as_cancelled(served: Served) -> None:
    """The client left in the middle of it."""
    served.answer([[Start(id="up", created=1, model="m"), Text(text="Half")], asyncio.Event()])
    stream = await served.gpt.responses.create(model="m", input="Hi", stream=True)
    identity = ""
    async for event in stream:
        if event.type == "response.created":
            identity = event.response.id
        elif event.type == "response.output_text.delta":
            break
    await stream.close()
    async with asyncio.timeout(HANG):
        await served.site.engine.left.wait()
        while (again := await kept(served, identity)) is None:  # noqa: ASYNC110 - only asking tells that it is written
            await asyncio.sleep(0.01)  # written once the engine has been left, of which nothing tells
    assert (again.status, again.output_text) == ("cancelled", "Half")


async def kept(served: Served, identity: str) -> Any:
    """A response, if it is stored by now."""
    try:
        return await served.gpt.responses.retrieve(identity)
    except openai.NotFoundError:
        return None


async def test_a_stored_response_is_not_streamed(served: Served) -> None:
    """It is complete; the parameter that asks for more is named."""
    response = await served.gpt.responses.create(model="m", input="Hi")
    with pytest.raises(openai.BadRequestError) as caught:
        await served.gpt.responses.retrieve(response.id, stream=True)
    error: Any = caught.value
    assert error.param == "stream"


async def test_nothing_else_lives_below_a_response(served: Served) -> None:
    """Other paths are a 404 in JSON, other methods a 405."""
    response = await served.gpt.responses.create(model="m", input="Hi")
    url, headers = f"{served.site.url}/v1/responses/{response.id}", {"authorization": f"Bearer {served.site.key}"}
    for method, path, status in (("GET", "/nope", 404), ("DELETE", "/input_items", 404), ("POST", "/cancel", 405)):
        async with served.site.client.request(method, url + path, headers=headers) as answer:
            assert answer.status == status
            assert (await answer.json())["error"]["message"]
