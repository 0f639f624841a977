"""Agents, wired from a page: for the owner on the server's machine, and for nobody else."""

import tomllib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rixin.clients.connect.agents import AGENTS
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

AGENTS_PATH = "/admin/v1/agents"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of whoever runs the server."""
    for agent in AGENTS.values():
        monkeypatch.delenv(agent.home_variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("server")) as running:
        yield running


async def owner(site: Platform) -> dict[str, str]:
    """The login of the owner."""
    return await site.login(site.users["owner"])


async def key(site: Platform) -> str:
    """A key for an agent."""
    return (await site.key(name="agent"))["authorization"].removeprefix("Bearer ")


async def test_an_agent_is_wired_and_given_back(site: Platform, home: Path) -> None:
    """As it was shown, with the address that the browser has, and to the byte as it was before."""
    config = home / ".codex" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('# mine\nmodel = "gpt-5"\n', encoding="utf-8")
    login, wish = await owner(site), {"model": "m", "key": await key(site)}
    shown = (await site.ask("POST", f"{AGENTS_PATH}/codex/diff", login, wish)).json
    assert (shown["home"], shown["connected"]) == (str(config.parent), False)
    assert '-model = "gpt-5"' in shown["diff"]
    assert wish["key"] not in shown["diff"]
    assert config.read_text(encoding="utf-8") == '# mine\nmodel = "gpt-5"\n'
    written = await site.ask("POST", f"{AGENTS_PATH}/codex/connect", login, {**wish, "digest": shown["digest"]})
    assert str(config) in written.json["paths"]
    text = config.read_text(encoding="utf-8")
    provider = tomllib.loads(text)["model_providers"]["rixin"]
    assert "# mine" in text
    assert (provider["base_url"], provider["experimental_bearer_token"]) == (f"{site.url}/v1", wish["key"])
    again = (await site.ask("POST", f"{AGENTS_PATH}/codex/diff", login, wish)).json
    assert (again["diff"], again["connected"]) == ("", True)
    assert (await site.ask("POST", f"{AGENTS_PATH}/codex/restore", login)).status == 200
    assert config.read_text(encoding="utf-8") == '# mine\nmodel = "gpt-5"\n'
    assert sorted(path.name for path in config.parent.iterdir()) == ["config.toml"]
    acts = (await site.ask("GET", "/admin/v1/audit?limit=2", login)).json["data"]
    assert [(act["action"], act["target"]) for act in acts] == [("agent.restore", "codex"), ("agent.connect", "codex")]


async def test_only_what_was_shown_is_written(site: Platform, home: Path) -> None:
    """A file that changed since is left alone."""
    login, wish = await owner(site), {"model": "m", "key": await key(site)}
    shown = (await site.ask("POST", f"{AGENTS_PATH}/claude/diff", login, wish)).json
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"theme": "dark"}', encoding="utf-8")
    refused = await site.ask("POST", f"{AGENTS_PATH}/claude/connect", login, {**wish, "digest": shown["digest"]})
    assert refused.status == 409
    assert settings.read_text(encoding="utf-8") == '{"theme": "dark"}'


async def test_later_edits_are_lost_only_by_force(site: Platform, home: Path) -> None:
    """They are shown first."""
    login, wish = await owner(site), {"model": "m", "key": await key(site)}
    digest = (await site.ask("POST", f"{AGENTS_PATH}/claude/diff", login, wish)).json["digest"]
    await site.ask("POST", f"{AGENTS_PATH}/claude/connect", login, {**wish, "digest": digest})
    settings = home / ".claude" / "settings.json"
    settings.write_text(settings.read_text(encoding="utf-8").replace("{", '{"theme": "dark",', 1), encoding="utf-8")
    refused = await site.ask("POST", f"{AGENTS_PATH}/claude/restore", login, {})
    assert refused.status == 409
    assert "theme" in refused.json["error"]["message"]
    assert (await site.ask("POST", f"{AGENTS_PATH}/claude/restore", login, {"force": True})).status == 200
    assert not settings.exists()


HOSTILE: tuple[dict[str, str], ...] = (
    {"host": "evil.example"},
    {"host": "evil.example", "origin": "http://evil.example"},
    {"origin": "http://evil.example"},
    {"origin": "http://localhost:3000"},
    {"origin": "null"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"x-forwarded-for": "192.0.2.7"},
    {"x-forwarded-for": "127.0.0.1"},
    {"via": "1.1 proxy"},
    {"forwarded": "for=127.0.0.1"},
)


@pytest.mark.parametrize(
    "path", ["agents/codex/connect", "agents/codex/restore", "agents/codex/diff", "skills/install"]
)
async def test_nobody_else_has_anything_written(site: Platform, home: Path, path: str) -> None:
    """Not by a page of another site, another name for this machine, a proxy, a key, or another role's login."""
    login = await owner(site)
    body: dict[str, object] = {"model": "m", "key": await key(site), "digest": "x"}
    if path == "skills/install":
        body = {"agent": "codex", "skills": {"rixin": "x"}}
    for hostile in HOSTILE:
        answer = await site.ask("POST", f"/admin/v1/{path}", {**login, **hostile}, body)
        assert answer.status == 403, (hostile, answer)
    keys = [await site.key(scopes=("admin",)), await site.key(scopes=("admin",), user=site.users["owner"])]
    for headers in (*keys, *[await site.login(site.users[role]) for role in ("admin", "auditor", "member")]):
        assert (await site.ask("POST", f"/admin/v1/{path}", headers, body)).status == 403
    assert (await site.ask("POST", f"/admin/v1/{path}", {"cookie": login["cookie"]}, body)).status == 403
    assert not home.exists()


@pytest.mark.parametrize("changes", [{"auth": "off"}, {"public_url": "http://rixin.example.com"}])
async def test_a_server_that_does_not_know_its_owner_or_is_reached_by_others(
    tmp_path: Path, home: Path, changes: dict[str, Any]
) -> None:
    """Writes for nobody, and says so before anybody tries."""
    async with platform(tmp_path, **changes) as site:
        login = {} if "auth" in changes else await owner(site)
        told = (await site.ask("GET", "/admin/v1/machine", login)).json["obstacle"]
        assert told == ("unknown" if "auth" in changes else "reachable")
        assert (await site.ask("POST", f"{AGENTS_PATH}/codex/restore", login, {})).status == 403
    assert not home.exists()


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc", "codex%00", "none", "codex%2f..%2f.."])
async def test_names_of_agents_lead_nowhere_else(site: Platform, home: Path, name: str) -> None:
    """Only the agents that are known have files."""
    login = await owner(site)
    for path in ("diff", "connect", "restore", "sheets"):
        answer = await site.ask("POST", f"{AGENTS_PATH}/{name}/{path}", login, {})
        assert answer.status in (400, 404, 405), (name, path, answer)
    assert not home.exists()


async def test_only_keys_of_this_server_are_written(site: Platform, home: Path) -> None:
    """Text that is none, and keys that may not ask models, are refused by name."""
    login = await owner(site)
    metrics = (await site.key(scopes=("metrics",)))["authorization"].removeprefix("Bearer ")
    for wrong in ("x", 'x"\n[evil]\n', metrics):
        answer = await site.ask("POST", f"{AGENTS_PATH}/codex/diff", login, {"model": "m", "key": wrong})
        assert (answer.status, answer.json["error"]["param"]) == (400, "key")
    answer = await site.ask("POST", f"{AGENTS_PATH}/codex/diff", login, {"model": "nothing", "key": await key(site)})
    assert (answer.status, answer.json["error"]["param"]) == (400, "model")
    assert not home.exists()


async def test_everybody_is_shown_what_files_must_say(site: Platform, home: Path) -> None:
    """Of every agent, with a mark in place of the key, and nothing of this machine's files."""
    (home / ".codex").mkdir(parents=True)
    (home / ".codex" / "config.toml").write_text('secret = "of the owner"\n', encoding="utf-8")
    member = await site.login(site.users["member"])
    listed = (await site.ask("GET", AGENTS_PATH, member)).json["data"]
    assert [agent["name"] for agent in listed] == list(AGENTS)
    for agent in listed:
        wish = {"origin": "https://rixin.example.com:8443", "model": "m"}
        shown = (await site.ask("POST", f"{AGENTS_PATH}/{agent['name']}/sheets", member, wish)).json
        texts = "".join(sheet["text"] for sheet in shown["data"])
        assert all(sheet["path"].startswith("~/") for sheet in shown["data"])
        assert shown["key"] in texts
        assert "https://rixin.example.com:8443" in texts
        assert "of the owner" not in texts
    for origin in ("javascript:alert(1)", "http://x/y", 'http://x"', "http://x\n", ""):
        wish = {"origin": origin, "model": "m"}
        assert (await site.ask("POST", f"{AGENTS_PATH}/codex/sheets", member, wish)).status == 400, origin
