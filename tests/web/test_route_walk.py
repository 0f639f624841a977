"""A1 to A3: everybody at every route, however the request is written."""

from collections.abc import AsyncGenerator, Callable
from typing import NamedTuple

import pytest
import pytest_asyncio

from rixin.accounts.key_rules import KeyWish
from rixin.accounts.roles import ROLES, Role
from rixin.accounts.user_rules import UserChange
from rixin.clock import SystemClock
from rixin.web.admin.policy import POLICIES
from rixin.web.routes import Access
from tests.support.platform import COOKIE, PASSWORD, Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

INSIDE = 0
"""What stands for every status but 401 and 403: somebody was let in, whatever became of it."""
BAD = {"authorization": "Bearer sk-rx-nobody-has-this"}
FORWARDED = {"via": "1.1 proxy"}
"""Says that somebody elsewhere asks: programs of this machine may read the metrics."""
ENDING = "/admin/v1/logout"


class Route(NamedTuple):
    """A route as it is walked."""

    method: str
    path: str
    """With something in place of every parameter."""
    access: Access | frozenset[Role] | None
    """What the table says: an access, or the roles of an admin route, or None for everyone."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("walk")) as running:
        yield running


OPEN = {
    *(("GET", path) for path in ("/health", "/readyz", "/openapi.json", "/docs", "/docs/x", "/console", "/console/x")),
    *(("GET", f"/admin/v1/{name}") for name in ("openapi.json", "setup", "oidc/start", "oidc/callback")),
    *(("POST", f"/admin/v1/{name}") for name in ("setup", "login")),
}
"""What everyone may ask for."""


def walked(site: Platform) -> list[Route]:
    """Every route of the server; the one that ends a login last."""
    wire = [
        Route(endpoint.method, _filled(endpoint.path) + ("x" if endpoint.path.endswith("/") else ""), endpoint.access)
        for endpoint in site.worker.app.endpoints
        if endpoint.path != "/"
    ]
    admin = [
        # Everybody comes from elsewhere, and may have no files of this machine touched.
        Route(method, _filled(path), frozenset[Role]() if policy.here else policy.roles)
        for (method, path), policy in POLICIES.items()
    ]
    routes = wire + admin
    assert len(wire) > 40
    assert len(admin) > 40
    return sorted(routes, key=lambda route: route.path == ENDING)


def _filled(path: str) -> str:
    while "{" in path:
        before, _, rest = path.partition("{")
        path = f"{before}none{rest.partition('}')[2]}"
    return path


def expected(route: Route, who: str) -> int:
    """401, 403, or 0 for who is let in."""
    if route.access in (None, Access.PUBLIC):
        return INSIDE
    if who in ("nobody", "bad", "expired", "disabled"):
        return 401
    if isinstance(route.access, Access):
        scopes = {"metrics": {"metrics"}, "member": {"inference"}, "auditor": {"metrics", "admin"}}
        return INSIDE if route.access.value in scopes.get(who, {"inference", "admin", "metrics"}) else 403
    assert route.access is not None
    return INSIDE if who in route.access else 403


async def test_a1_nobody_needs_no_credential_elsewhere(site: Platform) -> None:
    """What is open to everyone is named here a second time, so that nothing is by one slip."""
    found = {(route.method, route.path) for route in walked(site) if route.access in (None, Access.PUBLIC)}
    assert found == OPEN


async def everybody(site: Platform) -> dict[str, dict[str, str]]:
    """The headers of everybody who might come."""
    soon = SystemClock().now() + 0.2
    expired = await site.key(expires_at=soon, scopes=("inference", "admin", "metrics"))
    someone = await site.person(f"gone{SystemClock().now()}")
    disabled = await site.key(user=someone)
    await site.people.users.change(someone, UserChange(disabled=True))
    while SystemClock().now() <= soon:
        await site.ask("GET", "/health")
    people = {role: await site.login(site.users[role]) for role in ROLES}
    metrics = await site.key(scopes=("metrics",))
    return {"nobody": {}, "bad": BAD, "expired": expired, "disabled": disabled, "metrics": metrics, **people}


async def outcome(site: Platform, route: Route, headers: dict[str, str]) -> int:
    """What becomes of somebody at a route."""
    data = b"{}" if route.method in ("POST", "PUT", "PATCH") else None
    sent = {"content-type": "application/json", **FORWARDED, **headers}
    answer = await site.ask(route.method, route.path, sent, data=data)
    return answer.status if answer.status in (401, 403) else INSIDE


async def test_a1_everybody_at_every_route(site: Platform) -> None:
    """Each is let in where the tables say so, and nowhere else."""
    for who, headers in (await everybody(site)).items():
        for route in walked(site):
            found = await outcome(site, route, headers)
            assert found == expected(route, who), (who, route)


HEADERS = (
    {"host": "x/health?"},
    {"host": "127.0.0.1/admin/v1/openapi.json#"},
    {"host": "localhost."},
    {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "forwarded": "for=127.0.0.1"},
    {"x-forwarded-host": "localhost", "x-forwarded-proto": "https", "x-forwarded-prefix": "/admin/v1/openapi.json"},
    {"x-original-url": "/health", "x-rewrite-url": "/health"},
    {"x-http-method-override": "GET", "x-method-override": "OPTIONS", "x-http-method": "GET"},
    {"x-forwarded-user": "owner", "x-remote-user": "owner", "remote-user": "owner"},
)
TARGETS: tuple[Callable[[str], str], ...] = (
    lambda path: f"/{path}",
    lambda path: path.replace("/", "//"),
    lambda path: f"/health/..{path}",
    lambda path: f"/health/%2e%2e{path}",
    lambda path: f"{path}/%2e%2e/{path.rpartition('/')[2]}",
    lambda path: f"{path}.",
    lambda path: f"{path}/.",
    lambda path: f"{path};x=/health",
    lambda path: f"{path}%00",
    lambda path: path.replace("v1", "V1"),
    lambda path: f"http://127.0.0.1{path}",
    lambda path: f"http://x/health?{path}",
)


@pytest.mark.parametrize("who", ["nobody", "member"])
async def test_a2_hostile_headers_change_nothing(site: Platform, who: str) -> None:
    """Whatever the host, a proxy's headers or a method override say, the same are let in."""
    headers = {} if who == "nobody" else await site.login(site.users["member"])
    for hostile in HEADERS:
        for route in walked(site):
            if route.path == ENDING:
                continue
            body = "{}" if route.method in ("POST", "PUT", "PATCH") else ""
            sent = {"content-type": "application/json", **FORWARDED, **headers, **hostile}
            answer = await site.send(route.method, route.path, sent, body)
            if answer.status == 400 and "host" in hostile:
                continue  # refused as it stands
            found = answer.status if answer.status in (401, 403) else INSIDE
            assert found == expected(route, who), (who, route, hostile, answer)


@pytest.mark.parametrize("write", TARGETS)
async def test_a2_hostile_targets_open_nothing(site: Platform, write: Callable[[str], str]) -> None:
    """However a private path is written, who has no credential is shown nothing but an error."""
    for route in walked(site):
        if expected(route, "nobody") == INSIDE:
            continue
        body = "{}" if route.method in ("POST", "PUT", "PATCH") else ""
        answer = await site.send(
            route.method, write(route.path), {"content-type": "application/json", **FORWARDED}, body
        )
        reached = answer.status in (400, 401, 403, 404, 405, 501)
        harmless = answer.status == 200 and write(route.path).startswith("http://x/health?")
        assert reached or harmless, (route, write(route.path), answer)


async def test_a3_every_form_of_a_credential_has_the_same_scopes(site: Platform) -> None:
    """A member's key, access key and login are let in at the same routes, but for the admin API, where keys of members
    have no business."""
    member = site.users["member"]
    pair = await site.worker.keys.create_access_key(KeyWish(name="pair", user=member))
    token = (await site.worker.keys.mint_token(pair.access_key_id)).token
    bearer = await site.key(user=member)
    key = bearer["authorization"].removeprefix("Bearer ")
    forms = (bearer, {"x-api-key": key}, {"authorization": f"Bearer {token}"}, {"x-api-key": token})
    login = await site.login(member)
    for route in walked(site):
        found = {await outcome(site, route, headers) for headers in forms}
        if route.path.startswith("/admin/v1") and route.access is not None:
            assert found == {403}, route
        else:
            assert found == {await outcome(site, route, login)}, route


async def test_a3_every_form_is_revoked_at_once(site: Platform) -> None:
    """A disabled user's keys, tokens and logins count no more."""
    user = await site.person("revoked")
    pair = await site.worker.keys.create_access_key(KeyWish(name="pair", user=user))
    token = (await site.worker.keys.mint_token(pair.access_key_id)).token
    forms = [await site.key(user=user), {"authorization": f"Bearer {token}"}, await site.login(user)]
    assert [(await site.ask("GET", "/v1/models", headers)).status for headers in forms] == [200] * 3
    await site.people.users.change(user, UserChange(disabled=True))
    await site.worker.keys.poll()
    assert [(await site.ask("GET", "/v1/models", headers)).status for headers in forms] == [401] * 3


async def test_a3_two_credentials_are_none(site: Platform) -> None:
    """A login's cookie beside a key is refused, and the answer names both places."""
    login, key = await site.login(site.users["member"]), await site.key()
    answer = await site.ask("GET", "/v1/models", {**login, **key})
    assert answer.status == 401
    assert b"`authorization`" in answer.body
    assert b"cookie" in answer.body


async def test_a3_a_login_counts_in_its_cookie_only(site: Platform) -> None:
    """As a bearer token or a key it is unknown."""
    token = (await site.login(site.users["owner"]))["cookie"].removeprefix(f"{COOKIE}=")
    for headers in ({"authorization": f"Bearer {token}"}, {"x-api-key": token}, {"cookie": f"other={token}"}):
        assert (await site.ask("GET", "/admin/v1/users", headers)).status == 401


async def test_a3_networks_and_dialects_bind_every_form(site: Platform) -> None:
    """A key, and a token that an access key signs, are kept to the same places and dialects."""
    for wish, path, status in (
        (KeyWish(name="far", networks=("192.0.2.0/24",)), "/v1/chat/completions", 403),
        (KeyWish(name="near", networks=("127.0.0.0/8",)), "/v1/chat/completions", 400),
        (KeyWish(name="one", dialects=("anthropic",)), "/v1/chat/completions", 403),
        (KeyWish(name="one", dialects=("anthropic",)), "/v1/messages", 400),
    ):
        pair = await site.worker.keys.create_access_key(wish)
        token = (await site.worker.keys.mint_token(pair.access_key_id)).token
        key = (await site.worker.keys.create_api_key(wish)).key
        for headers in ({"x-api-key": key}, {"authorization": f"Bearer {token}"}):
            assert (await site.ask("POST", path, headers, {})).status == status


async def test_a10_a_cookie_alone_changes_nothing_for_another_site(site: Platform) -> None:
    """A page of another site cannot use a browser's login, by whatever it can send."""
    login = {"cookie": (await site.login(site.users["owner"]))["cookie"]}
    host = f"127.0.0.1:{site.port}"
    team = {"name": "made"}
    for foreign in (
        {},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"http://{host}.evil.example"},
        {"origin": f"http://{host}", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
    ):
        assert (await site.ask("POST", "/admin/v1/teams", login | foreign, team)).status == 403, foreign
        assert (await site.ask("POST", "/v1/chat/completions", login | foreign, {})).status == 403, foreign
    own = {"origin": f"http://{host}", "sec-fetch-site": "same-origin"}
    assert (await site.ask("POST", "/admin/v1/teams", login | own, team)).status == 201
    # A form needs nobody's leave to be sent, but is no JSON.
    form = {"content-type": "text/plain"}
    body = b'{"email": "owner@example.com", "password": "%s"}' % PASSWORD.encode()
    assert (await site.ask("POST", "/admin/v1/login", form, data=body)).status == 400
    assert (await site.ask("POST", "/admin/v1/login", {"origin": "http://evil.example"}, {})).status == 403
