"""Files through whole servers, with the official SDKs; and as parts of requests, in every dialect."""

import asyncio
import base64
import io
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import requests

from rixin.accounts.file_purposes import PURPOSES, SCHEMES
from rixin.settings import Files, load
from rixin.store.file_bytes import FileBytes
from tests.media.documents import pdf, word
from tests.media.samples import image, video
from tests.support.pages import DOCS, blocks
from tests.support.pages import run as run_commands
from tests.support.sensenova_sdk import run_program, variables
from tests.support.server import Server
from tests.upstreams.scripted import Request, ScriptedUpstream, answer, completion

pytestmark = pytest.mark.timeout(300)

QUESTION = "What is this?"


@pytest.fixture
async def upstream() -> AsyncIterator[ScriptedUpstream]:
    """A vision model."""
    async with ScriptedUpstream(answer(completion("A cat.", model="m"))) as upstream:
        yield upstream


@pytest.fixture
def seeing(launch: Callable[..., Server], upstream: ScriptedUpstream) -> Server:
    """A server in front of it, that knows where its clients find it."""
    provider = f'[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\nmodels = ["m"]\n'
    own = '[server]\npublic_url = "https://rixin.example"\n[media]\ndecode_timeout = 60\n'
    return launch(config=own + provider)


def sent(request: Request) -> list[dict[str, Any]]:
    """The parts of the last message that the upstream was given."""
    content = request.json["messages"][-1]["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def test_openais_sdk(server: Server) -> None:
    """Sends, lists page by page, shows, gives back and deletes."""
    command = server.cli("keys", "create", "sdk", "--json")
    key = json.loads(subprocess.run(command, env=server.environ, capture_output=True, check=True, timeout=60).stdout)
    sdk = server.sdk().with_options(api_key=key["key"])
    made = [
        sdk.files.create(file=(f"{number}.txt", f"Words {number}.".encode()), purpose="user_data")
        for number in range(3)
    ]
    assert made[0].filename == "0.txt"
    assert (made[0].bytes, made[0].purpose, made[0].status) == (8, "user_data", "processed")
    assert [file.id for file in sdk.files.list(limit=2, order="asc")] == [file.id for file in made]
    assert sdk.files.retrieve(made[1].id) == made[1]
    assert sdk.files.content(made[1].id).text == "Words 1."
    assert sdk.files.delete(made[1].id).deleted
    with pytest.raises(openai.NotFoundError):
        sdk.files.retrieve(made[1].id)
    with pytest.raises(openai.BadRequestError, match="should be an image"):
        sdk.files.create(file=io.BytesIO(b"no image"), purpose="vision")
    ends = sdk.files.create(file=b"x", purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600})
    assert ends.expires_at == ends.created_at + 3600


SENSENOVA = """
import asyncio, io, json, sensenova
created = sensenova.File.create(file=io.StringIO(json.dumps({"text_lst": ["文字"]}, ensure_ascii=False)),
                                scheme="KNOWLEDGE_BASE_1", description="测试知识库文件")
one = sensenova.File.retrieve(created["id"])
listed = sensenova.File.list()
content = sensenova.File.download(created["id"]).decode()
later = asyncio.run(sensenova.File.adownload(created["id"])).decode()
deleted = sensenova.File.delete(created["id"])
try:
    sensenova.File.retrieve(created["id"])
    gone = None
except sensenova.error.InvalidRequestError as error:
    gone = error.http_status
try:
    sensenova.File.create(file=io.BytesIO(b"no image"), scheme="MULTIMODAL_1")
    refused = None
except sensenova.error.InvalidRequestError as error:
    refused = [error.http_status, str(error)]
print(json.dumps([created, one["file"], listed["files"], content, later, deleted, gone, refused]))
"""


def test_the_sensenova_sdk(server: Server) -> None:
    """Sends, waits until it is valid, lists, gives back (following the link, as it does), and deletes."""
    told = run_program(SENSENOVA, variables(server, "files"))
    created, one, listed, content, later, deleted, gone, refused = told
    assert (one["id"], one["status"], one["scheme"]) == (created["id"], "VALID", "KNOWLEDGE_BASE_1")
    assert one["description"] == "测试知识库文件"
    assert [file["id"] for file in listed] == [created["id"]]
    assert content == later == '{"text_lst": ["文字"]}'
    assert deleted == {}
    assert gone == 404
    assert refused[0] == 400
    assert "should be an image" in refused[1]


def upload(server: Server, content: bytes, **fields: str) -> str:
    """Sends a file with curl's manners, and gives its id."""
    headers = {"authorization": f"Bearer {server.key}"}
    response = requests.post(
        f"{server.url}/v1/files", files={"file": ("a.bin", content)}, data=fields, headers=headers, timeout=60
    )
    assert response.status_code == 200, response.text
    return response.json()["id"]


async def test_an_image_by_its_id(seeing: Server, upstream: ScriptedUpstream) -> None:
    """In every dialect that has ids, and by a link of ours, which is read and not fetched."""
    native = upload(seeing, image(), scheme="MULTIMODAL_1")
    vision = upload(seeing, image("JPEG"), purpose="vision")
    link = f"https://rixin.example/v1/files/{native}/content?expires=1&signature=old"
    sdk, claude = seeing.sdk(), anthropic.Anthropic(api_key=seeing.key, base_url=seeing.url, max_retries=0)
    headers = {"authorization": f"Bearer {seeing.key}"}
    text = {"type": "text", "text": QUESTION}

    def chat(part: dict[str, Any]) -> str:
        body = {"model": "m", "messages": [{"role": "user", "content": [text, part]}]}
        url = f"{seeing.url}/v1/llm/chat-completions"
        told = requests.post(url, json=body, headers=headers, timeout=120)
        return told.json()["data"]["choices"][0]["message"]

    def respond(part: dict[str, Any]) -> str:
        content: Any = [{"type": "input_text", "text": QUESTION}, part]
        return sdk.responses.create(model="m", input=[{"role": "user", "content": content}]).output_text

    def message(part: dict[str, Any]) -> str:
        content: Any = [text, part]
        told = claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": content}])
        return "".join(block.text for block in told.content if block.type == "text")

    def complete(part: dict[str, Any]) -> str:
        content: Any = [text, part]
        told = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
        return told.choices[0].message.content or ""

    asked: list[tuple[Callable[[dict[str, Any]], str], dict[str, Any], str]] = [
        (chat, {"type": "image_file_id", "image_file_id": native}, "png"),
        (chat, {"type": "image_file_id", "image_file_id": vision}, "jpeg"),
        (chat, {"type": "image_url", "image_url": link}, "png"),
        (respond, {"type": "input_image", "file_id": vision, "detail": "auto"}, "jpeg"),
        (respond, {"type": "input_image", "image_url": link, "detail": "auto"}, "png"),
        (message, {"type": "image", "source": {"type": "file", "file_id": native}}, "png"),
        (message, {"type": "image", "source": {"type": "url", "url": link}}, "png"),
        (complete, {"type": "image_url", "image_url": {"url": link}}, "png"),
    ]
    for ask, part, kind in asked:
        assert await run(ask, part) == "A cat.", part
        words, picture = sent(upstream.posted[-1])
        assert words["text"] == QUESTION
        assert picture["image_url"]["url"].startswith(f"data:image/{kind};base64,"), part


async def run(ask: Callable[[dict[str, Any]], str], part: dict[str, Any]) -> str:
    """What is answered, by an SDK that blocks."""
    return await asyncio.to_thread(ask, part)


async def test_a_video_by_its_id(seeing: Server, upstream: ScriptedUpstream) -> None:
    """As images from it, for a model that takes no videos."""
    film = upload(seeing, video(), scheme="MULTIMODAL_2")
    parts = [{"type": "text", "text": QUESTION}, {"type": "video_file_id", "video_file_id": film}]
    body = {"model": "m", "messages": [{"role": "user", "content": parts}]}

    def ask(_: dict[str, Any]) -> str:
        headers = {"authorization": f"Bearer {seeing.key}"}
        url = f"{seeing.url}/v1/llm/chat-completions"
        return requests.post(url, json=body, headers=headers, timeout=120).json()["data"]["choices"][0]["message"]

    assert await run(ask, {}) == "A cat."
    assert sum(part["type"] == "image_url" for part in sent(upstream.posted[-1])) == 8


async def test_a_document_becomes_words(seeing: Server, upstream: ScriptedUpstream) -> None:
    """By its id or as it is, for a model that reads text only."""
    paper = upload(seeing, pdf("Cats purr."), purpose="user_data")
    letter = base64.b64encode(word("Dear cat.")).decode()
    sdk, claude = seeing.sdk(), anthropic.Anthropic(api_key=seeing.key, base_url=seeing.url, max_retries=0)

    def respond(part: dict[str, Any]) -> str:
        content: Any = [{"type": "input_text", "text": QUESTION}, part]
        return sdk.responses.create(model="m", input=[{"role": "user", "content": content}]).output_text

    def message(part: dict[str, Any]) -> str:
        content: Any = [{"type": "text", "text": QUESTION}, part]
        told = claude.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": content}])
        return "".join(block.text for block in told.content if block.type == "text")

    def complete(part: dict[str, Any]) -> str:
        content: Any = [{"type": "text", "text": QUESTION}, part]
        told = sdk.chat.completions.create(model="m", messages=[{"role": "user", "content": content}])
        return told.choices[0].message.content or ""

    source = {"type": "base64", "media_type": "application/pdf", "data": base64.b64encode(pdf("Purr.")).decode()}
    asked: list[tuple[Callable[[dict[str, Any]], str], dict[str, Any], str]] = [
        (respond, {"type": "input_file", "file_id": paper}, "Cats purr."),
        (respond, {"type": "input_file", "filename": "a.docx", "file_data": letter}, "Dear cat."),
        (message, {"type": "document", "source": {"type": "file", "file_id": paper}}, "Cats purr."),
        (message, {"type": "document", "source": source}, "Purr."),
        (complete, {"type": "file", "file": {"file_id": paper}}, "Cats purr."),
    ]
    for ask, part, words in asked:
        assert await run(ask, part) == "A cat.", part
        assert words in json.dumps(sent(upstream.posted[-1])), part


async def test_a8_nobody_elses_file_is_used(seeing: Server, upstream: ScriptedUpstream) -> None:
    """Neither by its id nor by a link to it, in any dialect; no model is asked."""
    secret = upload(seeing, image(), scheme="MULTIMODAL_1")
    paper = upload(seeing, pdf("secret"), purpose="user_data")
    other = json.loads(
        subprocess.run(
            seeing.cli("keys", "create", "other", "--json"), env=seeing.environ, capture_output=True, check=True
        ).stdout
    )["key"]
    link = f"https://rixin.example/v1/files/{secret}/content"
    text = {"type": "text", "text": QUESTION}
    chats: list[tuple[str, list[dict[str, Any]]]] = [
        ("/v1/llm/chat-completions", [text, {"type": "image_file_id", "image_file_id": secret}]),
        ("/v1/llm/chat-completions", [text, {"type": "image_url", "image_url": link}]),
        ("/v1/chat/completions", [text, {"type": "image_url", "image_url": {"url": link}}]),
        ("/v1/chat/completions", [text, {"type": "file", "file": {"file_id": paper}}]),
        ("/v1/messages", [text, {"type": "image", "source": {"type": "file", "file_id": secret}}]),
        ("/v1/messages", [text, {"type": "document", "source": {"type": "file", "file_id": paper}}]),
        ("/v1/responses", [{"type": "input_image", "file_id": secret, "detail": "auto"}]),
        ("/v1/responses", [{"type": "input_file", "file_id": paper}]),
    ]
    for path, content in chats:
        name = "input" if path.endswith("responses") else "messages"
        body = {"model": "m", "max_tokens": 9, name: [{"role": "user", "content": content}]}
        if path.startswith("/v1/llm"):
            del body["max_tokens"]
        headers = {"authorization": f"Bearer {other}"}

        def ask(_: dict[str, Any], path: str = path, body: Any = body, headers: Any = headers) -> str:
            response = requests.post(seeing.url + path, json=body, headers=headers, timeout=120)
            return f"{response.status_code} {response.text}"

        told = await run(ask, {})
        assert told.startswith("404 "), (path, content, told)
        assert "There is no file with this id." in told
    assert not upstream.posted


def test_the_page_runs(server: Server, tmp_path: Path) -> None:
    """Its commands, in turn, in one shell; its configuration, and its figures."""
    page = DOCS / "files.md"
    printed = run_commands("\n".join(blocks(page, "sh")), server.url, server.shell, cwd=tmp_path).stdout
    assert "Ada keeps seven cats." in printed
    assert '"deleted":true' in printed
    [text] = blocks(page, "toml")
    (tmp_path / "rixin.toml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "rixin.toml", environ={"S3_KEY_ID": "id", "S3_SECRET": "secret"}).files
    FileBytes.open(settings.url, settings.options, tmp_path)
    told, defaults = page.read_text(encoding="utf-8"), Files()
    megabytes, gigabytes = defaults.max_file_bytes // 2**20, defaults.max_account_bytes // 2**30
    figures = f"A file may have {megabytes} MB, a key {gigabytes} GB in {defaults.max_account_files:,} files"
    assert figures in told
    for name, purpose in (SCHEMES | PURPOSES).items():
        row = next(line for line in told.splitlines() if line.startswith("| `") and f"`{name}`" in line)
        assert (f"{(purpose.max_bytes or 0) // 2**20} MB" in row) == (purpose.max_bytes is not None)
