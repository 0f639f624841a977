"""What is drawn here, over HTTP: looks and repeats, hostile prompts, and what is counted and refused."""

import asyncio
import base64
import io
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
import requests
from PIL import Image, ImageChops

from tests.support.server import Server

pytestmark = pytest.mark.timeout(600)
PROMPT = "Tea in three steps: heat the water, steep the leaves, pour."
PLAIN: dict[str, Any] = {"model": "draw", "size": "512x512", "prompt_extend": False}
"""The smallest picture, of the prompt's own words alone."""
HOSTILE = {
    "code": '#panic("x") #read("/etc/passwd") $ x^2 $ #while true {}',
    "table": "| a | b |\n|---|---|\n" + "| x | 1 |\n" * 10_000,
    "control characters": "Tea\x00\x01\x1b[31m red\x7f\ufeff\u200b\u2028time\r\nand\ttabs",
    "right to left": "شاي أخضر: الماء 80، الأوراق 3\nשלום עולם \u202e\u2066 abc \u2069",
    "emoji": "🎉🎉 Party 👩\u200d👩\u200d👧\u200d👦 time 🇨🇳 ✅ 100% fun",
}
LIMIT = 100.0
"""Seconds in which all of them are drawn or refused."""


def pictures(server: Server, prompt: str = PROMPT, **fields: Any) -> list[Image.Image]:
    """What a server draws."""
    with server.sdk() as sdk:
        wish = {**PLAIN, **fields}
        answer = sdk.images.generate(model=wish.pop("model"), prompt=prompt, extra_body=wish)
    return [Image.open(io.BytesIO(base64.b64decode(item.b64_json or ""))) for item in answer.data or []]


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures show the same, pixel for pixel."""
    return ImageChops.difference(one.convert("RGB"), other.convert("RGB")).getbbox() is None


def test_several_images_differ_and_a_seed_repeats_them(server: Server) -> None:
    """Each of a request has another layout; the same request with its seed has the same ones again."""
    first, again = pictures(server, n=3, seed=7), pictures(server, n=3, seed=7)
    assert all(map(alike, first, again))
    assert not any(alike(first[a], first[b]) for a, b in ((0, 1), (0, 2), (1, 2)))
    assert not alike(first[0], pictures(server, seed=8)[0])


def test_quality_and_style_choose_the_look(server: Server) -> None:
    """With the same seed, another word for either gives another picture."""
    looks = [
        pictures(server, seed=7, **look)[0]
        for look in ({"style": "poster, aurora"}, {"style": "report, slate"}, {"quality": "low"}, {"quality": "high"})
    ]
    assert not any(alike(looks[a], looks[b]) for a in range(4) for b in range(a))


async def test_hostile_prompts_are_drawn_or_refused_while_others_are_answered(server: Server) -> None:
    """Each becomes a picture or an error of its own in time, and a chat is answered meanwhile."""
    async with aiohttp.ClientSession(server.url, headers=server.headers) as session, asyncio.timeout(LIMIT):

        async def draw(prompt: str) -> int:
            async with session.post("/v1/images/generations", json={**PLAIN, "prompt": prompt}) as response:
                told = await response.json()
                if response.status == 200:
                    Image.open(io.BytesIO(base64.b64decode(told["data"][0]["b64_json"]))).load()
                else:
                    assert told["error"]["param"] == "prompt"
                return response.status

        drawing = [asyncio.create_task(draw(prompt)) for prompt in HOSTILE.values()]
        question = {"model": "local", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}]}
        async with session.post("/v1/chat/completions", json=question) as response:
            assert response.status == 200
        statuses = dict(zip(HOSTILE, await asyncio.gather(*drawing), strict=True))
    assert statuses == dict.fromkeys(HOSTILE, 200) | {"table": 400}


def test_drawings_are_limited_charged_and_moderated(launch: Callable[..., Server], tmp_path: Path) -> None:
    """The plan counts calls whatever they draw, each has its price in the ledger, and prompts are looked at."""
    (tmp_path / "words.txt").write_text("bomb\n", encoding="utf-8")
    config = f'[prices.draw]\nrequest = "0.02"\n[moderation]\nwords = "{tmp_path / "words.txt"}"\n'
    server = launch(config=config)
    made = subprocess.run(
        server.cli("keys", "create", "artist", "--plan", "sensenova-token-plan", "--json"),
        env=server.shell, capture_output=True, text=True, check=True, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    headers = {"authorization": f"Bearer {json.loads(made.stdout)['key']}"}
    body = {**PLAIN, "model": "sensenova-u1-fast", "size": "1344x1344", "prompt": PROMPT}
    left: list[str] = []
    for number in (1, 3):
        told = requests.post(
            f"{server.url}/v1/images/generations", json={**body, "n": number}, headers=headers, timeout=100
        )
        assert told.status_code == 200, told.text
        left.append(told.headers["x-ratelimit-remaining-requests-5h"])
    assert left == ["1499", "1498"]
    with server.sdk() as sdk, pytest.raises(openai.PermissionDeniedError):
        sdk.images.generate(model="draw", prompt="How to build a bomb", size="512x512")
    drawn: list[Any] = []
    end = time.monotonic() + 20
    while len(drawn) < 2 and time.monotonic() < end:  # rows come to the store in batches
        recent = requests.get(f"{server.url}/admin/v1/usage/recent", headers=server.headers, timeout=20).json()["data"]
        drawn = [row for row in recent if row["operation"] == "draw" and row["status"] == 200]
    assert [(row["model_asked"], row["key_name"], float(row["cost"])) for row in drawn] == [
        ("sensenova-u1-fast", "artist", 0.02)
    ] * 2
