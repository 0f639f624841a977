"""What `rixin serve` says when it answers."""

import asyncio
import json
import shlex
import subprocess
from pathlib import Path

import msgspec
import pytest

from rixin.cli.banner import banner, banner_json
from rixin.cli.supervisor import ServerReady
from rixin.settings import LocalModel, Server, Settings
from tests.upstreams.scripted import ScriptedUpstream, answer

URL = "http://127.0.0.1:8701"


def ready(first_key: str | None = None, url: str = URL, **providers: str) -> ServerReady:
    """What the supervisor tells; `providers` are addresses by name."""
    return ServerReady(url=url, port=8701, pid=1, first_key=first_key, providers=tuple(providers.items()))


def settings(data_dir: Path, **server: str) -> Settings:
    """The settings of a server on a data directory."""
    return msgspec.convert({"server": {"data_dir": data_dir, **server}}, Settings)


def curl_of(text: str) -> list[str]:
    """The command that is offered, as a shell takes it apart."""
    command = text[text.index("  curl ") :].split("\n\n")[0]
    return shlex.split(command.replace("\\\n", " "))


def test_address_and_new_key_are_shown(tmp_path: Path) -> None:
    """A person who starts a new server sees where it is and the key, which is in the command too."""
    text = banner(ready("sk-rx-new"), settings(tmp_path), {})
    assert f"is at {URL}" in text
    assert "shown this once: sk-rx-new" in text
    assert "Authorization: Bearer sk-rx-new" in curl_of(text)


def test_a_key_in_a_file_is_not_shown(tmp_path: Path) -> None:
    """Where nobody reads along, the file is named and the command reads it."""
    (tmp_path / "first-key").write_text("sk-rx-secret\n")
    text = banner(ready(), settings(tmp_path), {})
    assert f"The first key is in {tmp_path}/first-key" in text
    assert "sk-rx-secret" not in text
    assert json.loads(banner_json(ready(), settings(tmp_path))) == {
        "event": "listening",
        "url": URL,
        "pid": 1,
        "version": text.split()[1],
        "first_key_file": f"{tmp_path}/first-key",
        "setup_token_file": None,
    }


def test_without_a_key_at_hand_the_way_to_one_is_shown(tmp_path: Path) -> None:
    """A server whose first key is long known tells how to make another; one without keys says so."""
    assert "rixin keys create" in banner(ready(), settings(tmp_path), {})
    off = banner(ready(), settings(tmp_path, auth="off"), {})
    assert "No key is needed" in off
    assert "Authorization" not in off


@pytest.mark.parametrize("folder", ["plain", "with space", "it's"])
async def test_the_offered_command_runs_as_it_is(tmp_path: Path, folder: str) -> None:
    """Pasted into a shell, the command sends the key and a request that asks for an answer."""
    data_dir = tmp_path / folder
    data_dir.mkdir()
    (data_dir / "first-key").write_text("sk-rx-secret\n")
    async with ScriptedUpstream(answer("{}")) as upstream:
        text = banner(ready(url=upstream.url.removesuffix("/v1")), settings(data_dir), {})
        command = text[text.index("  curl ") :].split("\n\n")[0]
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", command], capture_output=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        (request,) = upstream.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer sk-rx-secret"
    assert request.headers["content-type"] == "application/json"
    assert request.json["messages"][0]["role"] == "user"


def test_models_are_named(tmp_path: Path) -> None:
    """Providers, local files and the default model are listed; one that must be downloaded says so."""
    plain = settings(tmp_path)
    assert "qwen2.5-coder-0.5b (491.4 MB) is being downloaded" in banner(ready(), plain, {})
    plain.models_dir.mkdir()
    (plain.models_dir / "qwen2.5-coder-0.5b.gguf").write_bytes(b"")
    assert f"local: {plain.models_dir}/qwen2.5-coder-0.5b.gguf" in banner(ready(), plain, {})
    full = Settings(
        server=Server(data_dir=tmp_path / "other"),
        models=(LocalModel(name="m", path=Path("m.gguf")),),
    )
    text = banner(ready(p="https://api.example/v1"), full, {})
    assert "p: https://api.example/v1" in text
    assert "m: m.gguf" in text
    text = banner(ready(p="https://api.example/v1"), settings(tmp_path / "other"), {})
    assert "local: qwen2.5-coder-0.5b (491.4 MB), downloaded when somebody first asks for it" in text


def test_t13_a_proxy_is_shown_without_its_password(tmp_path: Path) -> None:
    """Beside each upstream that is reached through it, and beside no other."""
    environ = {"HTTPS_PROXY": "http://ann:hunter2@proxy.example:3128", "no_proxy": "near.example"}
    told = ready(
        far="https://far.example/v1", near="https://near.example/v1", here="http://127.0.0.1:1/v1", r="replay:x"
    )
    text = banner(told, settings(tmp_path), environ)
    assert "far: https://far.example/v1 through http://ann:***@proxy.example:3128\n" in text
    for direct in ("near: https://near.example/v1\n", "here: http://127.0.0.1:1/v1\n", "r: replay:x\n"):
        assert direct in text
    assert "hunter2" not in text


def test_providers_whose_keys_are_at_hand_are_offered(tmp_path: Path) -> None:
    """A known variable is named with what adds its provider, unless that is served; its value is not shown."""
    environ = {"SENSENOVA_API_KEY": "very-secret"}
    text = banner(ready(), settings(tmp_path), environ)
    assert "SENSENOVA_API_KEY is set. To use SenseNova 商汤日日新 too:\n\n  rixin providers add sensenova\n" in text
    assert "very-secret" not in text
    assert "is set" not in banner(ready(mine="https://token.sensenova.cn/v1"), settings(tmp_path), environ)
    assert "is set" not in banner(ready(), settings(tmp_path), {})
