"""Images and videos through whole servers, with OpenAI's SDK; and their page, executed."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import openai
import pytest
from openai.types.chat import ChatCompletion

from rixin.media.guard import Guard
from rixin.settings import Media, load
from tests.engines.child.projector import write_projector
from tests.media.pages import page
from tests.media.samples import image, video, written
from tests.support.server import ROOT, Server
from tests.upstreams.scripted import ScriptedUpstream, answer, completion

pytestmark = pytest.mark.timeout(300)

PAGE = (ROOT / "docs" / "media.md").read_text(encoding="utf-8")
FETCHING = '[media]\nprivate_hosts = ["127.0.0.1"]\ndecode_timeout = 60\n'
SMOLLM2 = ROOT / ".cache" / "models" / "smollm2-135m.gguf"


async def ask(server: Server, kind: str, url: str, model: str) -> tuple[ChatCompletion, str]:
    """What a model says of an image or a video, and what was done to the request."""
    async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model=model,
            max_tokens=4,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is this?"},
                        {"type": kind, kind: {"url": url}},  # pyright: ignore[reportArgumentType] - videos are no part of OpenAI's API
                    ],
                }
            ],
        )
        return raw.parse(), raw.headers.get("x-rixin-changes", "")


async def test_a_local_model_with_eyes(launch: Callable[..., Server], tmp_path: Path):
    """It sees an image and a video by URL: their tokens count, and it answers."""
    write_projector(tmp_path / "mmproj.gguf", 576)
    paths = f'path = "{SMOLLM2}"\nmmproj = "{tmp_path / "mmproj.gguf"}"\n'
    server = launch(config=f'{FETCHING}\n[[models]]\nname = "local"\ncontext_length = 2048\n{paths}')
    async with ScriptedUpstream(lambda request: answer(video() if "film" in request.path else image())) as files:
        seen, changes = await ask(server, "image_url", f"{files.url}/photo", "local")
        assert changes == "fetch_image(messages[0].content[1])"
        watched, changes = await ask(server, "video_url", f"{files.url}/film", "local")
        assert changes == "fetch_video(messages[0].content[1]), sample_video(messages[0].content[1])"
    assert seen.choices[0].finish_reason in ("stop", "length")
    assert seen.usage is not None
    assert watched.usage is not None
    assert watched.usage.prompt_tokens > seen.usage.prompt_tokens + 8


async def test_a_local_model_without_eyes(server: Server):
    """The error says what is wrong, and nothing is fetched."""
    async with ScriptedUpstream(answer(image())) as files:
        with pytest.raises(openai.BadRequestError) as caught:
            await ask(server, "image_url", files.url, "local")
    assert "invalid messages[0].content[1], this model does not take images." in caught.value.message
    assert not files.requests


async def test_a_local_model_that_is_told(launch: Callable[..., Server]):
    """It answers from the words in an image, and its entry in the list says what it is told."""
    server = launch(config="[media]\nvision_adapter = true\nvision_timeout = 120\ndecode_timeout = 60\n")
    picture = f"data:image/png;base64,{base64.b64encode(written(page('The password is Zanzibar'))).decode()}"
    async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(
            model="local",
            max_tokens=40,
            temperature=0,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Which password is in the image?"},
                        {"type": "image_url", "image_url": {"url": picture}},
                    ],
                }
            ],
        )
        assert "Zanzibar" in (raw.parse().choices[0].message.content or "")
        assert "describe_image(messages[0].content[1])" in raw.headers["x-rixin-changes"]
        entry = (await client.models.retrieve("local")).to_dict()
        assert entry["input_modalities"] == ["text", "image", "video"]
        assert "it is told text and layout" in str(entry["description"])


@pytest.mark.parametrize("profile", ["", 'profile = { image_policy = "pass" }\n'])
async def test_a_provider(launch: Callable[..., Server], profile: str):
    """It is given data, and a URL where the configuration says that it fetches."""
    async with ScriptedUpstream(answer(image())) as files, ScriptedUpstream(answer(completion(model="m"))) as upstream:
        provider = f'[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\nmodels = ["m"]\n{profile}'
        server = launch(config=FETCHING + provider)
        _, changes = await ask(server, "image_url", files.url, "m")
        sent = upstream.posted[-1].json["messages"][0]["content"][1]["image_url"]["url"]
        assert (sent, changes) == (files.url, "") if profile else sent.startswith("data:image/png;base64,")
        assert len(files.requests) == (0 if profile else 1)


def test_the_page_configures(tmp_path: Path):
    """Each configuration is valid, and so are the hosts in it."""
    found = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(found) == 3
    for text in found:
        (tmp_path / "rixin.toml").write_text(text, encoding="utf-8")
        settings = load(tmp_path / "rixin.toml", environ={"CLOUD_API_KEY": "sk"})
        assert settings != load(environ={})
        Guard(settings.media.private_hosts, settings.media.ports)


def test_the_page_tells_the_defaults():
    """Its figures are the settings'."""
    defaults = Media()
    assert defaults.ports == (80, 443)
    assert "on the ports 80 and 443" in PAGE
    for figure in (
        f"with {defaults.long_edge} pixels at its longer edge",
        f"as {defaults.video_frames} images",
        f"hold {defaults.max_images} images and one video",
        f"{defaults.max_bytes // 2**20} MB together",
        f"have {defaults.max_pixels // 10**6} million pixels",
        f"the whole fetch {defaults.fetch_timeout:g}",
        f"more than {defaults.decode_queue} images wait",
        f"`vision_timeout` ({defaults.vision_timeout:g} s)",
        f"may have {defaults.max_described_images} images described",
    ):
        assert figure in PAGE
    assert not defaults.vision_adapter
    assert defaults.max_video_seconds == 600
    assert defaults.max_videos == 1
