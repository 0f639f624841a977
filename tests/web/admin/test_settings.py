"""What is set and where from, as the admin API tells it."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rixin.service.configuration import Configuration
from rixin.settings import Settings, load
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = """
[server]
keep_alive = 5.0
port = 9001
[oidc]
client_secret = "hunter2"
[aliases]
"gpt-*" = "local"
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("settings")) as running:
        yield running


async def no_reload() -> str | None:
    """Is not asked for."""
    raise AssertionError


def told(running: Settings, file: Path, environ: dict[str, str], current: Settings | None = None) -> dict[str, Any]:
    """What is told of the settings of a server, by name."""
    configuration = Configuration(running, lambda: current or running, file, environ, no_reload)
    return {setting.name: setting for setting in configuration.told()}


async def test_each_setting_is_told_with_where_it_comes_from(tmp_path: Path) -> None:
    """The file, a variable, the command line, or nowhere."""
    file, environ = tmp_path / "rixin.toml", {"RIXIN_WORKERS": "2", "RIXIN_MEDIA__MAX_IMAGES": "7"}
    file.write_text(FILE, encoding="utf-8")
    found = told(load(file, environ=environ, flags={"server.port": 9002}), file, environ)
    sources = {name: (setting.source, setting.origin) for name, setting in found.items()}
    assert sources["server.keep_alive"] == ("file", str(file))
    assert sources["aliases"] == ("file", str(file))
    assert sources["server.workers"] == ("environment", "RIXIN_WORKERS")
    assert sources["media.max_images"] == ("environment", "RIXIN_MEDIA__MAX_IMAGES")
    assert sources["server.port"] == ("flag", None)
    assert sources["server.host"] == ("default", None)
    assert (found["server.port"].value, found["media.max_images"].value) == (9002, 7)
    assert found["oidc.client_secret"].value == "***"
    assert not any(setting.pending for setting in found.values())


async def test_what_counts_at_once_is_told_from_what_waits(tmp_path: Path) -> None:
    """Aliases are in force as the file says by now; another value of the rest waits for the next start."""
    file = tmp_path / "rixin.toml"
    file.write_text(FILE, encoding="utf-8")
    running = load(file, environ={})
    file.write_text(FILE.replace("5.0", "6.0").replace("gpt", "claude"), encoding="utf-8")
    found = told(running, file, {}, current=load(file, environ={}))
    assert (found["server.keep_alive"].value, found["server.keep_alive"].pending) == (5.0, True)
    assert found["server.keep_alive"].restart
    assert found["aliases"].value == {"claude-*": "local"}
    assert not found["aliases"].restart


async def test_a_file_that_is_not_in_order_says_nothing(tmp_path: Path) -> None:
    """What is in force is told all the same."""
    file = tmp_path / "rixin.toml"
    file.write_text(FILE, encoding="utf-8")
    running = load(file, environ={})
    file.write_text("[server", encoding="utf-8")
    found = told(running, file, {})
    assert (found["server.keep_alive"].value, found["server.keep_alive"].pending) == (5.0, False)


async def test_no_secret_is_told(site: Platform) -> None:
    """Keys of providers, and whatever else is one."""
    auditor = await site.login(site.users["auditor"])
    settings = await site.ask("GET", "/admin/v1/settings", auditor)
    assert settings.status == 200
    assert b"sk-of-the-upstream" not in settings.body
    values = {setting["name"]: setting["value"] for setting in settings.json["data"]}
    assert values["providers"][0]["api_keys"] == ["***"]
    installation = (await site.ask("GET", "/admin/v1/installation", auditor)).json
    assert (installation["database"], installation["counters"]) == ("sqlite", "process")
    assert installation["parts"]["msgspec"]
    for path in ("settings", "installation"):
        assert (await site.ask("GET", f"/admin/v1/{path}", await site.login(site.users["member"]))).status == 403


async def test_a_server_without_a_file_has_none_to_read_again(site: Platform) -> None:
    """Which is told."""
    answer = await site.ask("POST", "/admin/v1/settings/reload", await site.login(site.users["admin"]))
    assert answer.status == 409
