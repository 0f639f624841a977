"""The first start, setting up and logging in, in a real browser."""

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.e2e.console.visit import OWNER, PATIENCE, SCREENSHOTS, serious, state, visited
from tests.support.identity_provider import IdentityProvider
from tests.support.server import Server
from tests.upstreams.identities import CLIENT_ID, CLIENT_SECRET

pytestmark = pytest.mark.timeout(600)

GRACE: dict[str, Any] = {"sub": "grace-1", "email": "grace@example.com", "email_verified": True, "name": "Grace"}


@pytest.fixture
def provider(identities: IdentityProvider) -> IdentityProvider:
    """A provider of identities with whom Grace logs in."""
    identities.change(claims=GRACE)
    return identities


def oidc_config(provider: IdentityProvider, public_url: str) -> str:
    """The settings of a server that trusts it."""
    return (
        f'[server]\npublic_url = "{public_url}"\n\n[oidc]\nissuer = "{provider.issuer}"\nname = "Test ID"\n'
        f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\nallowed_domains = ["example.com"]\n'
    )


def test_from_the_first_start_to_the_first_answer(browser: Browser, launch: Callable[..., Server]) -> None:
    """The set-up token makes the owner, who asks the embedded model at once and reads in the log what that took."""
    server = launch()
    with visited(browser, server) as page:
        page.goto(f"{server.url}/console/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Set up Rixin")
        assert serious(page) == []
        page.get_by_label("Set-up token").fill((server.data_dir / "setup-token").read_text(encoding="utf-8").strip())
        page.get_by_label("Name", exact=True).fill(OWNER["name"])
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Make the owner").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        page.get_by_role("link", name="Playground", exact=True).click()
        page.get_by_role("textbox", name="Message").fill("Name the capital of France.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("tokens/s")).to_be_visible(timeout=2 * PATIENCE)
        assert "Paris" in page.get_by_role("log").inner_text()
        page.get_by_role("link", name="Requests", exact=True).click()
        expect(page.get_by_text("200", exact=True)).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill("another one")
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("navigation")).to_be_visible()


def test_an_ended_session_leads_to_the_login_and_back(browser: Browser, site: Server, owner: dict[str, str]) -> None:
    """Whatever page one was on when it ended, with what one had filtered there."""
    with visited(browser, site, storage_state=state(site, owner)) as page:
        page.goto(f"{site.url}/console/requests?status=5xx")
        expect(page.get_by_role("heading", level=1)).to_have_text("Requests")
        page.context.clear_cookies()
        page.get_by_role("link", name="Keys", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Log in", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Keys")
        page.go_back()
        expect(page).to_have_url(re.compile("requests[?]status=5xx$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("Requests")


def test_a_wrong_set_up_token_is_refused(browser: Browser, launch: Callable[..., Server]) -> None:
    """With a word of why; nothing is made."""
    server = launch()
    with visited(browser, server) as page:
        page.goto(f"{server.url}/console/")
        page.get_by_label("Set-up token").fill("guessed")
        page.get_by_label("Name", exact=True).fill(OWNER["name"])
        page.get_by_label("E-mail address").fill(OWNER["email"])
        page.get_by_label("Password").fill(OWNER["password"])
        page.get_by_role("button", name="Make the owner").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Set up Rixin")


def test_a_provider_of_identities_lets_people_in(
    browser: Browser, launch: Callable[..., Server], provider: IdentityProvider
) -> None:
    """The browser goes to it and comes back to the page where it was; people it knows nothing of stay outside."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        server = launch("--port", str(port), config=oidc_config(provider, f"http://127.0.0.1:{port}"))
        token = (server.data_dir / "setup-token").read_text(encoding="utf-8").strip()
        made = requests.post(f"{server.url}/admin/v1/setup", json={"token": token, **OWNER}, timeout=60)
        assert made.status_code == 201, made.text
        with visited(browser, server, also=provider.issuer) as page:
            page.goto(f"{server.url}/console/models?q=local")
            page.get_by_role("link", name="Log in with Test ID").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Models")
            expect(page).to_have_url(f"{server.url}/console/models?q=local")
            expect(page.get_by_text("Grace")).to_be_visible()
            expect(page.get_by_role("link", name="Team", exact=True)).to_have_count(0)
            page.get_by_role("button", name="Log out").click()
            provider.change(claims={"sub": "stranger", "email": "eve@elsewhere.example", "email_verified": True})
            page.get_by_role("link", name="Log in with Test ID").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
            expect(page.get_by_role("alert")).to_contain_text("You are no user of this server.")
            expect(page).to_have_url(f"{server.url}/console/")
            assert serious(page) == []


@pytest.mark.parametrize(
    ("language", "theme", "words"),
    [
        ("en", "dark", ("did not log you in", "in another browser", "cannot be asked right now")),
        ("zh", "light", ("身份提供方未允许登录", "另一个浏览器", "暂时无法连接身份提供方")),
    ],
)
def test_a_refused_login_leads_back_to_the_entrance(
    browser: Browser,
    launch: Callable[..., Server],
    provider: IdentityProvider,
    language: str,
    theme: str,
    words: tuple[str, str, str],
) -> None:
    """With why, in the reader's language: the provider declines, the browser is another one, nobody is there to ask."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        server = launch("--port", str(port), config=oidc_config(provider, f"http://127.0.0.1:{port}"))
        chosen = state(server, {}, language=language, theme=theme)
        token = (server.data_dir / "setup-token").read_text(encoding="utf-8").strip()
        requests.post(f"{server.url}/admin/v1/setup", json={"token": token, **OWNER}, timeout=60).raise_for_status()
        with visited(browser, server, also=provider.issuer, storage_state=chosen) as page:
            page.goto(f"{server.url}/console/keys")
            provider.change(refusal="access_denied")
            page.get_by_role("link", name="Test ID").click()
            expect(page.get_by_role("alert")).to_contain_text(words[0])
            expect(page).to_have_url(f"{server.url}/console/")
            page.screenshot(path=SCREENSHOTS / f"refused-login-{language}-{theme}.png")
            assert serious(page) == []
            page.goto(f"{server.url}/admin/v1/oidc/callback?state=guessed&code=guessed")
            expect(page.get_by_role("alert")).to_contain_text(words[1])
            page.goto(f"{server.url}/console/?refused=unavailable")
            expect(page.get_by_role("alert")).to_contain_text(words[2])
