"""Every command and configuration of the pages about the request log and about replay, executed."""

import json
import os
import shlex
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from rixin.cli.provider_rules import provider_rules
from rixin.routing.known_provider import known_provider
from rixin.settings import load
from tests.cli.program import ended, serving, until
from tests.support.pages import DOCS, blocks, run
from tests.support.server import ROOT, Server

MODELS = {"RIXIN_MODELS_DIR": str(ROOT / ".cache" / "models")}

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("page", ["request-log.md", "replay.md"])
def test_configurations(page: str, tmp_path: Path) -> None:
    """Each configuration is valid."""
    for text in blocks(DOCS / page, "toml"):
        path = tmp_path / "rixin.toml"
        path.write_text(text, encoding="utf-8")
        assert load(path, environ={}) != load(environ={})


def test_the_request_log(server: Server) -> None:
    """The list of requests, and one of them by the id of its answer."""
    environ = server.environ | {"RIXIN_API_KEY": server.key, "RIXIN_DATA_DIR": str(server.data_dir)}
    first, second = blocks(DOCS / "request-log.md", "sh")
    printed = run(f"{first}\n{second}", server.url, environ).stdout
    listed, _, shown = printed.partition("}{")
    assert json.loads(f"{listed}}}")["data"] is not None
    assert json.loads(f"{{{shown}")["attempts"][0]["engine"] == "local/local"


async def test_replay(tmp_path: Path) -> None:
    """The page from its top to its end: recorded from the embedded model, answered without it."""
    data_dir = tmp_path / "data"
    answers: list[str] = []
    async with AsyncExitStack() as stack:
        process, url = None, ""
        for commands in blocks(DOCS / "replay.md", "sh"):
            program, *words = shlex.split(commands)
            if program == ".venv/bin/rixin":
                if process is not None:
                    assert (await ended(process))[0] == 0
                verb, *flags = words
                environ = MODELS if verb == "record" else {"RIXIN_MODELS_DIR": str(tmp_path / "none")}
                process = await stack.enter_async_context(serving(data_dir, *flags, "--json", verb=verb, **environ))
                url = json.loads(await until(process, "listening"))["url"]
            else:
                key = (data_dir / "first-key").read_text().strip()
                answers.append(run(commands, url, {**os.environ, "RIXIN_API_KEY": key}).stdout)
        assert process is not None
        assert (await ended(process))[0] == 0
    first, second = (json.loads(answer) for answer in answers)
    assert first["choices"] == second["choices"]
    assert first["choices"][0]["message"]["content"]
    assert first["id"] != second["id"]


def test_the_native_platform(server: Server) -> None:
    """An access key, a token, a chat and a session, as the page has them; and its provider's settings."""
    environ = server.environ | {"RIXIN_DATA_DIR": str(server.data_dir)}
    chat, session = blocks(DOCS / "native.md", "sh")
    streamed, end, turn = run(f"{chat}\n{session}", server.url, environ).stdout.partition("data:[DONE]\n\n")
    assert streamed.startswith('data:{"data":{"id":')
    assert end
    assert json.loads(turn)["data"]["message"]
    [text] = blocks(DOCS / "native.md", "toml")
    path = server.data_dir / "native.toml"
    path.write_text(text, encoding="utf-8")
    pair = {"SENSENOVA_ACCESS_KEY_ID": "ak", "SENSENOVA_SECRET_ACCESS_KEY": "sk"}
    [provider] = load(path, environ=pair).providers
    known = known_provider(provider, provider_rules({}), source="configured").provider
    assert (known.dialect, known.base_url, known.api_keys) == (
        "sensenova_native",
        "https://api.sensenova.cn/v1",
        ("ak|sk",),
    )
