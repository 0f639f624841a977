"""Images as the documents and the official skills have them: calls, sizes, errors and what becomes of links."""

import asyncio
import base64
import io
import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
import requests
from PIL import Image

from tests.support.server import Server
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer

pytestmark = pytest.mark.timeout(600)
PROMPT = "Tea in three steps: heat the water, steep the leaves, pour."
U15_SIZES = ("2048x2048", "2720x1536", "1536x2720", "1664x2496", "2496x1664", "4096x4096", "512x512", "1536x512")
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}


def picture() -> bytes:
    """An image to edit, or to be given as one."""
    buffer = io.BytesIO()
    Image.new("RGB", (512, 512), "red").save(buffer, "PNG")
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """An image, decoded whole."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def asked(server: Server, body: dict[str, Any], **headers: str) -> requests.Response:
    """The answer to a request for images."""
    return requests.post(
        f"{server.url}/v1/images/generations", json=body, headers={**server.headers, **headers}, timeout=360
    )


def test_the_exact_call_of_the_official_skills(server: Server) -> None:
    """Their fields and no other, both of their headers, and an anonymous look at the last link with its length."""
    body = {
        "model": "sensenova-u1-fast", "prompt": "为什么树叶在秋天变红？", "size": "2752x1536", "response_format": "url",
        "output_format": "png", "watermark": False, "aspect_ratio": "16:9",
    }  # fmt: skip
    told = asked(server, body, **{"x-api-key": server.key})
    assert told.status_code == 200, told.text
    found = told.json()
    assert set(found["data"][-1]) - {"revised_prompt"} == {"url"}
    assert (found["size"], found["output_format"]) == ("2752x1536", "png")
    assert found["usage"]["images_count"] == 1
    link = requests.get(found["data"][-1]["url"], timeout=60)
    assert link.status_code == 200
    assert int(link.headers["content-length"]) == len(link.content)
    assert (opened(link.content).size, link.headers["content-type"]) == ((2752, 1536), "image/png")


@pytest.mark.parametrize("size", U15_SIZES)
def test_every_size_of_u15_is_drawn_exactly(server: Server, size: str) -> None:
    """Those that are recommended, and the bounds."""
    told = asked(server, {"model": "sensenova-u1.5-lite", "prompt": PROMPT, "size": size, "prompt_extend": False})
    assert told.status_code == 200, told.text
    image = opened(base64.b64decode(told.json()["data"][0]["b64_json"]))
    assert f"{image.width}x{image.height}" == size == told.json()["size"]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_drawn(server: Server, kind: str) -> None:
    """In the SDK's bytes, and `auto` is a size too."""
    with server.sdk() as sdk:
        told = sdk.images.generate(
            model="sensenova-u1.5-fast", prompt=PROMPT, size="auto", output_format=kind,  # pyright: ignore[reportArgumentType] - one of its words
            extra_body={"prompt_extend": False},
        )  # fmt: skip
    assert told.data
    image = opened(base64.b64decode(told.data[0].b64_json or ""))
    assert (image.format, image.size) == (FORMATS[kind], (2752, 1536))


@pytest.mark.parametrize(
    ("wish", "param", "said"),
    [
        ({"model": "sensenova-u1-fast", "size": "2560x720"}, "size", "the nearest is"),
        ({"model": "sensenova-u1.5-lite", "size": "1000x1000"}, "size", "the nearest is 992x992"),
        ({"model": "sensenova-u1.5-lite", "size": "4096x512"}, "size", "the nearest is"),
        ({"model": "sensenova-u1.5-lite", "size": "480x480"}, "size", "the nearest is 512x512"),
        ({"model": "sensenova-u1.5-lite", "n": 2}, "n", "[1,1]"),
        ({"model": "sensenova-u1-fast", "n": 0}, "n", "[1,4]"),
        ({"model": "draw", "n": 11}, "n", "[1,10]"),
        ({"model": "draw", "output_format": "gif"}, "output_format", "should be one of"),
        ({"model": "draw", "response_format": "file"}, "response_format", "invalid"),
        ({"model": "draw", "prompt": 7}, "prompt", "invalid"),
    ],
)
def test_what_is_not_drawn_is_a_documented_error(server: Server, wish: dict[str, Any], param: str, said: str) -> None:
    """A 400 that names the field, and what would do."""
    told = asked(server, {"prompt": PROMPT, **wish})
    assert told.status_code == 400
    assert told.json()["error"]["param"] == param
    assert said in told.json()["error"]["message"]


def test_image_models_are_not_found_in_chats(server: Server) -> None:
    """Under every name of theirs, with the right route in the message."""
    with server.sdk() as sdk:
        for model in ("sensenova-u1-fast", "sensenova-u1.5-lite", "sensenova-u1.5-fast", "draw"):
            with pytest.raises(openai.NotFoundError, match="/v1/images/generations"):
                sdk.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}])


def draws(request: Request) -> Reply:
    """An upstream that draws and edits, and keeps what it drew."""
    if request.method == "GET" and request.path.endswith("/models"):
        return answer(json.dumps({"object": "list", "data": [{"id": "sensenova-u1.5-lite", "object": "model"}]}))
    if request.method == "GET":
        return answer(picture(), content_type="image/png")
    item = {"url": f"http://{request.headers['host']}/gen/picture.png"}
    return answer(json.dumps({"created": 1, "data": [item], "output_format": "png", "size": "512x512"}))


def in_front(upstream: ScriptedUpstream, more: str = "") -> str:
    """The configuration of a server that may fetch from an upstream on this machine."""
    port = upstream.url.split("//")[1].split("/")[0].split(":")[1]
    return (
        f'[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\napi_keys = ["sk-up"]\n'
        f'[media]\nprivate_hosts = ["127.0.0.1"]\nports = [{port}]\n{more}'
    )


async def test_a_kept_picture_outlives_its_provider(launch: Callable[..., Server]) -> None:
    """Its link leads to it when the provider is gone, for anybody."""
    async with ScriptedUpstream(draws) as upstream:
        server = launch(config=in_front(upstream, "[files]\nkeep_images = true\n"))
        async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as sdk:
            told = await sdk.images.generate(model="sensenova-u1.5-lite", prompt="A cat", response_format="url")
    assert told.data
    link = await asyncio.to_thread(requests.get, told.data[0].url or "", timeout=60)
    assert (link.status_code, link.content) == (200, picture())
    assert int(link.headers["content-length"]) == len(link.content)


def fails(request: Request) -> Reply:
    """An upstream that says that it draws, and never does."""
    return draws(request) if request.method == "GET" else answer('{"error": {"message": "busy"}}', status=503)


async def test_another_provider_draws_where_the_first_cannot(launch: Callable[..., Server]) -> None:
    """One answer, and headers and log tell who gave it after how many attempts."""
    async with ScriptedUpstream(fails) as first, ScriptedUpstream(draws) as second:
        providers = [
            f'[[providers]]\nname = "{name}"\nbase_url = "{upstream.url}"\napi_keys = ["sk"]\nretries = 0\n'
            f"priority = {priority}\n"
            for priority, (name, upstream) in enumerate({"first": first, "second": second}.items())
        ]
        server = launch(config="".join(providers))
        async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as sdk:
            raw = await sdk.images.with_raw_response.generate(model="sensenova-u1.5-lite", prompt="A cat")
    assert [len(upstream.posted) for upstream in (first, second)] == [1, 1]
    assert (raw.parse().data or [])[0].url
    assert raw.headers["x-rixin-model"] == "second/sensenova-u1.5-lite"
    assert raw.headers["x-rixin-attempts"] == "2"


async def test_edits_come_as_json_too(launch: Callable[..., Server]) -> None:
    """As the token platform has them: an image by data URL and one by its address, and no bare base64."""
    data = base64.b64encode(picture()).decode()
    async with ScriptedUpstream(draws) as upstream:
        server = launch(config=in_front(upstream))
        body: dict[str, Any] = {
            "model": "sensenova-u1.5-lite", "prompt": "Make it red", "n": 1, "size": "auto", "output_format": "jpeg",
            "watermark": True, "prompt_extend": True,
            "images": [{"image_url": f"data:image/png;base64,{data}"}, {"image_url": f"{upstream.url}/x.png"}],
        }  # fmt: skip
        async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as sdk:
            told = await sdk.post("/images/edits", body=body, cast_to=dict[str, Any])
            with pytest.raises(openai.BadRequestError):
                await sdk.post("/images/edits", body={**body, "images": [{"image_url": data}]}, cast_to=dict[str, Any])
        [sent] = upstream.posted
    assert told["data"][0]["url"].endswith("/gen/picture.png")
    assert len(sent.json["images"]) == 2
    assert all(image["image_url"].startswith("data:image/") for image in sent.json["images"])
    assert {name: sent.json[name] for name in ("prompt", "watermark", "prompt_extend", "output_format")} == {
        "prompt": "Make it red", "watermark": True, "prompt_extend": True, "output_format": "jpeg",
    }  # fmt: skip
