"""`rixin record` and `rixin serve --replay`, as their users start them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.cli.program import ended, rixin, serving, until
from tests.profiles.strict_upstream import text
from tests.support.clients import MESSAGES, RESPONSES, agent_request, read_stream
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

MODELS = json.dumps({"object": "list", "data": [{"id": "scripted"}]})
SECRET = "a-provider-key-of-no-known-form"


def reply(request: Request) -> Reply:
    """An upstream with one model, which says what it was told last."""
    if request.path == "/v1/models":
        return answer(MODELS)
    said = [message for message in request.json["messages"] if message["role"] == "user"][-1]
    return stream([*completion_events((text(said).upper(),)), DONE])


@pytest.fixture
async def upstream(tmp_path: Path) -> AsyncIterator[ScriptedUpstream]:
    """The upstream that the configuration names."""
    async with ScriptedUpstream(reply) as running:
        (tmp_path / "rixin.toml").write_text(
            f'[[providers]]\nname = "p"\nbase_url = "{running.url}"\nmodels = ["scripted"]\napi_keys = ["{SECRET}"]\n'
        )
        yield running


async def chat(data_dir: Path, url: str, words: str, model: str = "scripted") -> tuple[int, str]:
    """What `rixin chat` of the server prints."""
    done = await rixin("chat", "-m", model, words, data_dir=data_dir, env={"RIXIN_PORT": url.rpartition(":")[2]})
    return done.code, done.out + done.err


@pytest.mark.parametrize("verb", [("record", "--dir"), ("serve", "--record")])
async def test_o10_what_was_recorded_is_answered_without_the_upstream(
    data_dir: Path, tmp_path: Path, upstream: ScriptedUpstream, verb: tuple[str, str]
) -> None:
    """Both ways to record make folders that a server without configuration answers from, and no secret is in them."""
    recordings = tmp_path / "recordings"
    async with serving(data_dir, verb[1], "recordings", "--json", verb=verb[0]) as process:
        url = json.loads(await until(process, "listening"))["url"]
        assert await chat(data_dir, url, f"one {SECRET}") == (0, f"ONE {SECRET.upper()}\n")
        assert await chat(data_dir, url, "two") == (0, "TWO\n")
        assert (await ended(process))[0] == 0
    assert len(list(recordings.iterdir())) == 2
    files = sorted(path.name for path in min(recordings.iterdir()).iterdir())
    assert files == ["meta.json", "request.json", "upstream.sse"]
    for path in recordings.rglob("*"):
        assert path.is_dir() or SECRET not in path.read_text()
        assert path.is_dir() or path.stat().st_mode & 0o077 == 0

    asked = len(upstream.requests)
    async with serving(data_dir, "--replay", "recordings", "--json") as process:
        url = json.loads(await until(process, "listening"))["url"]
        for _ in range(2):
            assert await chat(data_dir, url, "two") == (0, "TWO\n")
        for model in ("scripted", "local"):
            code, said = await chat(data_dir, url, "three", model)
            assert code == 1
            assert "no recording fits this request" in said
        assert (await ended(process))[0] == 0
    assert len(upstream.requests) == asked


AGENTS = {path: agent_request(path, "scripted").body for path in (MESSAGES, RESPONSES)}


async def agents(data_dir: Path, url: str) -> dict[str, str]:
    """What Claude Code and Codex are told."""
    headers = {"authorization": f"Bearer {(data_dir / 'first-key').read_text().strip()}"}
    told: dict[str, str] = {}
    async with aiohttp.ClientSession(headers=headers) as client:
        for path, body in AGENTS.items():
            async with client.post(url + path, json=body) as response:
                assert response.status == 200, await response.text()
                told[path], is_whole = read_stream(path, await response.text())
                assert is_whole
    return told


async def test_o10_agents_of_other_dialects_are_recorded_and_replayed(
    data_dir: Path, tmp_path: Path, upstream: ScriptedUpstream
) -> None:
    """What Messages and Responses clients asked once, they are told again without the upstream."""
    async with serving(data_dir, "--record", "recordings", "--json") as process:
        first = await agents(data_dir, json.loads(await until(process, "listening"))["url"])
        await ended(process)
    asked = len(upstream.requests)
    assert set(first.values()) == {"GO ON"}
    assert len(list((tmp_path / "recordings").iterdir())) == len(AGENTS)
    async with serving(data_dir, "--replay", "recordings", "--json") as process:
        again = await agents(data_dir, json.loads(await until(process, "listening"))["url"])
        await ended(process)
    assert again == first
    assert len(upstream.requests) == asked


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize("prepare", ["nothing", "empty", "broken"])
async def test_recordings_that_cannot_be_read_are_told(data_dir: Path, tmp_path: Path, prepare: str) -> None:
    """The server does not start, and one line names what is wrong."""
    folder = tmp_path / "recordings" / "one"
    if prepare != "nothing":
        folder.parent.mkdir()
    if prepare == "broken":
        folder.mkdir()
        (folder / "meta.json").write_text("{")
        (folder / "request.json").write_text("{}")
    result = await rixin("serve", "--port", "0", "--replay", "recordings", data_dir=data_dir)
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 1
    assert "recordings" in result.err


@pytest.mark.usefixtures("upstream")
async def test_a_place_that_cannot_be_written_is_told(data_dir: Path, tmp_path: Path) -> None:
    """A server that could not record does not start."""
    (tmp_path / "file").touch()
    result = await rixin("record", "--port", "0", "--dir", "file/recordings", data_dir=data_dir)
    assert result.code == 1
    assert "cannot record to" in result.err


@pytest.mark.usefixtures("upstream")
@pytest.mark.parametrize("level", ["debug", "info"])
async def test_only_the_debug_log_shows_what_is_sent(data_dir: Path, level: str) -> None:
    """At `debug` each body that goes upstream is a record, with secrets hidden; at other levels nobody finds a word."""
    async with serving(data_dir, "--json", LOG_LEVEL=level) as process:
        url = json.loads(await until(process, "listening"))["url"]
        assert (await chat(data_dir, url, f"please {SECRET} please"))[0] == 0
        _, log = await ended(process)
    assert SECRET not in "".join(log)
    shown = [json.loads(line) for line in log if "please" in line]
    if level == "info":
        assert shown == []
        return
    (record,) = shown
    assert (record["event"], record["engine"]) == ("upstream request", "p")
    assert json.loads(record["body"])["messages"] == [{"role": "user", "content": "please [redacted] please"}]
