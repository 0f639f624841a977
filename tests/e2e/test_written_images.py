"""Pictures whose specification a model writes: an upstream's, and the embedded one's."""

import base64
import io
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import openai
import pypdf
import pytest
import requests

from rixin.core.cards import ModelCard
from rixin.engines.draw.composing import compose
from rixin.engines.draw.writing import task
from tests.e2e.conftest import InFrontOf
from tests.support.server import Server
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_chunk, stream

pytestmark = pytest.mark.timeout(600)
PROMPT = "Tell of our town. The dam opened in 1957."
WRITTEN = json.dumps(
    {
        "title": "Our town",
        "subtitle": "Where light comes from",
        "palette": "aurora",
        "layout": "blueprint",
        "blocks": [
            {"type": "timeline", "title": "", "items": [{"when": "1957", "text": "The dam opened"}]},
            {"type": "list", "title": "At home", "items": ["Dry clothes outside", "Cook with a lid", "Save 77% more"]},
            {
                "type": "hierarchy",
                "title": "",
                "root": "Light",
                "items": [{"name": "Water", "points": ["Dam"]}, {"name": "Air", "points": ["mills #panic()"]}],
            },
        ],
    }
)
AURORA_PAGE = b"#160f29"


def writes(request: Request) -> Reply:
    """An upstream with a model that writes, word by word."""
    if request.path.endswith("/models"):
        return answer(json.dumps({"object": "list", "data": [{"id": "writer", "object": "model"}]}))
    words = [completion_chunk({"content": f"{word} "}, model="writer") for word in WRITTEN.split(" ")]
    return stream([*words, completion_chunk({}, "stop", model="writer"), DONE])


def fails(request: Request) -> Reply:
    """An upstream whose model is broken."""
    if request.path.endswith("/models"):
        return writes(request)
    return answer('{"error": {"message": "broken"}}', status=400)


@pytest.fixture
async def writer() -> AsyncIterator[ScriptedUpstream]:
    """The upstream that writes."""
    async with ScriptedUpstream(writes) as running:
        yield running


async def drawn(server: Server, output_format: str, **fields: Any) -> bytes:
    """A picture of the prompt."""
    async with openai.AsyncOpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0, timeout=120) as sdk:
        told = await sdk.images.generate(
            model="draw", prompt=PROMPT, size="1024x1024", extra_body={"output_format": output_format, **fields}
        )
    assert told.data
    return base64.b64decode(told.data[0].b64_json or "")


def text_of(pdf: bytes) -> str:
    """The words of a picture."""
    return " ".join("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).split())


async def test_an_upstream_writes_what_is_drawn(writer: ScriptedUpstream, in_front_of: InFrontOf) -> None:
    """It is asked under the schema, and its blocks, palette and layout are drawn without its inventions."""
    server = in_front_of(writer)
    words = text_of(await drawn(server, "pdf"))
    for said in ("At home", "Dry clothes outside", "Cook with a lid", "Water", "Mills #panic()", "The dam opened"):
        assert said in words
    assert "77" not in words
    sent = writer.posted[-1].json
    assert sent["response_format"]["type"] == "json_schema"
    schema = sent["response_format"]["json_schema"]["schema"]
    assert [*schema["properties"]] == ["title", "subtitle", "palette", "layout", "blocks"]
    assert len(schema["properties"]["blocks"]["items"]["anyOf"]) == 10
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert sent["messages"][-1]["content"] == PROMPT
    assert AURORA_PAGE in await drawn(server, "svg")
    assert AURORA_PAGE not in await drawn(server, "svg", style="slate")


async def test_an_upstream_that_fails_leaves_the_prompt(in_front_of: InFrontOf) -> None:
    """The picture is made of it alone."""
    async with ScriptedUpstream(fails) as upstream:
        words = text_of(await drawn(in_front_of(upstream), "pdf"))
    assert "1957" in words
    assert "Cook with a lid" not in words


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Draw an infographic about the water cycle.", "steps"),
        ("Benefits of regular exercise for office workers", "sections"),
        ("请生成一张关于垃圾分类的信息图", "sections"),
    ][: None if os.environ.get("RIXIN_TEST_ALL") else 1],
)
@pytest.mark.timeout(1200)
def test_the_embedded_model_writes_blocks(server: Server, prompt: str, kind: str) -> None:
    """What it is asked for it writes whole, in few enough tokens for its minute, and much of it can be drawn."""
    asked = task(prompt, ModelCard(name="local", target="local"))
    told = requests.post(
        f"{server.url}/v1/chat/completions",
        headers=server.headers,
        json={
            "model": "local",
            "messages": [
                {"role": "system", "content": asked.instructions},
                {"role": "user", "content": asked.prompt},
            ],
            "temperature": 0,
            "max_tokens": asked.max_tokens,
            "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": asked.schema}},
        },
        timeout=900,
    )
    assert told.status_code == 200, told.text
    made = compose(prompt, told.json()["choices"][0]["message"]["content"])
    [block] = made.specification.blocks
    assert made.written
    assert block.__struct_config__.tag == kind
