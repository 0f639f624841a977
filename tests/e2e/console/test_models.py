"""Models in the console, in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import HOSTILE, PATIENCE, SCREENSHOTS, serious, state, visited
from tests.support.server import Server, start

pytestmark = pytest.mark.timeout(900)

NOWHERE = "http://127.0.0.1:9/v1"
CONFIG = f"""
[aliases]
"claude-*" = "stored-model"

[[routes.best]]
model = "stored/stored-model"
weight = 2.0

[[providers]]
name = "filed"
base_url = "{NOWHERE}"
models = ["filed-model"]

[prices."filed-model"]
prompt = "0.25"
completion = "1.5"
"""


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a provider in its settings file."""
    running, stop = start(tmp_path_factory.mktemp("models") / "data", config=CONFIG)
    yield running
    assert stop() == 0, "".join(running.output)


def asked(server: Server, method: str, path: str, body: Any = None) -> Any:
    """An answer of the admin API."""
    url = f"{server.url}/admin/v1{path}"
    answered = requests.request(method, url, json=body, headers=server.headers, timeout=60)
    assert answered.status_code < 300, answered.text
    return answered.json()


@pytest.fixture(scope="module")
def stored(site: Server, owner: dict[str, str]) -> dict[str, str]:
    """The cookie of the owner, of a server that has a stored provider too."""
    wish = {"name": "stored", "base_url": NOWHERE, "models": ["stored-model", HOSTILE]}
    asked(site, "POST", "/providers", wish)
    return owner


def test_the_catalog_tells_limits_prices_and_who_answers(
    browser: Browser, site: Server, stored: dict[str, str]
) -> None:
    """A hostile name is text; the settings file's names and providers are shown with what to write there."""
    with visited(browser, site, storage_state=state(site, stored)) as page:
        page.goto(f"{site.url}/console/models")
        expect(page.get_by_role("button", name=HOSTILE)).to_be_visible()
        expect(page.locator("[data-row-key='filed-model']")).to_contain_text("0.25 in, 1.5 out, USD")
        snippet = page.get_by_role("region", name="What to write")
        expect(snippet).to_contain_text('"claude-*" = "stored-model"')
        expect(snippet).to_contain_text("[[routes.best]]")
        page.get_by_role("button", name="filed-model", exact=True).click()
        drawer = page.get_by_role("dialog")
        expect(drawer).to_contain_text("filed is in the settings file.")
        expect(drawer.get_by_role("region", name="What to write")).to_contain_text('name = "filed"')
        assert serious(page) == []


def test_rank_limits_and_names_are_changed(browser: Browser, site: Server, stored: dict[str, str]) -> None:
    """Of what is stored: the catalog tells them at once, and requests follow."""
    with visited(browser, site, storage_state=state(site, stored)) as page:
        page.goto(f"{site.url}/console/models?model=stored-model")
        drawer = page.get_by_role("dialog")
        way = drawer.get_by_role("region", name="stored", exact=True)
        way.get_by_label("Priority").fill("3")
        way.get_by_label("Context").fill("65536")
        way.get_by_label("Longest answer").fill("4096")
        way.get_by_role("button", name="Save").click()
        expect(way).to_contain_text("priority 3, weight 1")
        expect(drawer.get_by_text("65,536")).to_be_visible()
        way.get_by_label("Another name, or a glob").fill("short-name")
        way.get_by_role("button", name="Add", exact=True).click()
        expect(way.get_by_role("button", name="Delete short-name")).to_be_visible()
        models = {model["name"]: model for model in asked(site, "GET", "/models")["data"]}
        assert models["short-name"]["target"] == "stored-model"
        assert models["stored-model"]["max_output_length"] == 4096
        assert models["stored-model"]["candidates"][0]["priority"] == 3
        way.get_by_role("button", name="Delete short-name").click()
        expect(way.get_by_role("button", name="Delete short-name")).to_have_count(0)
        assert asked(site, "GET", "/providers/stored")["aliases"] == {}


def test_a_local_model_is_loaded_and_unloaded(browser: Browser, site: Server, stored: dict[str, str]) -> None:
    """While one looks on, with the memory that it takes."""
    with visited(browser, site, storage_state=state(site, stored)) as page:
        page.goto(f"{site.url}/console/models")
        engine = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Load local"))
        engine.get_by_role("button").click()
        loaded = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Unload local"))
        expect(loaded).to_contain_text("Ready", timeout=3 * PATIENCE)
        expect(loaded).to_contain_text("iB")
        expect(loaded).to_contain_text("0 of 4 slots busy")
        loaded.get_by_role("button").click()
        expect(engine).to_contain_text("Not loaded", timeout=PATIENCE)


@pytest.mark.parametrize(("language", "theme"), [("en", "dark"), ("zh", "light")])
def test_a_model_is_shown_without_barriers(
    browser: Browser, site: Server, stored: dict[str, str], language: str, theme: str
) -> None:
    """Its page in each language and theme."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with visited(browser, site, storage_state=state(site, stored, language=language, theme=theme)) as page:
        page.goto(f"{site.url}/console/models?model=stored-model")
        expect(page.get_by_role("dialog").get_by_role("link", name="stored")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"model-{language}-{theme}.png")
        assert serious(page) == []
