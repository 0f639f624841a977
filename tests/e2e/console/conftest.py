"""Debian's Chromium, in front of a real server with the embedded model."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect, sync_playwright

from rixin.web import console_files
from tests.e2e.console.visit import AXE, OWNER, PATIENCE
from tests.support.server import Server, start


def needed(present: bool, missing: str) -> None:
    """Skips where something is missing that is made by a command; fails where all must run."""
    if not present:
        if os.environ.get("RIXIN_TEST_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="module")
def browser(program: Callable[[str], str]) -> Iterator[Browser]:
    """Debian's Chromium."""
    needed(console_files.is_built() and AXE.is_file(), "the console is not built; `make console` does it")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of whoever runs the server."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def site(browser: Browser, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with what every server has."""
    running, stop = start(tmp_path_factory.mktemp("console") / "data", env={"HOME": str(home)})
    yield running
    assert stop() == 0, "".join(running.output)


@pytest.fixture(scope="module")
def owner(site: Server) -> dict[str, str]:
    """The cookie of the owner, by name."""
    token = (site.data_dir / "setup-token").read_text(encoding="utf-8").strip()
    answer = requests.post(f"{site.url}/admin/v1/setup", json={"token": token, **OWNER}, timeout=60)
    assert answer.status_code == 201, answer.text
    return {cookie.name: cookie.value or "" for cookie in answer.cookies}


@pytest.fixture(scope="module")
def untouched(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits for its first owner."""
    running, stop = start(tmp_path_factory.mktemp("untouched") / "data")
    yield running
    assert stop() == 0, "".join(running.output)
