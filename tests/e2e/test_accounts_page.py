"""The page about people: its commands work as they stand, on a server that runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server

pytestmark = pytest.mark.timeout(300)
PAGE = DOCS / "accounts.md"
PASSWORD = "a password of some length"


def test_the_commands_of_the_page(launch: Callable[..., Server]) -> None:
    """People, a team and a key are made; what the server then says is what the page promises."""
    server = launch()
    token_file = server.data_dir / "setup-token"
    assert token_file.read_text().startswith("setup-rx-")
    assert token_file.stat().st_mode & 0o777 == 0o600
    commands = [block.replace("rixin ", ".venv/bin/rixin ") for block in blocks(PAGE, "sh")]
    printed = [run(block, server.url, server.shell).stdout for block in commands]
    assert "as they were written" in printed[-1]
    session = requests.Session()
    admin = f"{server.url}/admin/v1"
    wrong = session.post(f"{admin}/login", json={"email": "ada@example.com", "password": "wrong"}, timeout=60)
    assert wrong.status_code == 401
    begun = session.post(f"{admin}/login", json={"email": "ada@example.com", "password": PASSWORD}, timeout=60)
    assert begun.status_code == 200
    me = session.get(f"{admin}/session", timeout=60).json()
    assert (me["role"], me["email"]) == ("owner", "ada@example.com")
    [key] = session.get(f"{admin}/keys", params={"search": "laptop"}, timeout=60).json()["data"]
    assert (key["dialects"], key["networks"]) == (["anthropic"], ["127.0.0.0/8"])
    late = session.post(
        f"{admin}/setup",
        json={"token": token_file.read_text(), "email": "x@example.com", "name": "X", "password": PASSWORD},
        timeout=60,
    )
    assert late.status_code == 409
    proof = {"x-rixin-csrf": "1"}
    assert session.post(f"{admin}/logout", headers=proof, timeout=60).status_code == 204
    assert session.get(f"{admin}/session", timeout=60).status_code == 401


def test_the_settings_of_the_page(tmp_path: Path) -> None:
    """They are read as they stand."""
    [text] = blocks(PAGE, "toml")
    (tmp_path / "rixin.toml").write_text(text)
    settings = load(tmp_path / "rixin.toml", environ={"OIDC_CLIENT_SECRET": "secret"})
    assert settings.oidc.roles == {"rixin-admins": "admin"}
    assert settings.oidc.client_secret == "secret"
