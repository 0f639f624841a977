"""Logging in by a provider of identities, with a browser between a real one and this server."""

import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from yarl import URL

from rixin.accounts.oidc import Question
from rixin.accounts.sealed_box import SealedBox
from rixin.accounts.user_rules import UserChange, UserWish
from rixin.settings import Oidc, Server
from rixin.store.audit import AuditFilter
from tests.support.identity_provider import IdentityProvider
from tests.upstreams.identities import CLIENT_ID, CLIENT_SECRET
from tests.web.admin.site import AdminSite, Answer, admin_site

PUBLIC = "http://127.0.0.1:1"
ADA: dict[str, Any] = {"sub": "ada-1", "email": "Ada@Example.com", "email_verified": True, "name": "Ada"}


@pytest.fixture
def provider(identities: IdentityProvider) -> IdentityProvider:
    """A provider with whom Ada logs in."""
    identities.change(claims=ADA)
    return identities


@asynccontextmanager
async def served(folder: Path, provider: IdentityProvider, **settings: Any) -> AsyncGenerator[AdminSite]:
    """A server that has a provider."""
    told: dict[str, Any] = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    oidc = msgspec.convert({**told, "allowed_domains": ("example.com",), **settings}, Oidc)
    async with admin_site(folder, Server(data_dir=folder, public_url=PUBLIC), oidc) as site:
        yield site


async def begin(site: AdminSite) -> tuple[str, str]:
    """Where a browser is sent, and the cookie that it keeps."""
    start = await site.ask("GET", "/oidc/start", authorization="")
    assert start.status == 302
    cookie = start.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    return start.headers["location"], cookie.partition(";")[0]


async def asked_provider(site: AdminSite, url: str) -> dict[str, str]:
    """What the provider sends a browser back with."""
    async with site.client.get(URL(url, encoded=True), allow_redirects=False) as answer:
        assert answer.status == 302
        back = answer.headers["location"]
    assert back.startswith(f"{PUBLIC}/admin/v1/oidc/callback?")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


async def come_back(site: AdminSite, query: Mapping[str, str], cookie: str) -> Answer:
    """What the server says to a browser that comes back."""
    path = str(URL("/oidc/callback").with_query(dict(query)))
    return await site.ask("GET", path, authorization="", cookie=cookie)


async def log_in(site: AdminSite) -> Answer:
    """The whole way, up to the server's last word."""
    url, cookie = await begin(site)
    return await come_back(site, await asked_provider(site, url), cookie)


async def session(site: AdminSite, answer: Answer) -> Any:
    """Who somebody is who has come in."""
    assert answer.status == 303, answer
    assert answer.headers["location"] == "/console/"
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return (await site.ask("GET", "/session", authorization="", cookie=cookie)).body


async def test_one_comes_back_to_where_one_was(tmp_path: Path, provider: IdentityProvider) -> None:
    """To the page of the console from which the login was begun; nowhere else."""
    async with served(tmp_path, provider) as site:
        for back in ("/console/keys?user=user_1", "/console/"):
            start = await site.ask("GET", str(URL("/oidc/start").with_query(back=back)), authorization="")
            cookie = start.headers["set-cookie"].partition(";")[0]
            answer = await come_back(site, await asked_provider(site, start.headers["location"]), cookie)
            assert (answer.status, answer.headers["location"]) == (303, back)
        for back in (
            "https://elsewhere.example/",
            "//elsewhere.example/console/",
            "/console/\r\nx: y",
            "/admin/v1/keys",
        ):
            start = await site.ask("GET", str(URL("/oidc/start").with_query(back=back)), authorization="")
            assert (start.status, start.body["error"]["param"]) == (400, "back")


async def test_somebody_new_comes_in(tmp_path: Path, provider: IdentityProvider) -> None:
    """Who has a verified address of an allowed domain becomes a member, and is the same one the next time."""
    async with served(tmp_path, provider) as site:
        first = await session(site, await log_in(site))
        assert (first["email"], first["name"], first["role"]) == ("ada@example.com", "Ada", "member")
        provider.change(claims={"sub": "ada-1"})  # the address is asked for once only
        assert (await session(site, await log_in(site)))["user"] == first["user"]
        actions = [row.action for row in await site.services.people.audit.list(AuditFilter())]
        assert actions.count("login") == 2
        assert actions.count("user.link") == 1


async def test_what_the_token_does_not_say_is_asked_for(tmp_path: Path, provider: IdentityProvider) -> None:
    """An address that only the user information tells counts too, if it is told of the same person."""
    provider.change(claims={"sub": "ada-1"}, user_info=ADA)
    async with served(tmp_path, provider) as site:
        assert (await session(site, await log_in(site)))["email"] == "ada@example.com"
        provider.change(claims={"sub": "somebody-else"})
        assert (await log_in(site)).status == 401


@pytest.mark.parametrize(
    ("claims", "settings", "status"),
    [
        ({"email_verified": False}, {}, 403),
        ({"email_verified": None}, {}, 403),
        ({"email": "ada@other.example"}, {}, 403),
        ({"email": "ada@example.com.evil.example"}, {}, 403),
        ({"email": "ada@other.example"}, {"allowed_emails": ("ADA@other.example",)}, 303),
        ({}, {"allowed_domains": ()}, 403),
        ({"sub": "x" * 256}, {}, 401),
    ],
)
async def test_who_may_come_in(
    tmp_path: Path, provider: IdentityProvider, claims: dict[str, Any], settings: dict[str, Any], status: int
) -> None:
    """Only verified addresses count, and only those that are allowed."""
    provider.change(claims=ADA | claims)
    async with served(tmp_path, provider, **settings) as site:
        assert (await log_in(site)).status == status
        assert await site.services.people.users.any_there() == (status == 303)


async def test_an_invited_user_is_linked_and_nobody_else(tmp_path: Path, provider: IdentityProvider) -> None:
    """Who was made without a password is who first comes with the address; one with a password is left alone, and so is
    one who is linked already."""
    async with served(tmp_path, provider, allowed_domains=()) as site:
        users = site.services.people.users
        invited = await users.create(UserWish(email="ada@example.com", name="Ada", role="auditor"))
        assert (await session(site, await log_in(site)))["user"] == invited.id
        provider.change(claims=ADA | {"sub": "ada-2"})
        assert (await log_in(site)).status == 409
        await users.create(UserWish(email="bob@example.com", name="Bob", password="a password of his own"))
        provider.change(claims=ADA | {"sub": "bob-1", "email": "bob@example.com"})
        assert (await log_in(site)).status == 409
        await users.change(invited.id, UserChange(disabled=True))
        provider.change(claims=ADA)
        assert (await log_in(site)).status == 401


async def test_a_claim_says_what_somebody_is(tmp_path: Path, provider: IdentityProvider) -> None:
    """The role follows the claim at each login, and the last owner stays one."""
    roles = {"rixin-owners": "owner", "rixin-auditors": "auditor"}
    provider.change(claims=ADA | {"groups": ["staff", "rixin-auditors"]})
    async with served(tmp_path, provider, role_claim="groups", roles=roles) as site:
        assert (await session(site, await log_in(site)))["role"] == "auditor"
        provider.change(claims=ADA | {"groups": ["rixin-auditors", "rixin-owners"]})
        assert (await session(site, await log_in(site)))["role"] == "owner"
        provider.change(claims=ADA | {"groups": []})
        assert (await session(site, await log_in(site)))["role"] == "owner"
        await site.services.people.users.create(UserWish(email="o@example.com", name="O", role="owner"))
        assert (await session(site, await log_in(site)))["role"] == "member"


@pytest.mark.parametrize(
    "lies",
    [
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": ["another-client", CLIENT_ID]},
        {"aud": None},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"azp": "another-client"},
        {"at_hash": "wrong"},
        {"iss_parameter": "https://evil.example"},
    ],
)
async def test_a5_a_token_that_is_not_in_order_opens_nothing(
    tmp_path: Path, provider: IdentityProvider, lies: dict[str, Any]
) -> None:
    """Another issuer, audience, nonce or time, or a missing one, is refused."""
    provider.change(lies=lies)
    async with served(tmp_path, provider) as site:
        answer = await log_in(site)
        assert (answer.status, "set-cookie" in answer.headers) == (401, False)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a5_signatures_that_anybody_can_make_do_not_count(
    tmp_path: Path, provider: IdentityProvider, algorithm: str
) -> None:
    """Neither none nor one made with the public key as a secret."""
    provider.change(algorithm=algorithm)
    async with served(tmp_path, provider) as site:
        assert (await log_in(site)).status == 401


async def test_new_keys_of_the_provider_are_learned(tmp_path: Path, provider: IdentityProvider) -> None:
    """A token that is signed by a key not seen before has the keys looked up again."""
    async with served(tmp_path, provider) as site:
        assert (await log_in(site)).status == 303
        provider.change(key=1)
        assert (await log_in(site)).status == 303
        assert provider.asked().count("/keys") == 2


async def test_a_login_belongs_to_the_browser_that_began_it(tmp_path: Path, provider: IdentityProvider) -> None:
    """Without the cookie, with another one's, with another state, or a second time, nobody comes in."""
    async with served(tmp_path, provider) as site:
        url, cookie = await begin(site)
        _, others = await begin(site)
        query = await asked_provider(site, url)
        for wrong in ("", others, cookie[:-4] + "AAAA", "rixin_oidc="):
            assert (await come_back(site, query, wrong)).status == 401
        assert (await come_back(site, query | {"state": "x"}, cookie)).status == 401
        assert (await come_back(site, query, cookie)).status == 303
        assert (await come_back(site, query, cookie)).status == 401
        provider.change(refusal="access_denied")
        answer = await log_in(site)
        assert (answer.status, "access_denied" in answer.body["error"]["message"]) == (401, True)


async def test_a_provider_that_is_not_there_is_told(tmp_path: Path) -> None:
    """So is one that calls itself by another address."""
    with IdentityProvider() as provider:
        provider.change(lies={"issuer": "https://evil.example"})
        async with served(tmp_path, provider) as site:
            assert (await site.ask("GET", "/oidc/start", authorization="")).status == 502
            provider.stop()
            assert (await site.ask("GET", "/oidc/start", authorization="")).status == 502


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def refusal(answer: Answer) -> str:
    """What a browser is told of why its user does not come in."""
    assert "set-cookie" not in answer.headers
    assert answer.status == 303, answer
    return answer.headers["location"].removeprefix("/console/?refused=")


async def test_a_browser_is_told_by_the_console_why_it_is_refused(tmp_path: Path, provider: IdentityProvider) -> None:
    """In one word for each reason; a program is told as by every route."""
    async with served(tmp_path, provider) as site:
        url, cookie = await begin(site)
        query = await asked_provider(site, url)

        async def come(query: Mapping[str, str], cookie: str, accept: str = BROWSER) -> Answer:
            path = str(URL("/oidc/callback").with_query(dict(query)))
            return await site.ask("GET", path, authorization="", cookie=cookie, accept=accept)

        assert refusal(await come(query | {"state": "x"}, cookie)) == "stray"
        assert refusal(await come(query, "")) == "stray"
        assert (await come(query, "", "application/json")).status == 401
        assert refusal(await come({"state": query["state"], "error": "access_denied"}, cookie)) == "declined"
        assert refusal(await come({"state": query["state"], "code": "guessed"}, cookie)) == "untrusted"
        for claims, word in (
            ({"email_verified": False}, "unverified"),
            ({"email": "ada@other.example"}, "stranger"),
            ({"sub": ""}, "untrusted"),
        ):
            provider.change(claims=ADA | claims)
            url, cookie = await begin(site)
            assert refusal(await come(await asked_provider(site, url), cookie)) == word
        provider.change(claims=ADA)
        await site.services.people.users.create(
            UserWish(email="ada@example.com", name="Ada", password="a password of her own")
        )
        url, cookie = await begin(site)
        assert refusal(await come(await asked_provider(site, url), cookie)) == "other_way"
        url, cookie = await begin(site)
        query = await asked_provider(site, url)
        late = Question(state=query["state"], nonce="n", verifier="v", expires_at=1.0)
        sealed = SealedBox(site.secret, "oidc").seal(msgspec.json.encode(late), "login")
        cookie = "rixin_oidc=" + base64.urlsafe_b64encode(sealed).decode().rstrip("=")
        assert refusal(await come(query, cookie)) == "expired"


async def test_a_browser_is_told_that_the_provider_is_not_there(tmp_path: Path) -> None:
    """When it has come back from there, and before it is sent."""
    with IdentityProvider() as provider:
        async with served(tmp_path, provider) as site:
            url, cookie = await begin(site)
            path = str(URL("/oidc/callback").with_query(await asked_provider(site, url)))
            provider.stop()
            answer = await site.ask("GET", path, authorization="", cookie=cookie, accept=BROWSER)
            assert refusal(answer) == "unavailable"
    async with served(tmp_path, provider) as site:
        assert refusal(await site.ask("GET", "/oidc/start", authorization="", accept=BROWSER)) == "unavailable"
