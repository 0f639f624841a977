"""The overview in the console, in a real browser."""

import json
from collections.abc import Iterator

import pytest
import requests
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, expect

from tests.e2e.console.making import made
from tests.e2e.console.visit import SCREENSHOTS, serious, state, visited
from tests.support.server import Server, start
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion_events,
    stream,
)

pytestmark = pytest.mark.timeout(900)

PLANS = """
[plans.small]
limits = [{ unit = "requests", amount = 4, window = 18000.0 }, { unit = "tokens", amount = 10000, window = 604800.0 }]
"""


def reply(request: Request) -> Reply:
    """Streams for the first key, a refusal for the second."""
    if request.method == "GET":
        return answer(json.dumps({"data": [{"id": "m"}]}))
    if request.json["model"] == "broken":
        return answer(json.dumps({"error": {"message": "broken"}}), status=401)
    return stream([*completion_events(("a", "b"), model="m"), DONE])


@pytest.fixture(scope="module")
def site(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a plan, and an upstream one of whose models is refused."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(ScriptedUpstream(reply)) as upstream:
        config = (
            f'{PLANS}\n[[providers]]\nname = "up"\nbase_url = "{upstream.url}"\nmodels = ["m"]\n'
            f'[[providers]]\nname = "down"\nbase_url = "{upstream.url}"\nmodels = ["broken"]\n'
            'api_keys = ["sk-that-is-refused-0000"]\nretries = 0\nqueue_deadline = 1.0\n'
        )
        running, stop = start(tmp_path_factory.mktemp("overview") / "data", config=config)
        yield running
        assert stop() == 0, "".join(running.output)


def ask(server: Server, key: str, model: str) -> int:
    """The status of a chat request."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    headers = {"authorization": f"Bearer {key}"}
    return requests.post(f"{server.url}/v1/chat/completions", json=body, headers=headers, timeout=120).status_code


@pytest.fixture(scope="module")
def limited(site: Server, owner: dict[str, str]) -> str:
    """A key that has a plan, and the traffic of others."""
    key: str = made(site, "/keys", name="laptop", plan="small")["key"]
    assert [ask(site, key, "m") for _ in range(3)] == [200, 200, 200]
    assert ask(site, site.key, "broken") >= 400
    return key


def test_quotas_are_told_while_they_are_used_up(
    browser: Browser, site: Server, owner: dict[str, str], limited: str
) -> None:
    """5 h and 7 d meters of the key with when more is left; one more request, and the meter is full without a click."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/")
        meter = page.get_by_role("meter", name="laptop: 3 of 4 used")
        expect(meter).to_be_visible()
        expect(page.get_by_text("3 of 4 requests in 5 hours · small")).to_be_visible()
        expect(page.get_by_text("more is left from").first).to_be_visible()
        page.get_by_text("7 days", exact=True).click()
        expect(meter).to_have_count(0)
        expect(page.get_by_text("of 10,000 tokens in 7 days")).to_be_visible()
        page.get_by_text("5 hours", exact=True).click()
        assert ask(site, limited, "m") == 200
        expect(page.get_by_role("meter", name="laptop: 4 of 4 used")).to_be_visible()
        assert ask(site, limited, "m") == 429


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_health_is_told(
    browser: Browser, site: Server, owner: dict[str, str], limited: str, language: str, theme: str
) -> None:
    """Of upstreams with the keys that rest, of the local models; errors by kind, and times to first tokens."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with visited(browser, site, storage_state=state(site, owner, language=language, theme=theme)) as page:
        page.set_viewport_size({"width": 1280, "height": 1500})
        page.goto(f"{site.url}/console/")
        rests = {"en": "1 of 1 keys rest", "zh": "1 个密钥中 1 个暂停"}[language]
        expect(page.get_by_role("listitem").filter(has=page.get_by_role("link", name="down"))).to_contain_text(rests)
        expect(page.get_by_role("link", name="upstream_credential")).to_be_visible()
        expect(page.get_by_role("listitem").filter(has_text="multilingual-e5-small").first).to_be_visible()
        expect(page.locator(".gantt-row").first).to_contain_text("ms")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=SCREENSHOTS / f"overview-busy-{language}-{theme}.png")
        assert serious(page) == []
