"""Images and videos over HTTP, in every dialect."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.messages import ImagePart, TextPart
from rixin.core.usage import Usage
from rixin.settings import Media, Server, Settings
from tests.media.samples import image, png_bomb, png_of, video
from tests.support.engines import Step
from tests.support.hang import HANG
from tests.support.web import Site, site
from tests.upstreams.scripted import ScriptedUpstream, Send, Stall, answer, head

START: Event = Start(id="up-1", created=1, model="m")
ANSWER: list[Step] = [[START, Text(text="A cat.")], [Finish(reason="stop"), Usage(prompt=7, completion=2)]]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application that may fetch from the test's own servers."""
    media = Media(private_hosts=("127.0.0.1",), decode_timeout=HANG, recent_bytes=0)
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path), media=media)) as running:
        running.engine.script = ANSWER
        yield running


def chat(url: str) -> tuple[str, dict[str, Any]]:
    """An image as OpenAI's chats have it."""
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    return "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": content}]}


def messages(url: str) -> tuple[str, dict[str, Any]]:
    """An image as Anthropic's messages have it."""
    source = {"type": "url", "url": url}
    content = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    return "/v1/messages", {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": content}]}


def responses(url: str) -> tuple[str, dict[str, Any]]:
    """An image as OpenAI's responses have it."""
    content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": url}]
    return "/v1/responses", {"model": "m", "input": [{"role": "user", "content": content}], "store": False}


def native(url: str) -> tuple[str, dict[str, Any]]:
    """An image as the native platform has it."""
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": url}]
    return "/v1/llm/chat-completions", {"model": "m", "messages": [{"role": "user", "content": content}]}


DIALECTS = pytest.mark.parametrize("asking", [chat, messages, responses, native])


async def post(served: Site, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], str | None]:
    """Status, body and changes of an answer."""
    headers = {"authorization": f"Bearer {served.key}", "content-type": "application/json"}
    data = BytesIO(json.dumps(body).encode())
    async with asyncio.timeout(HANG), served.client.post(served.url + path, data=data, headers=headers) as response:
        return response.status, await response.json(), response.headers.get("x-rixin-changes")


@DIALECTS
async def test_an_image_by_url_reaches_the_engine_as_data(served: Site, asking: Any):
    """The server fetches it, and the header says so."""
    async with ScriptedUpstream(answer(image("JPEG"), content_type="image/jpeg")) as server:
        status, _, changes = await post(served, *asking(server.url))
    assert status == 200
    text, picture = served.engine.requests[0].messages[-1].parts
    assert text == TextPart("What is this?")
    assert isinstance(picture, ImagePart)
    assert (picture.url or "").startswith("data:image/jpeg;base64,/9j/")
    assert changes is not None
    assert "fetch_image(messages[0].content[1])" in changes


@DIALECTS
async def test_m7_an_image_that_cannot_be_had_is_an_error_of_the_dialect(served: Site, asking: Any):
    """In the guide's words; what was tried, and where, is not told."""
    status, body, _ = await post(served, *asking("http://10.255.255.254/secret.png"))
    assert status == 400
    assert body["error"]["message"] == "image down failed"
    assert "10.255" not in str(body)
    assert "fetched from" not in str(body)
    assert not served.engine.requests


async def test_m5_a_bomb_is_an_error_of_the_dialect(served: Site):
    """The engine never sees it."""
    url = f"data:image/png;base64,{base64.b64encode(png_of(50_000, 50_000)).decode()}"
    status, body, _ = await post(served, *chat(url))
    assert (status, body["error"]["type"], body["error"]["code"]) == (400, "invalid_request_error", "3")
    assert body["error"]["message"] == "invalid messages[0].content[1], the image has too many pixels."


PHOTO = {"type": "image_base64", "image_base64": base64.b64encode(image()).decode()}
FILM = {"type": "video_url", "video_url": "https://example.com/film.mp4"}
HALF = {"type": "image_base64", "image_base64": "A" * (23 * 2**20 * 4 // 3)}
BEYOND = {
    "M5 seven images": ([PHOTO] * 7, "at most 6 images"),
    "M5 images of more than 45 MB together": ([HALF] * 2, "no larger than 45 MB in all"),
    "M6 an image and a video": ([PHOTO, FILM], "images or a video, not both"),
    "M6 a video and six images": ([FILM, *[PHOTO] * 6], "images or a video, not both"),
    "M6 two videos": ([FILM] * 2, "at most 1 video"),
}


@pytest.mark.parametrize(("parts", "words"), BEYOND.values(), ids=BEYOND.keys())
async def test_m5_m6_the_native_limits_are_native_errors(served: Site, parts: list[dict[str, Any]], words: str):
    """Code 3, in the platform's envelope; nothing is fetched, and no engine is asked."""
    path, body = native("")
    body["messages"][0]["content"] = [*parts, {"type": "text", "text": "What is this?"}]
    status, told, _ = await post(served, path, body)
    assert (status, told["error"]["code"]) == (400, 3)
    assert words in told["error"]["message"]
    assert isinstance(told["error"]["details"], list)
    assert not served.engine.requests


async def test_m6_a_video_of_more_than_45_mb_is_a_native_error(served: Site):
    """By the length that its server announces, before any of it comes."""
    path, body = native("")
    async with ScriptedUpstream([Send(head(content_length=str(46 * 2**20))), Stall()]) as server:
        body["messages"][0]["content"][1] = {"type": "video_url", "video_url": server.url}
        status, told, _ = await post(served, path, body)
    assert (status, told["error"]["code"]) == (400, 3)
    assert "no larger than 45 MB in all" in told["error"]["message"]


async def test_m5_six_images_are_not_too_many(served: Site):
    """Over the whole conversation."""
    path, body = native("")
    body["messages"] = [{"role": "user", "content": [PHOTO] * 3}, {"role": "user", "content": [PHOTO] * 3}]
    status, _, _ = await post(served, path, body)
    assert status == 200
    messages = served.engine.requests[0].messages
    assert sum(isinstance(part, ImagePart) for message in messages for part in message.parts) == 6


async def test_an_image_in_raw_base64_reaches_the_engine(served: Site):
    """As the native platform sends it."""
    path, body = native("")
    body["messages"][0]["content"][1] = {"type": "image_base64", "image_base64": base64.b64encode(image()).decode()}
    status, _, changes = await post(served, path, body)
    assert (status, changes) == (200, None)
    picture = served.engine.requests[0].messages[-1].parts[1]
    assert isinstance(picture, ImagePart)
    assert (picture.url or "").startswith("data:image/png;base64,")


ASKING = {"chat": chat, "messages": messages, "responses": responses, "native": native}


@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING.keys())
@pytest.mark.parametrize(
    "kind", ["image_url", "image_url with data", "image_base64", "image_file_id", "video_url", "video_file_id"]
)
async def test_the_same_parts_work_in_every_dialect(served: Site, asking: Any, kind: str):
    """As the native platform writes them: by URL, data URL, raw base64 and the id of a file."""
    film = kind.startswith("video")
    content = video() if film else image()
    encoded = base64.b64encode(content).decode()
    form = aiohttp.FormData({"scheme": "MULTIMODAL_2" if film else "MULTIMODAL_1"})
    form.add_field("file", content, filename="file")
    headers = {"authorization": f"Bearer {served.key}"}
    async with served.client.post(f"{served.url}/v1/files", data=form, headers=headers) as response:
        file_id = (await response.json())["id"]
    async with ScriptedUpstream(answer(content)) as server:
        held = {
            "image_url": server.url,
            "image_url with data": f"data:image/png;base64,{encoded}",
            "image_base64": encoded,
            "image_file_id": file_id,
            "video_url": server.url,
            "video_file_id": file_id,
        }
        name = kind.split()[0]
        path, body = asking("")
        (message,) = body.get("messages") or body["input"]
        message["content"][1] = {"type": name, name: held[kind]}
        status, told, _ = await post(served, path, body)
    assert status == 200, told
    parts = served.engine.requests[0].messages[-1].parts
    assert parts[0] == TextPart("What is this?")
    pictures = [part for part in parts if isinstance(part, ImagePart)]
    assert len(pictures) == (8 if film else 1)
    assert all((picture.url or "").startswith("data:image/") for picture in pictures)


async def test_a_video_reaches_an_engine_of_images(served: Site):
    """As images from it, each with its time."""
    path, body = native("")
    async with ScriptedUpstream(answer(video())) as server:
        body["messages"][0]["content"][1] = {"type": "video_url", "video_url": server.url}
        status, _, changes = await post(served, path, body)
    assert status == 200
    assert changes is not None
    assert "sample_video(messages[0].content[1])" in changes
    parts = served.engine.requests[0].messages[-1].parts
    assert sum(isinstance(part, ImagePart) for part in parts) == 8


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_ends_the_fetch(served: Site, stream: bool):
    """Nothing is fetched for nobody, and the engine is not asked."""
    async with ScriptedUpstream([Send(head(content_length="10")), Stall()]) as server, asyncio.timeout(HANG):
        path, body = chat(server.url)
        task = asyncio.create_task(post(served, path, body | {"stream": stream}))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left.wait()
    assert not served.engine.requests


async def test_m5_m6_hostile_media_leave_others_served(served: Site, capsys: pytest.CaptureFixture[str]):
    """Requests without images are answered while bombs of all kinds are under way; how long they took is reported."""
    bombs = [
        png_of(50_000, 50_000),
        image("BMP", size=(3000, 3000)),
        image("GIF", size=(7000, 7000)),
        png_bomb(),
        video(rate=1000, frames=1000) + bytes(10**7),
    ]
    *urls, film = [f"data:;base64,{base64.b64encode(bomb).decode()}" for bomb in bombs]
    paths = [chat(url) for url in urls]
    path, body = native("")
    body["messages"][0]["content"][1] = {"type": "video_url", "video_url": film}
    paths.append((path, body))
    statuses: list[int] = []

    async def attack(number: int) -> None:
        while True:
            status, _, _ = await post(served, *paths[number])
            statuses.append(status)

    loop, times = asyncio.get_running_loop(), list[float]()
    async with ScriptedUpstream([Send(head(content_length="1000")), Stall()]) as server:
        slow = [asyncio.create_task(post(served, *chat(f"{server.url}/{number}"))) for number in range(20)]
        attacks = [asyncio.create_task(attack(number)) for number in range(len(paths))]
        await server.asked.wait()
        while len(times) < 100 or len(statuses) < 20 or set(statuses) != {200, 400}:
            before = loop.time()
            async with asyncio.timeout(HANG), served.post() as response:
                assert response.status == 200
            times.append(loop.time() - before)
        for task in (*slow, *attacks):
            task.cancel()
        await asyncio.gather(*slow, *attacks, return_exceptions=True)
    times.sort()
    usual, late = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
    with capsys.disabled():
        print(f"\nwith hostile media: {usual:.0f} ms at p50, {late:.0f} ms at p99")  # noqa: T201 - a figure to report
    assert times[-1] < HANG / 3
