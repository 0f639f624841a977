"""`rixin serve` as its users start it, in front of a scripted upstream."""

import asyncio
import json
import os
import pty
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from rixin.accounts.login_throttle import BY_BOTH
from rixin.cli import serve
from rixin.settings import LocalModel, Settings
from tests.cli.program import HANG_LIMIT, ended, environment, rixin, serving, until
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

MODELS = json.dumps({"object": "list", "data": [{"id": "scripted"}]})


def reply(request: Request) -> Reply:
    """An upstream with one model."""
    return answer(MODELS) if request.path == "/v1/models" else stream([*completion_events(), DONE])


@pytest.fixture
async def config(tmp_path: Path) -> AsyncIterator[Path]:
    """A configuration whose only provider is a scripted upstream."""
    async with ScriptedUpstream(reply) as upstream:
        path = tmp_path / "rixin.toml"
        path.write_text(f'[[providers]]\nname = "p"\nbase_url = "{upstream.url}"\nmodels = ["scripted"]\n')
        yield path


@pytest.mark.usefixtures("config")
async def test_a_new_server_can_be_used_by_what_it_prints(data_dir: Path) -> None:
    """Address and key of the banner are all that `rixin chat` and `rixin models` need; SIGTERM ends it with 0."""
    async with serving(data_dir) as process:
        shown = await until(process, "local: ")
        found = re.search(r"is at (http://127\.0\.0\.1:\d+)\n", shown)
        assert found
        assert f"The first key is in {data_dir}/first-key" in shown
        key = (data_dir / "first-key").read_text().strip()
        assert key not in shown
        port = found[1].rpartition(":")[2]
        env = {"RIXIN_PORT": port}
        asked = await rixin("chat", "-m", "scripted", "capital?", data_dir=data_dir, env=env)
        assert (asked.code, asked.out, asked.err) == (0, "Paris 巴黎\n", "")
        listed = await rixin("models", "list", "--json", data_dir=data_dir, env=env)
        assert {"scripted", "local"} <= {model["id"] for model in json.loads(listed.out)}
        engines = await rixin("models", "ps", "--json", data_dir=data_dir, env=env)
        assert [engine["model"] for engine in json.loads(engines.out)] == ["local", "multilingual-e5-small"]
        code, log = await ended(process)
    assert code == 0
    assert all(isinstance(json.loads(line), dict) for line in log), "logs are JSON where no person reads along"
    assert "capital?" not in "".join(log)


@pytest.mark.usefixtures("config")
async def test_keys_can_be_made_and_ended_while_the_server_runs(data_dir: Path) -> None:
    """A key that the command makes is let in, and one that it disables is refused within seconds."""
    async with serving(data_dir, "--json") as process:
        told = json.loads(await until(process, "listening"))
        assert told["first_key_file"] == f"{data_dir}/first-key"
        env = {"RIXIN_BASE_URL": told["url"]}
        key = json.loads((await rixin("keys", "create", "new", "--json", data_dir=data_dir)).out)["key"]
        chat = ("chat", "-m", "scripted", "--api-key", key, "hi")
        assert (await rixin(*chat, data_dir=data_dir, env=env)).code == 0
        assert (await rixin("keys", "disable", "new", data_dir=data_dir)).code == 0
        async with asyncio.timeout(50):  # promised: 5 seconds
            while (refused := await rixin(*chat, data_dir=data_dir, env=env)).code == 0:
                pass
        assert "disabled" in refused.err


@pytest.mark.usefixtures("config")
async def test_a_guesser_gets_no_further_by_a_restart(data_dir: Path) -> None:
    """Wrong logins are remembered even where the server was killed right after the last one."""
    guess = {"email": "ada@example.com", "password": "wrong"}
    async with aiohttp.ClientSession() as client:
        async with serving(data_dir, "--json") as process:
            url = json.loads(await until(process, "listening"))["url"]
            for _ in range(BY_BOTH):
                async with client.post(f"{url}/admin/v1/login", json=guess) as told:
                    assert told.status == 401
        async with serving(data_dir, "--json") as process:
            url = json.loads(await until(process, "listening"))["url"]
            async with client.post(f"{url}/admin/v1/login", json=guess) as told:
                assert told.status == 429
                assert 0 < int(told.headers["retry-after"]) <= 915


@pytest.mark.bare
@pytest.mark.usefixtures("config")
async def test_a_second_server_on_the_same_data_is_refused(data_dir: Path) -> None:
    """The error names the process that is there."""
    async with serving(data_dir, "--json") as process:
        told = json.loads(await until(process, "listening"))
        second = await rixin("serve", "--port", "0", data_dir=data_dir)
        assert second.code == 1
        assert f"(process {told['pid']})" in second.err
        assert second.out == ""


@pytest.mark.usefixtures("config")
async def test_a_person_is_shown_the_key(data_dir: Path) -> None:
    """At a terminal the first key is shown, this once, and no file is written."""
    master, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rixin", "serve", "--port", "0"),
        cwd=data_dir.parent,
        env=environment(data_dir, {"TERM": "dumb", "DEEPSEEK_API_KEY": "very-secret"}),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=terminal,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(terminal)
    shown, complete = b"", asyncio.Event()

    def read() -> None:
        nonlocal shown
        shown += os.read(master, 65536)
        if b"rixin providers add deepseek" in shown:
            complete.set()

    loop = asyncio.get_running_loop()
    loop.add_reader(master, read)
    try:
        async with asyncio.timeout(HANG_LIMIT):
            await complete.wait()
    finally:
        loop.remove_reader(master)
        await ended(process)
        os.close(master)
    text = shown.decode()
    assert len(re.findall(r"sk-rx-[\w-]{43}", text)) == 2, "once by itself, once in the command"
    assert not (data_dir / "first-key").exists()
    assert "DEEPSEEK_API_KEY is set" in text
    assert "very-secret" not in text


def test_a_named_file_is_the_model_local(tmp_path: Path) -> None:
    """`--model` stands before the configured models, and in the place of one that they call `local`."""
    file = Path(__file__).parents[2] / ".cache" / "models" / "smollm2-135m.gguf"
    configured = (LocalModel(name="other", path=tmp_path / "o"), LocalModel(name="local", path=tmp_path / "l"))
    settings = serve.with_model(Settings(models=configured), file)
    assert [(model.name, model.path) for model in settings.models] == [("local", file), ("other", tmp_path / "o")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "rixin.toml"], "rixin.toml is not a GGUF file"),
        (["--model", "missing.gguf"], "cannot read the model missing.gguf"),
        (["--config", "missing.toml"], "cannot read missing.toml"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
    ],
)
@pytest.mark.usefixtures("config")
async def test_what_cannot_be_served_is_told(data_dir: Path, arguments: list[str], says: str) -> None:
    """A start that cannot succeed ends at once with one line that names what is wrong."""
    result = await rixin("serve", "--port", "0", *arguments, data_dir=data_dir)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert says in result.err
    assert len(result.err.splitlines()) == 1
