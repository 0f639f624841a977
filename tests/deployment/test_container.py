"""The image and the compose files, run for real where there is a container engine."""

import asyncio
import json
import re
import secrets
import subprocess
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import aiohttp
import pytest

from tests.conftest import MODELS
from tests.support.hang import HANG
from tests.support.load import Load
from tests.support.server import ROOT

BUILD = 2400
"""Seconds in which the image is built: it installs all that Rixin needs, and builds the console."""
IMAGE = "rixin-test"
LOCKED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
WEIGHTS = ("--volume", f"{MODELS}:/models:ro", "--env", "RIXIN_MODELS_DIR=/models")
CLUSTER = ROOT / "deploy" / "compose" / "cluster.yaml"
SINGLE = f"""
services:
  rixin:
    build: !reset null
    image: {IMAGE}
    container_name: !reset null
    ports: !override ["127.0.0.1::8700"]
    volumes: ["{MODELS}:/models:ro"]
    environment: {{RIXIN_MODELS_DIR: /models}}
"""
PAIR = f"""
x-ours: &ours
  build: !reset null
  image: {IMAGE}
  volumes: ["{MODELS}:/models:ro"]
  environment: {{RIXIN_MODELS_DIR: /models}}
services:
  migrate: *ours
  rixin-1: *ours
  rixin-2: *ours
  nginx:
    ports: !override ["127.0.0.1::8080"]
secrets:
  database-url: {{file: "{{folder}}/database-url"}}
  postgres-password: {{file: "{{folder}}/postgres-password"}}
  root-secret: {{file: "{{folder}}/root-secret"}}
"""
QUESTION = {"model": "sensenova-6.7-flash-lite", "max_tokens": 2, "messages": [{"role": "user", "content": "Hello"}]}
CLIENTS = 3
RENEW = ("up", "--detach", "--no-deps", "--no-build", "--force-recreate", "--wait")
AROUND = 12
"""Answers that must come before, between and after what happens to the servers."""
TRIES = """
id -u
sed -n 's/^CapEff:\t//p' /proc/self/status
for place in / /opt/rixin/bin /etc /usr/local/bin /tmp /var/lib/rixin; do
    touch "$place/written" 2>/dev/null && echo "$place"
done
true
"""

pytestmark = pytest.mark.timeout(BUILD + 600)


@dataclass(frozen=True)
class Engine:
    """A container engine that works here: `docker`, or `podman` which takes the same words."""

    name: str

    def run(self, *arguments: str, within: float = 300) -> str:
        """What a command of it prints; it must succeed."""
        done = self.attempt(*arguments, within=within)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def attempt(self, *arguments: str, within: float = 300) -> subprocess.CompletedProcess[str]:
        """A command of it that may fail."""
        command = [self.name, *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=within)

    def need(self, *images: str) -> None:
        """Gets images of others; skips the test where there is no way to them."""
        for image in images:
            if self.attempt("image", "inspect", image).returncode != 0:
                pulled = self.attempt("pull", "--quiet", image, within=BUILD)
                if pulled.returncode != 0:
                    pytest.skip(f"the image {image} cannot be had: {pulled.stderr.strip()}")


@pytest.fixture(scope="module")
def engine() -> Engine:
    """One that runs here, with our image built."""
    for name in ("docker", "podman"):
        found = Engine(name)
        try:
            if found.attempt("info", within=HANG).returncode == 0:
                break
        except OSError:
            continue
    else:
        pytest.skip("neither docker nor podman runs here")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    found.need(*sorted(set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE))))
    found.run("build", "--tag", IMAGE, ".", within=BUILD)
    return found


@pytest.fixture
def composer(engine: Engine) -> Engine:
    """An engine that reads compose files."""
    if engine.attempt("compose", "version").returncode != 0:
        pytest.skip(f"{engine.name} has no `compose` here")
    return engine


@pytest.fixture
def volume(engine: Engine) -> Generator[str]:
    """Where a server keeps its data, for as long as the test."""
    name = f"{IMAGE}-{secrets.token_hex(4)}"
    engine.run("volume", "create", name)
    yield name
    engine.run("volume", "rm", "--force", name)


@contextmanager
def container(engine: Engine, volume: str) -> Generator[str]:
    """A server as the compose files start one, with a port of this machine. Gives its name."""
    name = f"{IMAGE}-{secrets.token_hex(4)}"
    data = ("--volume", f"{volume}:/var/lib/rixin")
    engine.run("run", "--detach", "--name", name, *LOCKED, *WEIGHTS, *data, "--publish", "127.0.0.1::8700", IMAGE)
    try:
        _until_healthy(engine, name)
        yield name
    finally:
        engine.run("rm", "--force", name)


@contextmanager
def project(engine: Engine, file: Path, change: str, folder: Path) -> Generator[tuple[str, ...]]:
    """What a compose file starts, under a name of its own. Gives the words before each further command."""
    (folder / "change.yaml").write_text(change, encoding="utf-8")
    files = ("--file", str(file), "--file", str(folder / "change.yaml"))
    words = ("compose", "--project-name", f"{IMAGE}-{secrets.token_hex(4)}", *files)
    try:
        engine.run(*words, "up", "--detach", "--wait", "--no-build")
        yield words
    finally:
        engine.run(*words, "down", "--volumes", "--timeout", "60")


def test_who_it_is(engine: Engine) -> None:
    """A user without rights, who can write to the volume and to what is temporary, and nowhere else."""
    said = engine.run("run", "--rm", *LOCKED, "--network", "none", "--entrypoint", "sh", IMAGE, "-c", TRIES)
    assert said.split() == ["10001", "0000000000000000", "/tmp", "/var/lib/rixin"]


async def test_a_first_start(engine: Engine, volume: str) -> None:
    """It becomes healthy, answers with its own model, and ends when its streams have ended; its data stays."""
    with container(engine, volume) as name:
        url = f"http://{engine.run('port', name, '8700').splitlines()[0]}"
        key = engine.run("exec", name, "cat", "first-key")
        _until_ready(url)
        assert _asked(url, key)["choices"][0]["message"]["content"]
        story = {"model": "local", "stream": True, "max_tokens": 60, "messages": [{"role": "user", "content": "Sing."}]}
        async with (
            aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as client,
            client.post(f"{url}/v1/chat/completions", json=story) as response,
        ):
            await response.content.readline()
            stopping = asyncio.create_task(asyncio.to_thread(engine.run, "stop", "--time", "45", name))
            assert (await response.read()).endswith(b"data: [DONE]\n\n")
            await stopping
        assert engine.run("inspect", "--format", "{{.State.ExitCode}}", name) == "0"
    with container(engine, volume) as name:
        url = f"http://{engine.run('port', name, '8700').splitlines()[0]}"
        assert engine.run("exec", name, "cat", "first-key") == key
        assert _asked(url, key, "models")["data"]


def test_one_server_by_compose(composer: Engine, tmp_path: Path) -> None:
    """What the page says: it is up when the command ends, and the key is in its volume."""
    with project(composer, ROOT / "compose.yaml", SINGLE, tmp_path) as words:
        key = composer.run(*words, "exec", "-T", "rixin", "cat", "first-key")
        url = f"http://{composer.run(*words, 'port', 'rixin', '8700')}"
        _until_ready(url)
        assert _asked(url, key)["usage"]["completion_tokens"]


async def test_two_servers_by_compose(composer: Engine, tmp_path: Path) -> None:
    """Behind nginx, on PostgreSQL and Valkey, they are one; each is made anew under load, and no answer is missing."""
    composer.need(*re.findall(r"^    image: (\S+)", CLUSTER.read_text(encoding="utf-8"), re.MULTILINE))
    password = secrets.token_hex(24)
    for name, secret in (
        ("postgres-password", password),
        ("database-url", f"postgresql://rixin:{password}@postgres/rixin"),
        ("root-secret", secrets.token_hex(32)),
    ):
        (tmp_path / name).write_text(secret, encoding="utf-8")
        (tmp_path / name).chmod(0o444)
    with project(composer, CLUSTER, PAIR.replace("{folder}", str(tmp_path)), tmp_path) as words:
        made = ("rixin", "keys", "create", "laptop", "--plan", "sensenova-token-plan")
        key = composer.run(*words, "exec", "-T", "rixin-1", *made).split()[-1]
        url = f"http://{composer.run(*words, 'port', 'nginx', '8080')}"
        _until_ready(url)
        async with aiohttp.ClientSession(headers={"authorization": f"Bearer {key}"}) as client:
            load = Load([partial(_lost, client, url)] * CLIENTS)
            asking = asyncio.create_task(load.run())
            for server in ("rixin-1", "rixin-2"):
                await load.more(AROUND)
                await asyncio.to_thread(composer.run, *words, *RENEW, server)
            await load.more(AROUND)
            load.stop()
            await asking
            assert not load.lost
            async with client.get(f"{url}/metrics") as response:
                assert response.status == 404
        assert composer.run(*words, "exec", "-T", "valkey", "valkey-cli", "dbsize") != "0"


async def _lost(client: aiohttp.ClientSession, url: str) -> str | None:
    async with client.post(f"{url}/v1/chat/completions", json=QUESTION) as response:
        told = await response.text()
        return None if response.status == 200 else f"{response.status} {told}"


def _until_healthy(engine: Engine, name: str) -> None:
    """Waits until the engine itself calls a container healthy."""
    deadline = time.monotonic() + 3 * HANG
    while (state := engine.run("inspect", "--format", "{{.State.Health.Status}}", name)) != "healthy":
        assert time.monotonic() < deadline, state + engine.run("logs", name)
        time.sleep(1)


def _until_ready(url: str) -> None:
    """Waits until a server says that it can answer."""
    deadline = time.monotonic() + 5 * HANG
    said = ""
    while '"ready"' not in said:
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=HANG) as response:
                said = response.read().decode()
        except HTTPError as error:
            said = error.read().decode()
        except OSError as error:
            said = str(error)


def _asked(url: str, key: str, path: str = "chat/completions") -> Any:
    """The answer to a short question, or to a GET."""
    data = None if path == "models" else json.dumps(QUESTION).encode()
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/{path}", data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=HANG) as response:
        return json.load(response)
