"""People over the admin API: what is asked of it, what it answers, and what is written down of that."""

import pytest

from rixin.accounts import setup_token
from rixin.accounts.roles import Role
from rixin.accounts.user_rules import UserWish
from rixin.store.audit import AuditFilter
from rixin.web.admin.policy import POLICIES, PREFIX
from rixin.web.same_origin import SAFE_METHODS
from tests.web.admin.site import AdminSite, Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

PASSWORD = "a password of nine words"


async def come_in(site: AdminSite, email: str, role: Role) -> dict[str, str]:
    """Makes a user. Gives the headers of who has logged in as them."""
    await site.services.people.users.create(UserWish(email=email, name="x", role=role, password=PASSWORD))
    answer = await site.ask("POST", "/login", {"email": email, "password": PASSWORD}, authorization="")
    return headers_of(answer)


def headers_of(answer: Answer) -> dict[str, str]:
    """What a program sends from now on."""
    assert answer.status in (200, 201), answer
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    return {"authorization": "", "cookie": cookie.partition(";")[0], "x_rixin_csrf": "1"}


async def test_a9_the_first_owner(fresh_site: AdminSite) -> None:
    """Is made with the set-up token, is logged in then, and may log out; then nobody can be set up any more."""
    site = fresh_site
    file = site.services.settings.setup_token_file
    file.write_text(setup_token.derive(site.secret))
    assert (await site.ask("GET", "/setup", authorization="")).body == {"needed": True, "auth": "keys", "oidc": None}
    wish = {"token": "wrong", "email": "ada@example.com", "name": "Ada", "password": PASSWORD}
    assert (await site.ask("POST", "/setup", wish, authorization="")).status == 401
    right = {**wish, "token": file.read_text()}
    assert (await site.ask("POST", "/setup", {**right, "role": "owner"}, authorization="")).status == 400
    owner = headers_of(await site.ask("POST", "/setup", right, authorization=""))
    assert not file.exists()
    assert (await site.ask("GET", "/setup", authorization="")).body["needed"] is False
    assert (await site.ask("POST", "/setup", right, authorization="")).status == 409
    assert (await site.ask("GET", "/session", **owner)).body["role"] == "owner"
    out = await site.ask("POST", "/logout", **owner)
    assert (out.status, "Max-Age=0" in out.headers["set-cookie"]) == (204, True)
    assert (await site.ask("GET", "/session", **owner)).status == 401


async def test_a9_the_set_up_token_cannot_be_guessed(fresh_site: AdminSite) -> None:
    """After five wrong ones the right one is refused as well, and the answer tells for how long."""
    wrong = {"token": "wrong", "email": "ada@example.com", "name": "Ada", "password": PASSWORD}
    right = {**wrong, "token": setup_token.derive(fresh_site.secret)}
    tried = [await fresh_site.ask("POST", "/setup", wish, authorization="") for wish in (*(wrong,) * 5, right)]
    assert [answer.status for answer in tried] == [401] * 5 + [429]
    assert 800 < int(tried[-1].headers["retry-after"]) <= 915
    assert "set-cookie" not in tried[-1].headers


@pytest.mark.parametrize("field", ["id", "password_hash", "created_at", "disabled_at", "user_id", "scopes"])
async def test_a7_no_field_but_the_documented_ones_can_be_set(site: AdminSite, field: str) -> None:
    """Neither of a user nor of a team, nor of oneself."""
    for method, path, body in (
        ("POST", "/users", {"email": "x@example.com", "name": "x"}),
        ("PATCH", "/users/usr_x", {}),
        ("POST", "/teams", {"name": "x"}),
        ("PUT", "/session/password", {"password": PASSWORD}),
    ):
        answer = await site.ask(method, path, {**body, field: "x"})
        assert (answer.status, answer.body["error"]["param"]) == (400, field)


async def test_a7_a_member_becomes_nothing_else(site: AdminSite) -> None:
    """Whatever they send, they make keys of their own, no wider than they are."""
    member = await come_in(site, "member@example.com", "member")
    me = (await site.ask("GET", "/session", **member)).body
    assert (await site.ask("PATCH", f"/users/{me['user']}", {"role": "owner"}, **member)).status == 403
    other = await site.services.people.users.create(UserWish(email="other@example.com", name="o"))
    for wish, status in (
        ({"scopes": ["admin"]}, 403),
        ({"scopes": ["metrics"]}, 403),
        ({"user": other.id}, 403),
        ({"user": "usr_none"}, 400),
        ({"team": "team_none"}, 400),
        ({"dialects": ["klingon"]}, 400),
        ({"networks": ["10.0.0.1/8"]}, 400),
        ({"plan": "nonesuch"}, 400),
        ({}, 201),
    ):
        assert (await site.ask("POST", "/keys", {"name": "k", **wish}, **member)).status == status, wish
    [key] = (await site.ask("GET", "/keys", **member)).body["data"]
    assert (key["user_id"], key["creator"], key["scopes"]) == (me["user"], me["user"], ["inference"])


async def test_people_and_teams_are_managed(site: AdminSite) -> None:
    """Made, listed page by page, changed, brought together and removed."""
    made = await site.ask("POST", "/users", {"email": "Eve@Example.com", "name": "Eve", "plan": "small"})
    assert (made.status, made.body["email"], made.body["role"], made.body["plan"]) == (
        201,
        "eve@example.com",
        "member",
        "small",
    )
    user = made.body["id"]
    assert (await site.ask("POST", "/users", {"email": "eve@example.com", "name": "x"})).status == 409
    assert (await site.ask("PATCH", f"/users/{user}", {"plan": None, "name": "E"})).body["plan"] is None
    assert (await site.ask("PATCH", f"/users/{user}", {"plan": "nonesuch"})).status == 400
    team = (await site.ask("POST", "/teams", {"name": "core", "plan": "small"})).body["id"]
    assert (await site.ask("POST", "/teams", {"name": "core"})).status == 409
    assert (await site.ask("PATCH", f"/teams/{team}", {"name": "kernel"})).body["name"] == "kernel"
    assert (await site.ask("PUT", f"/teams/{team}/members/{user}", {"role": "admin"})).status == 204
    members = (await site.ask("GET", f"/teams/{team}/members")).body["data"]
    assert members == [{"user_id": user, "name": "E", "email": "eve@example.com", "role": "admin"}]
    key = (await site.ask("POST", "/keys", {"name": "k", "user": user, "team": team})).body["key"]
    await site.services.keys.authenticate(key, None)
    page = (await site.ask("GET", "/users?limit=1")).body
    assert (len(page["data"]), page["next"]) == (1, page["data"][0]["id"])
    found = (await site.ask("GET", "/users?search=EVE@")).body["data"]
    assert [one["id"] for one in found] == [user]
    assert (await site.ask("DELETE", f"/teams/{team}/members/{user}")).status == 204
    assert (await site.ask("DELETE", f"/teams/{team}")).status == 204
    assert (await site.ask("DELETE", f"/users/{user}")).status == 204
    assert (await site.ask("GET", f"/users/{user}")).status == 404


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "_", "\\", "a" * 100, "😀 日新", "${x}"])
async def test_a4_hostile_text_finds_nothing(site: AdminSite, text: str) -> None:
    """In searches, ids and addresses it is text like any other."""
    answer = await site.client.get(
        f"http://127.0.0.1:{site.port}{PREFIX}/users",
        params={"search": text},
        headers={"authorization": f"Bearer {site.admin_key}"},
    )
    assert (answer.status, (await answer.json())["data"]) == (200, [])
    for path in ("/audit", "/keys"):
        name = "actor" if path == "/audit" else "user"
        answer = await site.client.get(
            f"http://127.0.0.1:{site.port}{PREFIX}{path}",
            params={name: text},
            headers={"authorization": f"Bearer {site.admin_key}"},
        )
        assert (answer.status, (await answer.json())["data"]) == (200, [])
    assert (await site.ask("POST", "/login", {"email": text, "password": text}, authorization="")).status in (401, 429)
    assert (await site.ask("POST", "/users", {"email": text, "name": "x"})).status == 400


async def test_what_other_rooms_do_is_written_down(site: AdminSite) -> None:
    """A provider that is made, changed and removed leaves three rows; what fails, and what only looks, leaves none."""

    async def count() -> int:
        return len(await site.services.people.audit.list(AuditFilter(), limit=1000))

    before = await count()
    provider = {"name": "noted", "base_url": "https://noted.example.com/v1", "api_keys": ["sk-secret-of-noted"]}
    assert (await site.ask("POST", "/providers", provider)).status == 201
    assert (await site.ask("POST", "/providers", provider)).status == 409
    assert (await site.ask("GET", "/providers")).status == 200
    assert (await site.ask("PATCH", "/providers/noted", {"models": ["m"]})).status == 200
    assert (await site.ask("DELETE", "/providers/noted")).status == 204
    rows = await site.services.people.audit.list(AuditFilter(), limit=3)
    assert [row.action for row in rows] == ["provider.delete", "provider.change", "provider.create"]
    assert [row.target for row in rows] == ["noted", "noted", "noted"]
    assert "sk-secret" not in str(rows)
    assert await count() == before + 3


async def test_every_route_that_changes_something_is_written_down() -> None:
    """By the guard, or by the rooms whose acts are: people, teams, keys, logins."""
    themselves = ("setup", "login", "logout", "session", "users", "teams", "keys", "access-keys")
    looking = {
        ("POST", f"{PREFIX}/{path}")
        for path in ("providers/preview", "providers/import/preview", "agents/{name}/sheets", "agents/{name}/diff")
    }
    for (method, path), policy in POLICIES.items():
        if method in SAFE_METHODS or (method, path) in looking:
            continue
        noun = path.removeprefix(f"{PREFIX}/").partition("/")[0]
        assert (policy.act is None) == (noun in themselves), (method, path)
