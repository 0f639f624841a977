"""Counts of prompts, against what the embedded model then says that they cost."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.core.cards import ModelCard
from rixin.core.estimate import estimate_prompt
from rixin.core.requests import Generate
from rixin.dialects.base import Call
from rixin.dialects.openai_responses import DIALECT
from tests.support.server import Server

ROOT = Path(__file__).parents[2]
LONG = {
    "prose": "README.md",
    "Chinese": "README.zh-CN.md",
    "code": "src/rixin/routing/router.py",
    "tables": "docs/reference/settings.md",
}
CODEX = sorted((Path(__file__).parents[1] / "dialects" / "openai_responses").glob("codex_*/request.json"))
DEADLINE = aiohttp.ClientTimeout(total=120)
TOOL: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather in a city now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
CALL: list[dict[str, Any]] = [
    {"role": "user", "content": "How is the weather in Paris?"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "x"}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "Rain, 11 °C."}]},
]


async def post(server: Server, path: str, body: dict[str, Any]) -> Any:
    """The body of an answer."""
    async with (
        aiohttp.ClientSession(timeout=DEADLINE) as client,
        client.post(server.url + path, json={"model": "local", **body}, headers=server.headers) as response,
    ):
        told = await response.json()
    assert response.status == 200, told
    return told


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "user", "content": "Hi"}]},
        {"messages": [{"role": "user", "content": "今天天气怎么样？"}], "system": "Be brief."},
        {"messages": CALL, "tools": [TOOL]},
    ],
    ids=["short", "with a system prompt", "with tools"],
)
async def test_a16_messages_cost_what_was_counted(server: Server, body: dict[str, Any]) -> None:
    """To the token: the model's own template and tokenizer counted."""
    usage = (await post(server, "/v1/messages", {**body, "max_tokens": 1}))["usage"]
    counted = await post(server, "/v1/messages/count_tokens", body)
    assert counted["input_tokens"] == usage["input_tokens"] + usage["cache_read_input_tokens"]


async def test_a16_an_image_is_counted_by_a_model_of_words_too(server: Server) -> None:
    """Words are counted as without it, and an estimate of the image is added; nothing is fetched, nothing refused."""
    words = {"type": "text", "text": "What is this?"}
    image = {"type": "image", "source": {"type": "url", "url": "http://127.0.0.1:1/a.png"}}
    told = [
        (await post(server, "/v1/messages/count_tokens", {"messages": [{"role": "user", "content": content}]}))[
            "input_tokens"
        ]
        for content in ([words], [words, image], [words, image, image])
    ]
    assert told[1] - told[0] > 200
    assert told[2] - told[1] == pytest.approx(told[1] - told[0], abs=2)


@pytest.mark.parametrize("case", CODEX, ids=lambda case: case.parent.name)
async def test_a16_codex_is_counted_exactly_and_estimated_well(server: Server, case: Path) -> None:
    """A first turn costs what was counted; the estimate for engines that do not count is within a tenth."""
    body = json.loads(case.read_text(encoding="utf-8")) | {"model": "local", "stream": False}
    answer = await post(server, "/v1/responses", {**body, "max_output_tokens": 1})
    counted = (await post(server, "/v1/responses/input_tokens", body))["input_tokens"]
    assert counted == answer["usage"]["input_tokens"]
    request = DIALECT.routes[0].parse(
        Call(body=json.dumps(body).encode()), lambda name: ModelCard(name=name, target=name)
    )
    assert isinstance(request, Generate)
    assert abs(estimate_prompt(request) / counted - 1) < 0.1


async def test_a16_long_prompts_are_counted_well_at_once(launch: Callable[..., Server]) -> None:
    """Within a tenth of what their lines cost, each kind the first of its kind, and mixed.

    By a tokenizer that makes twice as many tokens of Chinese as the estimate alone would say.
    """
    server = launch(env={"RIXIN_ENGINE__DEFAULT_MODEL": "smollm2-135m"})

    async def counted(text: str) -> int:
        body = {"messages": [{"role": "user", "content": text}]}
        return (await post(server, "/v1/messages/count_tokens", body))["input_tokens"]

    await post(server, "/v1/messages", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1})  # it loads
    around = await counted("a") - 1
    told: dict[str, tuple[int, int]] = {}
    for kind, name in LONG.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        lines = text.splitlines(keepends=True)
        pieces = ["".join(lines[start : start + 20]) for start in range(0, len(lines), 20)]
        told[kind] = await counted(text * 3), 3 * sum([await counted(piece) - around for piece in pieces])
    mixture = "".join((ROOT / name).read_text(encoding="utf-8") for name in LONG.values())
    told["mixture"] = await counted(mixture), sum(true for _, true in told.values()) // 3
    assert {kind: pair for kind, pair in told.items() if abs(pair[0] / pair[1] - 1) > 0.1} == {}
