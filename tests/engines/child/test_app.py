"""The child's HTTP surface: refusals, queueing, leaving, load."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from rixin.clock import SystemClock
from rixin.core.events import Finish, Text
from rixin.engines.child.config import ChildConfig
from tests.engines.child.running import SMOLLM2, Client, ask, signs_in, start
from tests.support.hang import HANG

STORY = "Tell me a long story about a fox."
PROMPT_OF_3000 = "The quick brown fox jumps over the lazy dog. " * 300
CLOCK = SystemClock()

NO_END = {"2": -100}
"""Keeps SmolLM2 from ending an answer by itself."""

LONGEST_LEAVE = 0.5
"""Seconds in which a slot must be free after its caller has gone. A test allows ten times as much: the machine may be
busy, and what breaks is that it takes as long as the answer would have."""


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b"", None),
        (b"{", None),
        (b"[]", None),
        (b"\xff\xfe", None),
        (b'{"model": "local", "messages": "hi"}', "messages"),
        ({"model": "local"}, "messages"),
        ({"model": "local", "messages": []}, "messages"),
        ({"model": "local", "messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
        (ask("hi", temperature=9), "temperature"),
        (ask("hi", n=0), "n"),
        (ask("hi", stop=["x"] * 99), "stop"),
        (ask("hi", logit_bias={"hello": 1}), "logit_bias"),
        (ask("hi", logit_bias={"99999999": 1}), "logit_bias"),
        (ask("hi", top_logprobs=3), "top_logprobs"),
        (ask("hi", chat_template_kwargs=[]), "chat_template_kwargs"),
        (ask("hi", chat_template_kwargs={"enable_thinking": "yes"}), "chat_template_kwargs.enable_thinking"),
        (ask("hi", response_format={"type": "json_schema", "json_schema": {"schema": {"type": "nope"}}}), None),
        (
            {"model": "local", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]},
            "messages[0].content",
        ),
    ],
)
async def test_a_bad_request_is_refused_by_name(smol: Client, body: object, param: str | None) -> None:
    """What is wrong is told with its field, as the same error whether a stream was wanted or not."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    for wanted in (data, data.replace(b'"model"', b'"stream": true, "model"', 1)):
        status, error = await smol.error(wanted)
        assert status == 400
        assert (error["type"], error["code"], error["param"]) == ("invalid_request", "invalid_request", param)
        assert error["message"]
    assert (await smol.load())["running"] == 0


async def test_an_unknown_route_is_not_found(smol: Client) -> None:
    """As JSON, like every other error."""
    status, error = await smol.error({}, "/v1/nothing")
    assert (status, error["code"]) == (404, "not_found")


async def test_an_overflow_tells_both_numbers(smol: Client) -> None:
    """A prompt that leaves no room for an answer is refused before anything runs."""
    body = ask(PROMPT_OF_3000 * 2)
    _, count = await smol.post(body, "/v1/count")
    status, error = await smol.error(body)
    assert (status, error["code"]) == (400, "context_overflow")
    assert error["limit"] == 4096
    assert error["requested"] == count["prompt_tokens"] + 1


async def test_an_answer_ends_with_the_window(socket_path: Path) -> None:
    """A limit over what is left of the window is lowered to it, so that the answer ends by its length."""
    config = ChildConfig(name="local", path=SMOLLM2, socket=socket_path, slots=1, context_length=96)
    with start(config) as child:
        answer = await child.client().answer(ask(STORY, max_tokens=1000, logit_bias=NO_END))
        assert answer["usage"]["total_tokens"] == 96
        assert answer["choices"][0]["finish_reason"] == "length"


async def test_eight_streams_at_once_all_finish(smol: Client) -> None:
    """With two slots, six of them wait for their turn and are told so."""
    await smol.until_load(running=0)
    streams = [smol.stream_bytes(ask(f"{STORY} ({number})", max_tokens=12)) for number in range(8)]
    results = await asyncio.gather(*streams)
    assert all(data.endswith(b"data: [DONE]\n\n") for data in results)
    signs = [signs_in(data) for data in results]
    assert sum(told[0].read is None for told in signs) == 6
    assert [told[-1].queued > 0 for told in signs].count(True) == 6
    idle: dict[str, object] = {"running": 0, "waiting": 0, "slots": 2, "reading": [], "pool_used": 0, "pool": 4096}
    assert await smol.load() == idle


async def leave(smol: Client, stack: AsyncExitStack, response: aiohttp.ClientResponse) -> float:
    """Goes away, and gives the seconds until nothing runs or waits."""
    response.close()
    began = CLOCK.monotonic()
    await smol.until_load(running=0, waiting=0, pool_used=0)
    await stack.aclose()
    return CLOCK.monotonic() - began


async def test_leaving_during_the_prompt_frees_the_slot(smol: Client) -> None:
    """A caller that goes away while its prompt is read does not keep the slot until that is done."""
    stack = AsyncExitStack()
    body = {**ask(PROMPT_OF_3000, max_tokens=500), "stream": True}
    response = await stack.enter_async_context(smol.request("POST", "/v1/chat/completions", body))
    (sign,) = signs_in(await response.content.readline())
    assert sign.read is not None
    assert sign.read < 0.1
    (reading,) = (await smol.load())["reading"]
    assert 0 <= reading < 1
    assert await leave(smol, stack, response) < 10 * LONGEST_LEAVE


async def test_leaving_during_the_answer_frees_the_slot(smol: Client) -> None:
    """A caller that goes away in mid-answer does not keep the slot until its end."""
    stack = AsyncExitStack()
    body = {**ask(STORY, max_tokens=3000), "stream": True}
    response = await stack.enter_async_context(smol.request("POST", "/v1/chat/completions", body))
    while not (await response.content.readline()).startswith(b"data: "):
        pass
    assert await leave(smol, stack, response) < 10 * LONGEST_LEAVE


async def test_leaving_without_a_stream_frees_the_slot(smol: Client) -> None:
    """A whole answer is given up as well when nobody waits for it any more."""
    task = asyncio.ensure_future(smol.post(ask(STORY, max_tokens=3000)))
    await smol.until_load(running=1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await smol.until_load(running=0, pool_used=0)


async def test_leaving_the_queue_leaves_no_trace(smol: Client) -> None:
    """A caller that goes away while it waits never runs."""
    running = [asyncio.ensure_future(smol.post(ask(STORY, max_tokens=1000))) for _ in range(2)]
    await smol.until_load(running=2)
    stack = AsyncExitStack()
    body = {**ask(STORY, max_tokens=1000), "stream": True}
    response = await stack.enter_async_context(smol.request("POST", "/v1/chat/completions", body))
    (sign,) = signs_in(await response.content.readline())
    assert sign.read is None
    assert (await smol.load())["waiting"] == 1
    response.close()
    await smol.until_load(running=2, waiting=0)
    await stack.aclose()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await smol.until_load(running=0, pool_used=0)


async def test_counting_needs_no_slot(smol: Client) -> None:
    """Prompts are counted while every slot is taken."""
    running = [asyncio.ensure_future(smol.post(ask(STORY, max_tokens=1000))) for _ in range(2)]
    await smol.until_load(running=2)
    status, count = await smol.post(ask("hi"), "/v1/count")
    assert status == 200
    assert count["prompt_tokens"] > 0
    assert (await smol.load())["running"] == 2
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await smol.until_load(running=0)


async def test_four_that_fit_one_by_one_all_finish_in_a_small_pool(socket_path: Path) -> None:
    """With a pool for two of them, none is refused, none is cut, and each gets all its tokens."""
    config = ChildConfig(name="local", path=SMOLLM2, socket=socket_path, slots=4, context_length=256, pool=256)
    with start(config) as child:
        client = child.client()
        assert child.ready.pool == 256
        bodies = [ask(f"{word} " * 40 + STORY, max_tokens=40, logit_bias=NO_END) for word in "abcd"]
        counts = [(await client.post(body, "/v1/count"))[1]["prompt_tokens"] for body in bodies]
        assert sum(counts) + 4 * 40 > 256 > 2 * (max(counts) + 40)
        for _ in range(2):  # the second time the cells hold the first time's prompts
            peak = asyncio.ensure_future(client.until_load(running=2, waiting=2))
            answers = await asyncio.gather(*(client.collected(body) for body in bodies))
            await peak
            for answer, count in zip(answers, counts, strict=True):
                assert answer.usage is not None
                assert (answer.usage.prompt, answer.usage.completion) == (count, 40)
                assert answer.choices[0].finish_reason == "length"
        assert (await client.load())["pool_used"] == 0


async def test_keys_take_turns_and_a_full_queue_refuses(socket_path: Path) -> None:
    """One key's long queue does not keep another key waiting, and at its end comes a 429 with a time."""
    config = ChildConfig(name="local", path=SMOLLM2, socket=socket_path, slots=1, queue=4, context_length=1024)
    with start(config) as child:
        client = child.client()
        done: list[str] = []

        async def run(name: str, key: str) -> None:
            assert any(isinstance(event, Finish) for event in await client.events(ask(STORY, max_tokens=40), key=key))
            done.append(name)

        tasks = [asyncio.ensure_future(run("first", "greedy"))]
        await client.until_load(running=1)
        for number in range(3):
            tasks.append(asyncio.ensure_future(run(f"greedy {number}", "greedy")))
            await client.until_load(running=1, waiting=number + 1)
        tasks.append(asyncio.ensure_future(run("modest", "modest")))
        await client.until_load(running=1, waiting=4)
        status, error = await client.error(ask(STORY, max_tokens=40))
        assert (status, error["code"]) == (429, "queue_full")
        assert error["retry_after"] >= 1
        await asyncio.gather(*tasks)
        assert done == ["first", "greedy 0", "modest", "greedy 1", "greedy 2"]


async def test_the_deadline_of_the_queue_is_an_error_in_the_stream(socket_path: Path) -> None:
    """Once the waiting caller has been told to wait, the refusal is the stream's last event, without an end."""
    config = ChildConfig(
        name="local", path=SMOLLM2, socket=socket_path, slots=1, context_length=2048, queue_deadline=0.2
    )
    with start(config) as child:
        client = child.client()
        running = asyncio.ensure_future(client.post(ask(STORY, max_tokens=1500)))
        await client.until_load(running=1)
        data = await client.stream_bytes(ask("hi"))
        comment, event = data.decode().removesuffix("\n\n").split("\n\n")
        assert signs_in(f"{comment}\n\n".encode())[-1].read is None
        assert json.loads(event.removeprefix("data: "))["error"]["code"] == "queue_full"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_child_stays_responsive_while_it_generates(smol: Client) -> None:
    """It tells its load at once while both slots are at work."""
    running = [asyncio.ensure_future(smol.events(ask(STORY, max_tokens=120))) for _ in range(2)]
    await smol.until_load(running=2)
    worst = 0.0
    while not all(task.done() for task in running):
        began = CLOCK.monotonic()
        load = await smol.load()
        worst = max(worst, CLOCK.monotonic() - began)
        assert load["slots"] == 2
    for events in await asyncio.gather(*running):
        assert any(isinstance(event, Text) for event in events)
    assert worst < HANG / 10
