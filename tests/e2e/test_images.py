"""Images by the unmodified OpenAI SDK and as the official skills ask for them, drawn here and relayed."""

import asyncio
import base64
import io
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import openai
import pytest
import requests
from PIL import Image

from rixin.profiles.cards import load_models
from tests.support.server import Server
from tests.upstreams.scripted import Request, ScriptedUpstream, Step, answer

pytestmark = pytest.mark.timeout(600)
CARDS = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes()).cards
RULES = CARDS["sensenova-u1-fast"].drawing
assert RULES is not None
SKILL_SIZES = (
    "1344x1344", "1792x992", "992x1792", "1632x1088", "1088x1632", "1536x1152", "1152x1536", "1472x1184", "1184x1472",
    "864x2048", "2048x2048", "2752x1536", "1536x2752", "2496x1664", "1664x2496", "2368x1760", "1760x2368", "2272x1824",
    "1824x2272", "1344x3136",
)  # fmt: skip
PROMPT = "Tea in three steps: heat the water, steep the leaves, pour."
PLAIN: dict[str, Any] = {"prompt_extend": False}
"""Drawn from the prompt's own words alone, which takes no model."""


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    """The SDK, pointed at the server."""
    with server.sdk() as sdk:
        yield sdk


def opened(data: bytes) -> Image.Image:
    """An image, decoded whole."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("size", RULES.sizes)
def test_every_size_is_drawn_exactly(client: Any, size: str) -> None:
    """Of those that are documented and those that the skills send."""
    images = client.images.generate(
        model="sensenova-u1-fast", prompt=PROMPT, size=size, response_format="b64_json", extra_body=PLAIN
    )  # fmt: skip
    assert images.data[0].url is None
    image = opened(base64.b64decode(images.data[0].b64_json or ""))
    assert (f"{image.width}x{image.height}", image.format) == (size, "PNG")


def test_the_sdk_is_given_links(client: Any) -> None:
    """Which anybody may follow, for a day."""
    images = client.images.generate(
        model="sensenova-u1.5-fast", prompt=PROMPT, size="2048x1024", response_format="url", output_format="webp",
        extra_body=PLAIN,
    )  # fmt: skip
    assert images.data[0].b64_json is None
    with urlopen(images.data[0].url or "") as response:
        data = response.read()
        assert int(response.headers["content-length"]) == len(data)
        assert response.headers["content-type"] == "image/webp"
    assert opened(data).size == (2048, 1024)
    assert images.output_format == "webp"


def test_a_model_is_given_its_minute(client: Any) -> None:
    """With the words that the embedded model finds in it, or without, all images are drawn."""
    patient = client.with_options(timeout=360)
    images = patient.images.generate(model="gpt-image-1", prompt="Why do leaves turn red in autumn?", n=2)
    assert len(images.data) == 2
    first, second = (base64.b64decode(image.b64_json or "") for image in images.data)
    assert first != second
    assert opened(first).size == (2752, 1536)


@pytest.mark.parametrize("size", SKILL_SIZES)
def test_the_official_skills_are_served(server: Server, size: str) -> None:
    """Their fields, both of their headers, and an anonymous look at the link with its length."""
    body = {
        "model": "sensenova-u1-fast", "prompt": PROMPT, "size": size, "response_format": "url", "output_format": "png",
        "watermark": False, "aspect_ratio": "16:9", **PLAIN,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {server.key}", "x-api-key": server.key, "content-type": "application/json"}
    told = requests.post(f"{server.url}/v1/images/generations", json=body, headers=headers, timeout=100)
    assert told.status_code == 200, told.text
    assert "ignored(aspect_ratio)" in told.headers["x-rixin-changes"]
    picture = requests.get(told.json()["data"][-1]["url"], timeout=20)
    assert picture.status_code == 200
    assert int(picture.headers["content-length"]) == len(picture.content)
    assert opened(picture.content).size == tuple(map(int, size.split("x")))


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"size": "1024x1024"}, "invalid size, should be one of"),
        ({"size": "1024x1024"}, "the nearest is 1344x1344"),
        ({"n": 5}, "invalid n, should in [1,4]"),
        ({"output_format": "webp"}, "invalid output_format, should be one of: png"),
        ({"output_format": "bmp"}, "invalid output_format"),
        ({"response_format": "path"}, "invalid response_format"),
        ({"prompt": " "}, "invalid prompt, it should not be empty"),
    ],
)
def test_what_is_not_drawn_is_refused(client: Any, wish: dict[str, Any], said: str) -> None:
    """In the SDK's own error, naming what would do."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(**{"model": "sensenova-u1-fast", "prompt": PROMPT, **wish})
    assert said in caught.value.message


def test_edits_of_infographics_are_refused(client: Any) -> None:
    """By a model that draws only, whatever was sent."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "PNG")
    with pytest.raises(openai.BadRequestError, match="draws new images only"):
        client.images.edit(model="gpt-image-1", image=("a.png", buffer.getvalue()), prompt="Make it red")


def test_a_model_that_draws_is_refused_in_chats(client: Any) -> None:
    """And the message says where to ask."""
    with pytest.raises(openai.NotFoundError, match="/v1/images/generations"):
        client.chat.completions.create(model="draw", messages=[{"role": "user", "content": "Hello"}])


def test_a_model_that_chats_is_refused_in_drawings(client: Any) -> None:
    """And the message says where those are that draw."""
    with pytest.raises(openai.NotFoundError, match="draws no images"):
        client.images.generate(model="local", prompt=PROMPT)


@pytest.mark.parametrize("form", ["b64_json", "url"])
def test_a_stream_tells_how_far_it_is(client: Any, form: str) -> None:
    """The SDK is given our events and its own, the images last."""
    stream = client.images.generate(
        model="draw", prompt=PROMPT, size="1024x768", n=2, response_format=form, stream=True, partial_images=1,
        extra_body=PLAIN,
    )  # fmt: skip
    events = list(stream)
    kinds = [event.type.removeprefix("image_generation.") for event in events]
    assert kinds == ["progress"] * 4 + ["completed"] * 2
    assert [event.stage for event in events[:4]] == ["writing", "drawing", "drawing", "drawing"]
    parts = [event.part for event in events[:4]]
    assert parts == sorted(parts)
    assert (parts[0], parts[-1]) == (0.0, 1.0)
    for event in events[4:]:
        data = base64.b64decode(event.b64_json) if form == "b64_json" else requests.get(event.url, timeout=20).content
        assert (opened(data).size, event.size, event.output_format) == ((1024, 768), "1024x768", "png")


def test_a_stream_that_fails_says_why(client: Any) -> None:
    """What is found out while drawing comes as an event; what is wrong from the start as a status."""
    with pytest.raises(openai.APIError, match="holds nothing that can be drawn"):
        list(client.images.generate(model="draw", prompt="\u200b\U0001f600", stream=True, extra_body=PLAIN))
    with pytest.raises(openai.BadRequestError, match="invalid n"):
        client.images.generate(model="draw", prompt=PROMPT, n=11, stream=True)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.svg", "a.pdf"])
def test_the_command_line_draws(server: Server, tmp_path: Path, name: str) -> None:
    """Into a file of the format that its name says."""
    done = subprocess.run(
        server.cli("draw", "Apples 12, pears 30, plums 7", "-o", name, "--size", "1024x768", "--seed", "1"),
        env=server.shell, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=110,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == name
    data = (tmp_path / name).read_bytes()
    if name.endswith(("svg", "pdf")):
        assert data.startswith((b"<svg", b"%PDF"))
    else:
        assert opened(data).size == (1024, 768)


def test_the_command_line_says_what_is_wrong(server: Server, tmp_path: Path) -> None:
    """Before anything is asked, where that can be."""
    for arguments, said in (
        (["draw", "x", "-o", "a.gif"], ".png"),
        (["draw", "x", "-o", "no/a.png"], "no directory"),
        (["draw", "x", "-o", "a.png", "--model", "local"], "draws no images"),
        (["draw", "-o", "a.png"], "nothing to draw"),
    ):
        done = subprocess.run(
            server.cli(*arguments), env=server.shell, cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode != 0
        assert said in done.stderr


PNG = io.BytesIO()
Image.new("RGB", (512, 512), "red").save(PNG, "PNG")


def draws(request: Request) -> list[Step]:
    """An upstream with a model that draws and edits."""
    if request.method == "GET" and request.path.endswith("/models"):
        models = [{"id": "sensenova-u1.5-lite", "object": "model"}, {"id": "chat", "object": "model"}]
        return answer(json.dumps({"object": "list", "data": models}))
    if request.method == "GET":
        return answer(PNG.getvalue(), content_type="image/png")
    base = f"http://{request.headers['host']}"
    item = (
        {"url": f"{base}/picture.png"}
        if request.json.get("response_format") == "url"
        else {"b64_json": base64.b64encode(PNG.getvalue()).decode()}
    )
    usage = {"input_tokens": 8, "output_tokens": 16, "total_tokens": 24, "images_count": 1}
    return answer(json.dumps({"created": 1, "data": [item], "output_format": "png", "size": "512x512", "usage": usage}))


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    """A provider that draws."""
    async with ScriptedUpstream(draws) as running:
        yield running


def config(upstream: ScriptedUpstream, keep: str = "") -> str:
    """A server in front of it, which may fetch from this machine."""
    host = upstream.url.split("//")[1].split("/")[0]
    return (
        f'[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\napi_keys = ["sk-up"]\n'
        f'[media]\nprivate_hosts = ["127.0.0.1"]\nports = [{host.split(":")[1]}]\n{keep}'
    )


async def run(ask: Callable[[Any], Any], server: Server) -> Any:
    """What the SDK gives."""
    async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as sdk:
        return await ask(sdk)


async def test_a_provider_draws(upstream: ScriptedUpstream, launch: Callable[..., Server]) -> None:
    """It is sent what the client said, and its answer is told whole; its links stay its own."""
    server = launch(config=config(upstream))
    for form in ("url", "b64_json"):
        told = await run(
            lambda sdk: sdk.images.generate(
                model="sensenova-u1.5-lite", prompt="A cat", size="512x512", response_format=form, quality="hd",  # noqa: B023 - called at once
                extra_body={"watermark": False, "novelty": [1]},
            ),
            server,
        )  # fmt: skip
        sent = upstream.posted[-1]
        assert sent.path == "/v1/images/generations"
        assert sent.headers["authorization"] == "Bearer sk-up"
        assert sent.json == {
            "model": "sensenova-u1.5-lite", "prompt": "A cat", "n": 1, "size": "512x512", "response_format": form,
            "quality": "hd", "watermark": False, "novelty": [1],
        }  # fmt: skip
        assert (told.usage.total_tokens, told.size, told.output_format) == (24, "512x512", "png")
        assert (told.data[0].url or "").endswith("/picture.png") is (form == "url")


async def test_edits_are_relayed(upstream: ScriptedUpstream, launch: Callable[..., Server]) -> None:
    """The SDK's form becomes JSON with the images in it."""
    server = launch(config=config(upstream))
    files = [("a.png", PNG.getvalue()), ("b.png", PNG.getvalue())]
    told = await run(
        lambda sdk: sdk.images.edit(model="sensenova-u1.5-lite", prompt="Make it red", image=files), server
    )
    assert opened(base64.b64decode(told.data[0].b64_json)).size == (512, 512)
    sent = upstream.posted[-1]
    assert sent.path == "/v1/images/edits"
    assert len(sent.json["images"]) == 2
    for image in sent.json["images"]:
        head, _, data = image["image_url"].partition(";base64,")
        assert head in ("data:image/png", "data:image/jpeg", "data:image/webp")
        assert opened(base64.b64decode(data)).size == (512, 512)


async def test_what_is_relayed_is_told_as_a_stream(upstream: ScriptedUpstream, launch: Callable[..., Server]) -> None:
    """The provider is asked for the whole."""
    server = launch(config=config(upstream))

    async def ask(sdk: openai.AsyncOpenAI) -> list[Any]:
        made = await sdk.images.generate(model="sensenova-u1.5-lite", prompt="A cat", stream=True)
        edited = await sdk.images.edit(
            model="sensenova-u1.5-lite", prompt="Make it red", image=("a.png", PNG.getvalue()), stream=True
        )
        return [event for stream in (made, edited) async for event in stream]

    events = await run(ask, server)
    assert [event.type for event in events] == ["image_generation.completed", "image_edit.completed"]
    assert all(opened(base64.b64decode(event.b64_json)).size == (512, 512) for event in events)
    assert all(event.usage.total_tokens == 24 for event in events)
    assert not any("stream" in sent.json for sent in upstream.posted)


async def test_copies_outlive_their_provider(upstream: ScriptedUpstream, launch: Callable[..., Server]) -> None:
    """Where the settings want it, links lead to copies of our own."""
    server = launch(config=config(upstream, "[files]\nkeep_images = true\n"))
    told = await run(
        lambda sdk: sdk.images.generate(model="sensenova-u1.5-lite", prompt="A cat", response_format="url"), server
    )
    assert told.data[0].url.startswith(f"{server.url}/v1/files/")
    picture = await asyncio.to_thread(requests.get, told.data[0].url, timeout=20)
    assert picture.content == PNG.getvalue()


async def test_usage_is_taken_down(upstream: ScriptedUpstream, launch: Callable[..., Server]) -> None:
    """As one row, with what the provider reported."""
    server = launch(config=config(upstream))
    await run(lambda sdk: sdk.images.generate(model="sensenova-u1.5-lite", prompt="A cat"), server)
    rows: list[Any] = []
    async with asyncio.timeout(20):
        while not rows:
            recent = await asyncio.to_thread(
                requests.get, f"{server.url}/admin/v1/usage/recent", headers=server.headers, timeout=20
            )
            rows = [row for row in recent.json()["data"] if row["operation"] == "draw"]
    assert [(row["model"], row["prompt_tokens"], row["completion_tokens"], row["status"]) for row in rows] == [
        ("sensenova-u1.5-lite", 8, 16, 200)
    ]
