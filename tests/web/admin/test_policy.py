"""Every policy is enforced, however a request is written."""

import re
from typing import cast

import pytest

from rixin.accounts.key_rules import KeyWish
from rixin.web.admin.policy import POLICIES, PREFIX
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

DELETED = "key_" + "0" * 32
NO_USER = "usr_" + "0" * 32
NO_TEAM = "team_" + "0" * 32
REQUESTS: dict[tuple[str, str], tuple[str, object, int]] = {
    ("GET", "/openapi.json"): ("/openapi.json", None, 200),
    ("GET", "/status"): ("/status", None, 200),
    ("GET", "/setup"): ("/setup", None, 200),
    ("POST", "/setup"): ("/setup", {"token": "x", "email": "a@b", "name": "n", "password": "p"}, 401),
    ("POST", "/login"): ("/login", {"email": "nobody@example.com", "password": "wrong"}, 401),
    ("POST", "/logout"): ("/logout", None, 400),
    ("GET", "/oidc/start"): ("/oidc/start", None, 404),
    ("GET", "/oidc/callback"): ("/oidc/callback", None, 404),
    ("GET", "/session"): ("/session", None, 200),
    ("PUT", "/session/password"): ("/session/password", {"password": "new password of mine"}, 400),
    ("GET", "/users"): ("/users", None, 200),
    ("POST", "/users"): ("/users", {"email": "no address", "name": "x"}, 400),
    ("GET", "/users/{user_id}"): (f"/users/{NO_USER}", None, 404),
    ("PATCH", "/users/{user_id}"): (f"/users/{NO_USER}", {"name": "x"}, 404),
    ("DELETE", "/users/{user_id}"): (f"/users/{NO_USER}", None, 404),
    ("PUT", "/users/{user_id}/password"): (f"/users/{NO_USER}/password", {"password": "a new password"}, 404),
    ("GET", "/teams"): ("/teams", None, 200),
    ("POST", "/teams"): ("/teams", {"name": ""}, 400),
    ("PATCH", "/teams/{team_id}"): (f"/teams/{NO_TEAM}", {"name": "x"}, 404),
    ("DELETE", "/teams/{team_id}"): (f"/teams/{NO_TEAM}", None, 404),
    ("GET", "/teams/{team_id}/members"): (f"/teams/{NO_TEAM}/members", None, 404),
    ("PUT", "/teams/{team_id}/members/{user_id}"): (f"/teams/{NO_TEAM}/members/{NO_USER}", None, 404),
    ("DELETE", "/teams/{team_id}/members/{user_id}"): (f"/teams/{NO_TEAM}/members/{NO_USER}", None, 404),
    ("GET", "/audit"): ("/audit", None, 200),
    ("GET", "/audit/verify"): ("/audit/verify", None, 200),
    ("GET", "/keys"): ("/keys", None, 200),
    ("POST", "/keys"): ("/keys", {"name": "x"}, 201),
    ("POST", "/access-keys"): ("/access-keys", {"name": "x"}, 201),
    ("PATCH", "/keys/{key_id}"): (f"/keys/{DELETED}", {"disabled": True}, 404),
    ("DELETE", "/keys/{key_id}"): (f"/keys/{DELETED}", None, 404),
    ("GET", "/usage/summary"): ("/usage/summary", None, 200),
    ("GET", "/usage/recent"): ("/usage/recent", None, 200),
    ("GET", "/usage/recent.csv"): ("/usage/recent.csv", None, 200),
    ("GET", "/usage/summary.csv"): ("/usage/summary.csv", None, 200),
    ("GET", "/requests"): ("/requests", None, 200),
    ("GET", "/requests/{request_id}"): ("/requests/none", None, 404),
    ("GET", "/providers"): ("/providers", None, 200),
    ("POST", "/providers"): ("/providers", {"name": "filed", "base_url": "https://a.example.com"}, 409),
    ("POST", "/providers/preview"): ("/providers/preview", {"base_url": "https://a.example.com"}, 200),
    ("POST", "/providers/import/preview"): ("/providers/import/preview", {"text": "{}"}, 200),
    ("POST", "/providers/import"): ("/providers/import", {"text": "{}", "names": ["none"]}, 400),
    ("GET", "/pools"): ("/pools", None, 200),
    ("GET", "/rewrite-fields"): ("/rewrite-fields", None, 200),
    ("POST", "/providers/{name}/doctor/keep"): ("/providers/none/doctor/keep", {"model": "m"}, 404),
    ("GET", "/quotas"): ("/quotas", None, 200),
    ("GET", "/names"): ("/names", None, 200),
    ("GET", "/providers/{name}"): ("/providers/filed", None, 200),
    ("PATCH", "/providers/{name}"): ("/providers/none", {"models": []}, 404),
    ("DELETE", "/providers/{name}"): ("/providers/none", None, 404),
    ("GET", "/presets"): ("/presets", None, 200),
    ("POST", "/providers/{name}/doctor"): ("/providers/none/doctor", None, 404),
    ("POST", "/requests/{request_id}/explain"): ("/requests/none/explain", None, 404),
    ("GET", "/providers/{name}/learned"): ("/providers/none/learned", None, 200),
    ("DELETE", "/providers/{name}/learned"): ("/providers/none/learned", None, 200),
    ("GET", "/plans"): ("/plans", None, 200),
    ("GET", "/session/logins"): ("/session/logins", None, 400),
    ("DELETE", "/session/logins"): ("/session/logins", None, 400),
    ("DELETE", "/session/logins/{login_id}"): ("/session/logins/none", None, 400),
    ("GET", "/files"): ("/files", None, 200),
    ("GET", "/files/room"): ("/files/room", None, 200),
    ("POST", "/files/{file_id}/link"): ("/files/none/link", None, 404),
    ("DELETE", "/files/{file_id}"): ("/files/none", None, 404),
    ("GET", "/knowledge-bases"): ("/knowledge-bases", None, 200),
    ("POST", "/knowledge-bases"): ("/knowledge-bases", {"description": "x"}, 201),
    ("GET", "/knowledge-bases/{base_id}"): ("/knowledge-bases/none", None, 404),
    ("PATCH", "/knowledge-bases/{base_id}"): ("/knowledge-bases/none", {"description": "x"}, 404),
    ("DELETE", "/knowledge-bases/{base_id}"): ("/knowledge-bases/none", None, 404),
    ("POST", "/knowledge-bases/{base_id}/files"): ("/knowledge-bases/none/files", {"file_id": "x"}, 404),
    ("DELETE", "/knowledge-bases/{base_id}/files/{file_id}"): ("/knowledge-bases/none/files/none", None, 404),
    ("POST", "/knowledge-bases/{base_id}/search"): ("/knowledge-bases/none/search", {"question": "x"}, 404),
    ("GET", "/settings"): ("/settings", None, 200),
    ("POST", "/settings/reload"): ("/settings/reload", None, 409),
    ("GET", "/installation"): ("/installation", None, 200),
    ("GET", "/machine"): ("/machine", None, 200),
    ("GET", "/agents"): ("/agents", None, 200),
    ("POST", "/agents/{name}/sheets"): ("/agents/codex/sheets", {"origin": "http://127.0.0.1:1", "model": "m"}, 200),
    ("POST", "/agents/{name}/diff"): ("/agents/codex/diff", {"model": "m", "key": "k"}, 403),
    ("POST", "/agents/{name}/connect"): ("/agents/codex/connect", {"model": "m", "key": "k", "digest": "d"}, 403),
    ("POST", "/agents/{name}/restore"): ("/agents/codex/restore", None, 403),
    ("GET", "/skills"): ("/skills", None, 403),
    ("POST", "/skills/look"): ("/skills/look", {"agent": "codex"}, 403),
    ("POST", "/skills/install"): ("/skills/install", {"agent": "codex", "skills": {"rixin": "x"}}, 403),
    ("POST", "/skills/remove"): ("/skills/remove", {"agent": "codex", "names": ["rixin"]}, 403),
    ("GET", "/models"): ("/models", None, 200),
    ("GET", "/engines"): ("/engines", None, 200),
    ("POST", "/engines/{name:path}/load"): ("/engines/none/load", None, 404),
    ("POST", "/engines/{name:path}/unload"): ("/engines/none/unload", None, 404),
}
"""One request for every route, and what an administrator gets."""


OF_ROWS = frozenset({
    "__class__", "created_at", "creator", "digest", "disabled_at", "hash", "id", "kind", "owner", "password_hash",
    "plan", "prefix", "role", "scopes", "team_id", "used_at", "user", "user_id",
})  # fmt: skip
"""Columns of what is stored, and what else somebody might like to set."""


async def token_of(site: AdminSite, *scopes: str) -> str:
    """A token that an access key of these scopes signed."""
    pair = await site.services.keys.create_access_key(KeyWish(name="signer", scopes=scopes))
    return (await site.services.keys.mint_token(pair.access_key_id)).token


async def test_every_route_asks_for_what_its_policy_says(site: AdminSite) -> None:
    """Without a credential 401, with a wrong one 401, without the scope 403, and only an administrator is answered."""
    assert {(method, PREFIX + path) for method, path in REQUESTS} == POLICIES.keys()
    others = [await site.services.keys.create(name, scopes=(name,)) for name in ("inference", "metrics")]
    disabled = await site.services.keys.create("disabled", scopes=("admin",))
    await site.services.keys.disable(disabled.id)
    others_token, admin_token = await token_of(site, "inference"), await token_of(site, "inference", "admin")
    for (method, path), (concrete, body, status) in REQUESTS.items():
        expected = {"": 401, "Bearer sk-rx-wrong": 401, "Bearer": 401, "Basic YTpi": 401}
        expected |= {f"Bearer {key.key}": 403 for key in others}
        expected |= {f"Bearer {disabled.key}": 401, f"Bearer {site.admin_key}": status}
        expected |= {f"Bearer {others_token}": 403, f"Bearer {admin_token}": status}
        if POLICIES[method, PREFIX + path].roles is None:
            expected = {"": status}
        for credential, wanted in expected.items():
            answer = await site.ask(method, concrete, body, authorization=credential)
            assert answer.status == wanted, (method, path, credential[:12], answer)
            if wanted >= 400:
                assert answer.body.keys() == {"error"}
                assert answer.body["error"].keys() == {"message", "type", "param"}


async def test_a7_no_route_takes_a_field_that_it_does_not_describe(site: AdminSite) -> None:
    """Whatever a body may hold is in its schema; a field more is refused by name."""
    document = (await site.ask("GET", "/openapi.json", authorization="")).body
    walked = 0
    for (method, path), (concrete, body, _) in REQUESTS.items():
        policy = POLICIES[method, PREFIX + path]
        described = document["paths"].get(PREFIX + path.replace(":path", ""), {}).get(method.lower(), {})
        schema = re.search(r"#/components/schemas/(\w+)", str(described.get("requestBody")))
        if schema is None or policy.here:  # who asks here is not on this machine, as far as the server knows
            continue
        known = document["components"]["schemas"][schema[1]]["properties"].keys()
        authorization = "" if policy.roles is None else f"Bearer {site.admin_key}"
        for field in sorted(OF_ROWS - known):
            sent = {**cast("dict[str, object]", body or {}), field: "x"}
            answer = await site.ask(method, concrete, sent, authorization=authorization)
            assert (answer.status, answer.body["error"]["param"]) == (400, field), (method, path, answer)
        walked += 1
    assert walked >= 20


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "", "x_api_key": "KEY"}, 200),
        ({"authorization": "Bearer KEY", "x_api_key": "KEY"}, 200),
        ({"authorization": "bearer KEY"}, 200),
        ({"authorization": "Bearer KEY", "x_api_key": "sk-rx-other"}, 401),
        ({"authorization": "KEY"}, 401),
        ({"authorization": "", "cookie": "session=KEY"}, 401),
        ({"authorization": "", "x_forwarded_user": "admin", "x_forwarded_for": "127.0.0.1"}, 401),
    ],
)
async def test_credentials_come_in_the_known_headers_only(
    site: AdminSite, headers: dict[str, str], status: int
) -> None:
    """Both headers of a key will do, agreeing ones too; everything else is no credential."""
    sent = {name: value.replace("KEY", site.admin_key) for name, value in headers.items()}
    assert (await site.ask("GET", "/status", **sent)).status == status


async def test_two_credentials_in_one_header_are_refused(site: AdminSite) -> None:
    """A header that comes twice with different keys is not a matter of which one is read."""
    key = f"authorization: Bearer {site.admin_key}\n"
    head = "GET /admin/v1/status HTTP/1.1\nhost: x\n"
    assert (await site.send(head + key + key)).status == 200
    assert (await site.send(head + key + "authorization: Bearer sk-rx-other\n")).status == 401
    assert (await site.send(head + "authorization: Bearer sk-rx-other\n" + key)).status == 401


async def test_nothing_is_read_before_the_credential(site: AdminSite) -> None:
    """Who may not pass does not learn whether the body would have been right."""
    answer = await site.ask("POST", "/keys", b"{", authorization="")
    assert (answer.status, answer.body["error"]["type"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (await site.ask("GET", "/keys?limit=x", authorization="Bearer sk-rx-no")).status == 401


@pytest.mark.parametrize(
    "target",
    [
        "//admin/v1/keys",
        "/admin/v1//keys",
        "/admin//v1/keys",
        "/admin/v1/%2e%2e/v1/keys",
        "/admin/v1/../v1/keys",
        "/admin/v1/./keys",
        "/admin/v1/keys/",
        "/admin/v1/keys.",
        "/admin/v1/keys;x",
        "/admin/v1/keys%00",
        "/admin/v1/keys%2f",
        "/admin/v1/openapi.json/../keys",
        "/admin/v1/openapi.json%2f..%2fkeys",
        "/admin/v1/openapi.json?/keys",
        "/ADMIN/v1/keys",
        "/admin/v1.",
        "/admin/v1x/keys",
        "/health/../admin/v1/keys",
        "http://127.0.0.1/admin/v1/keys",
        "http://x/health?/admin/v1/keys",
    ],
)
@pytest.mark.parametrize("host", ["x/health?", "x/admin/v1/openapi.json#", "127.0.0.1", "localhost.", "[::1]:80@evil"])
async def test_no_path_and_no_host_opens_a_route(site: AdminSite, target: str, host: str) -> None:
    """However a path or a host is written, keys are shown to nobody without a credential, and nobody is sent away."""
    for extra in ("", "x-http-method-override: GET\nx-original-url: /admin/v1/openapi.json\nx-forwarded-host: x\n"):
        answer = await site.send(f"GET {target} HTTP/1.1\nhost: {host}\n{extra}")
        is_schema = answer.body.startswith(b'{"openapi":')
        assert answer.status in {400, 401, 404} or (is_schema and "openapi.json?" in target), answer
        assert "location" not in answer.headers


async def test_without_keys_only_this_machine_is_served(open_site: AdminSite) -> None:
    """Where no key is asked for, a page of another site cannot make the browser act, by whatever name it calls us."""
    head = "POST /admin/v1/engines/none/load HTTP/1.1\ncontent-length: 0\n"
    for host in ("127.0.0.1", f"localhost:{open_site.port}", "[::1]:1"):
        assert (await open_site.send(f"{head}host: {host}\n")).status == 404
        assert (await open_site.send(f"{head}host: {host}\norigin: http://localhost:3000\n")).status == 404
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.", ""):
        assert (await open_site.send(f"{head}host: {host}\n")).status == 403
    for no_host in ("[", "evil@127.0.0.1.x", "127.0.0.1/", "127.0.0.1 evil.example"):
        assert (await open_site.send(f"{head}host: {no_host}\n")).status == 400
    for origin in ("http://evil.example", "null", "https://[", "http://127.0.0.1.evil.example"):
        assert (await open_site.send(f"{head}host: 127.0.0.1\norigin: {origin}\n")).status == 403


async def test_without_keys_keys_can_be_made(open_site: AdminSite) -> None:
    """The operator of this machine may make keys of every scope."""
    answer = await open_site.ask("POST", "/keys", {"name": "first", "scopes": ["admin", "metrics"]}, authorization="")
    assert answer.status == 201
    assert (await open_site.services.keys.list(search="first"))[0].creator is None
