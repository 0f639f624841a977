"""Budgets of money, whatever the requests that are paid from them come to: none is ever exceeded."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from rixin.service.costs import IMAGE_OUTPUT
from tests.support.server import Server
from tests.upstreams.scripted import (
    DONE,
    Request,
    ScriptedUpstream,
    Step,
    answer,
    completion,
    completion_events,
    event,
    stream,
)

LISTED = [
    {"id": "painter", "output_modalities": ["image"]},
    {"id": "m", "context_length": 4000, "max_output_tokens": 1000},
]
MODELS = json.dumps({"object": "list", "data": LISTED})
pytestmark = pytest.mark.timeout(300)
CONFIG = """
[[providers]]
name = "up"
base_url = "{url}"
api_keys = ["sk-up"]

[prices."*"]
completion = 1

[[limits]]
unit = "money"
amount = {budget}
window = 2592000
"""
"""A token that comes back costs a millionth, which is what a budget is counted in."""


UPSTREAM = """
[[providers]]
name = "up"
base_url = "{url}"
api_keys = ["sk-up"]
models = ["m"]
limits = [{{ unit = "money", amount = 50, window = 2592000 }}]

[prices."*"]
completion = 1
"""
"""A provider of which no more may be asked than costs fifty millionths."""


class Budget:
    """A server whose clients may spend so much together, in front of an upstream."""

    def __init__(self, launch: Callable[..., Server], upstream: ScriptedUpstream, budget: int) -> None:
        self._server = launch(config=CONFIG.format(url=upstream.url, budget=budget))

    async def ask(self, path: str, body: dict[str, Any]) -> tuple[int, int]:
        """The status of an answer, and what was left of the budget when it was admitted, or refused."""
        told = await asyncio.to_thread(
            requests.post, f"{self._server.url}{path}", json=body, headers=self._server.headers, timeout=60
        )
        assert "x-ratelimit-remaining-money-30d" in told.headers, told.text
        return told.status_code, int(told.headers["x-ratelimit-remaining-money-30d"])


def draws(request: Request) -> list[Step]:
    """An upstream whose images are as dear as they may be."""
    if request.method == "GET":
        return answer(MODELS)
    count = request.json["n"]
    usage = {"input_tokens": 8, "output_tokens": count * IMAGE_OUTPUT, "total_tokens": 8 + count * IMAGE_OUTPUT}
    item = {"b64_json": base64.b64encode(b"\x89PNG").decode()}
    return answer(json.dumps({"created": 1, "data": [item] * count, "usage": usage}))


async def test_drawings_never_exceed_a_budget(launch: Callable[..., Server]) -> None:
    """What is admitted is paid for, to the last token that its images count; the rest never gets to the provider."""
    path, picture = "/v1/images/generations", {"model": "painter", "prompt": "A cat"}
    async with ScriptedUpstream(draws) as upstream:
        budget = Budget(launch, upstream, 3 * IMAGE_OUTPUT + 5)
        assert await budget.ask(path, {**picture, "n": 4}) == (413, 3 * IMAGE_OUTPUT + 5)
        assert await budget.ask(path, {**picture, "n": 2}) == (200, IMAGE_OUTPUT + 5)
        assert await budget.ask(path, {**picture, "n": 2}) == (429, IMAGE_OUTPUT + 5)
        assert await budget.ask(path, picture) == (200, 5)
        assert await budget.ask(path, picture) == (429, 5)
        assert len(upstream.posted) == 2


def sums_up(request: Request) -> list[Step]:
    """An upstream whose notes are so long that they are summed up in turn, and which counts as much as it may."""
    if request.method == "GET":
        return answer(MODELS)
    [question] = request.json["messages"]
    notes = "Done." if "These are notes" in question["content"] else "A line of notes.\n" * 170
    usage = {"prompt_tokens": 1500, "completion_tokens": request.json.get("max_tokens", 1000)}
    return stream([*completion_events([notes])[:-1], event({"choices": [], "usage": usage}), DONE])


async def test_compactions_never_exceed_a_budget(launch: Callable[..., Server]) -> None:
    """All readings of a history are paid for: of three pieces, of their notes in two, and of notes on these."""
    pages = [{"role": "user", "content": f"Page {number}: " + "word " * 1400} for number in range(4)]
    path, chat = "/v1/responses/compact", {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    async with ScriptedUpstream(sums_up) as upstream:
        budget = Budget(launch, upstream, 6004)
        assert await budget.ask(path, {"model": "m", "input": pages}) == (413, 6004)
        assert upstream.posted == []
        assert await budget.ask(path, {"model": "m", "input": pages[:3]}) == (200, 4)
        assert len(upstream.posted) == 6
        assert await budget.ask("/v1/chat/completions", {**chat, "stream": True, "max_tokens": 4}) == (200, 0)
        assert await budget.ask("/v1/chat/completions", {**chat, "max_tokens": 1}) == (429, 0)


async def test_what_is_written_for_a_drawing_counts_against_the_budget_of_its_provider(
    launch: Callable[..., Server],
) -> None:
    """Nobody's request as it is: a provider whose budget it might exceed is not asked; the prompt is drawn alone."""
    picture = {"model": "draw", "prompt": "Spring 12, summer 30", "size": "512x512"}
    async with ScriptedUpstream(lambda _: answer(completion())) as upstream:
        for budget, calls in ((50, 0), (5000, 1)):
            server = launch(config=UPSTREAM.format(url=upstream.url).replace("= 50,", f"= {budget},"))
            told = await asyncio.to_thread(
                requests.post, f"{server.url}/v1/images/generations", json=picture, headers=server.headers, timeout=60
            )
            assert told.status_code == 200, told.text
            assert len(upstream.posted) == calls


async def test_a_budget_of_a_provider_is_never_exceeded(launch: Callable[..., Server]) -> None:
    """A request's worst case is reserved of it as well, and settled to the two tokens that an answer came to."""
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    async with ScriptedUpstream(lambda _: answer(completion())) as upstream:
        server = launch(config=UPSTREAM.format(url=upstream.url))

        async def ask(most: int) -> tuple[int, str | None]:
            told = await asyncio.to_thread(
                requests.post,
                f"{server.url}/v1/chat/completions",
                json={**body, "max_tokens": most},
                headers=server.headers,
                timeout=60,
            )
            return told.status_code, told.headers.get("x-rixin-upstream-remaining-money-30d")

        assert await ask(30) == (200, "20")
        assert await ask(48) == (200, "0")
        assert (await ask(47))[0] == 429
        assert (await ask(46))[0] == 200
        assert len(upstream.posted) == 3
