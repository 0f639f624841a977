"""What each admin route does."""

from typing import Any

import pytest

from rixin import __version__
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.user_rules import UserWish
from rixin.core.cards import ImageRules, ModelCard
from rixin.errors import Kind, RixinError
from rixin.store.usage_row import UsageRow
from rixin.web.admin.app import MAX_BODY
from rixin.web.admin.policy import POLICIES, PREFIX
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

INJECTIONS = [
    "' OR '1'='1",
    "'; DROP TABLE keys; --",
    '" OR ""="',
    "1 UNION SELECT digest FROM keys",
    "%",
    "%25%25",
    "_",
    "*",
    "\\",
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "..%5c..%5c",
    "%0d%0aset-cookie:%20a=b",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "<script>alert(1)</script>",
    '{"$ne":null}',
    "key_" + "0" * 31 + "'",
    "%f0%9f%92%a9",
    "%ff%fe",
    "%ed%a0%80",
    "a" * 10_000,
]


def usage(time: float, name: str, **fields: Any) -> UsageRow:
    """A request that was answered."""
    known: dict[str, Any] = {
        "time": time,
        "id": name,
        "key_id": "key_1",
        "key_name": "one",
        "dialect": "openai_chat",
        "operation": "generate",
        "model_asked": "m",
        "model": "m",
        "provider": "local",
        "status": 200,
        "total_ms": 5.0,
        "prompt_tokens": 10,
        "completion_tokens": 3,
    }
    return UsageRow(**known | fields)


async def test_a_key_is_made_shown_once_changed_and_deleted(site: AdminSite) -> None:
    """The life of a key, each step of which counts at once."""
    wish = {"name": "робот 🤖", "scopes": ["inference", "admin"], "models": ["m", "qwen*"], "plan": "small"}
    made = await site.ask("POST", "/keys", wish | {"expires_at": 4_000_000_000})
    assert made.status == 201
    assert made.body.keys() == {"id", "key"}
    assert made.headers["cache-control"] == "no-store"
    secret, key_id = made.body["key"], made.body["id"]

    listed = await site.ask("GET", "/keys?search=робот")
    [shown] = listed.body["data"]
    assert (shown["id"], shown["name"], shown["plan"]) == (key_id, "робот 🤖", "small")
    assert (shown["scopes"], shown["models"]) == (["admin", "inference"], ["m", "qwen*"])
    assert secret not in str(listed.body)
    assert "digest" not in shown

    as_new = {"authorization": f"Bearer {secret}"}
    assert (await site.ask("GET", "/status", **as_new)).status == 200
    changed = await site.ask("PATCH", f"/keys/{key_id}", {"disabled": True})
    assert (changed.status, changed.body) == (200, {"id": key_id, "disabled": True})
    assert (await site.ask("GET", "/status", **as_new)).status == 401
    assert (await site.ask("PATCH", f"/keys/{key_id}", {"disabled": False})).status == 200
    assert (await site.ask("GET", "/status", **as_new)).status == 200
    deleted = await site.ask("DELETE", f"/keys/{key_id}")
    assert (deleted.status, deleted.body) == (204, None)
    assert (await site.ask("GET", "/status", **as_new)).status == 401
    assert (await site.ask("DELETE", f"/keys/{key_id}")).status == 404


async def test_an_access_key_is_made_and_shown_once(site: AdminSite) -> None:
    """Its id is in the list, its secret in nothing but the answer that made it."""
    made = await site.ask("POST", "/access-keys", {"name": "script", "models": ["m"]})
    assert made.status == 201
    assert made.body.keys() == {"id", "access_key_id", "secret_access_key"}
    listed = await site.ask("GET", "/keys?search=script")
    [entry] = listed.body["data"]
    assert (entry["id"], entry["kind"], entry["prefix"]) == (made.body["id"], "access", made.body["access_key_id"])
    assert made.body["secret_access_key"] not in str(listed.body)
    assert (await site.ask("POST", "/access-keys", {"name": "x", "plan": "none"})).status == 400
    assert (await site.ask("DELETE", f"/keys/{made.body['id']}")).status == 204


async def test_keys_are_listed_page_by_page(site: AdminSite) -> None:
    """Each page names the next one, and the last one none."""
    for number in range(4):
        await site.services.keys.create(f"page {number}")
    names: list[str] = []
    path = "/keys?search=page&limit=2"
    page = (await site.ask("GET", path)).body
    while True:
        names += [key["name"] for key in page["data"]]
        if page["next"] is None:
            break
        page = (await site.ask("GET", f"{path}&after={page['next']}")).body
    assert names == ["page 0", "page 1", "page 2", "page 3"]


@pytest.mark.parametrize(
    "field",
    ["id", "key", "digest", "prefix", "creator", "created_at", "disabled_at", "last_used_at", "role", "__class__"],
)
async def test_no_field_but_the_documented_ones_can_be_set(site: AdminSite, field: str) -> None:
    """Mass assignment is refused by name, and makes nothing."""
    before = await site.services.keys.list()
    answer = await site.ask("POST", "/keys", {"name": "x", field: "admin"})
    assert (answer.status, answer.body["error"]["param"]) == (400, field)
    answer = await site.ask("PATCH", "/keys/key_1", {"disabled": True, field: "admin"})
    assert (answer.status, answer.body["error"]["param"]) == (400, field)
    assert await site.services.keys.list() == before


@pytest.mark.parametrize(
    ("wish", "status", "param"),
    [
        ({"scopes": ["inference"]}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "a\u0000b"}, 400, "name"),
        ({"name": "x" * 101}, 400, "name"),
        ({"name": 5}, 400, "name"),
        ({"name": None}, 400, "name"),
        ({"name": "x", "scopes": ["root"]}, 400, "scopes[0]"),
        ({"name": "x", "scopes": []}, 400, "scopes"),
        ({"name": "x", "scopes": "admin"}, 400, "scopes"),
        ({"name": "x", "models": ["m", 3]}, 400, "models[1]"),
        ({"name": "x", "plan": "none"}, 400, "plan"),
        ({"name": "x", "expires_at": 5}, 400, "expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, 400, "expires_at"),
        ({"name": "x", "expires_at": float("nan")}, 400, "expires_at"),
        ({"name": "x", "expires_at": 10**400}, 400, "expires_at"),
        ([], 400, None),
        ("x", 400, None),
        (None, 400, None),
        (b"{", 400, None),
        (b'{"name":"\\ud800"}', 400, "name"),
        (b"\xff", 400, None),
        (b"[" * 100_000, 400, None),
        (b'{"name":' + b"9" * 10_000 + b"}", 400, None),
        ({"name": "x", "models": ["m" * 200] * 10_000}, 413, None),
    ],
)
async def test_a_wrong_wish_is_refused_by_name(site: AdminSite, wish: object, status: int, param: str | None) -> None:
    """What is wrong is named, never repeated, and no key is made."""
    before = await site.services.keys.list()
    answer = await site.ask("POST", "/keys", b"" if wish is None else wish)
    assert answer.status == status, answer
    assert answer.body["error"]["param"] == param
    assert answer.body["error"]["message"]
    assert await site.services.keys.list() == before


async def test_a_body_must_say_that_it_is_json(site: AdminSite) -> None:
    """What a form of another site can send is not taken for JSON."""
    before = await site.services.keys.list()
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await site.ask("POST", "/keys", b'{"name":"x"}', content_type=content_type)
        assert answer.status == 400
    assert await site.services.keys.list() == before


async def test_a_key_makes_no_wider_key(site: AdminSite) -> None:
    """An administrator whose key is narrow makes only narrow ones."""
    narrow = await site.services.keys.create("narrow", scopes=("admin",), models=("m",), plan="small")
    as_narrow = {"authorization": f"Bearer {narrow.key}"}
    wish: dict[str, object] = {"name": "x", "scopes": ["admin"], "models": ["m"], "plan": "small"}
    wider: list[tuple[str, object]] = [
        ("scopes", ["inference"]),
        ("models", []),
        ("models", ["*"]),
        ("plan", None),
        ("plan", "sensenova-v6"),
    ]
    for field, value in wider:
        answer = await site.ask("POST", "/keys", wish | {field: value}, **as_narrow)
        assert (answer.status, answer.body["error"]["param"]) == (403, field)
    assert (await site.ask("POST", "/keys", wish, **as_narrow)).status == 201


@pytest.mark.parametrize(
    "bound",
    [
        {"models": ("m",)},
        {"dialects": ("openai_chat",)},
        {"networks": ("127.0.0.0/8",)},
        {"plan": "small"},
        {"expires_at": 4e9},
        {"team": "its own"},
    ],
)
async def test_a_narrow_key_manages_no_people(site: AdminSite, bound: dict[str, Any]) -> None:
    """Users whom it made or gave a password, and teams whose plan it lifted, would be bound by less than it is."""
    name, people = next(iter(bound)), site.services.people
    user = await people.users.create(UserWish(email=f"{name}@example.com", name="Ada"))
    team = await people.teams.create(f"bound by {name}", "small")
    bound = {"team": team.id} if name == "team" else bound
    narrow = await site.services.keys.create_api_key(KeyWish(name="narrow", scopes=("admin",), **bound))
    before = await people.users.list(), await people.teams.list()
    for method, path, body in (
        ("POST", "/users", {"email": "eve@example.com", "name": "Eve", "role": "owner", "password": "nine words " * 9}),
        ("PATCH", f"/users/{user.id}", {"plan": None}),
        ("PUT", f"/users/{user.id}/password", {"password": "nine words " * 9}),
        ("DELETE", f"/users/{user.id}", b""),
        ("POST", "/teams", {"name": "others"}),
        ("PATCH", f"/teams/{team.id}", {"plan": None}),
        ("DELETE", f"/teams/{team.id}", b""),
    ):
        answer = await site.ask(method, path, body, authorization=f"Bearer {narrow.key}")
        assert answer.status == 403, (method, path, answer)
        assert name in answer.body["error"]["message"]
    assert before == (await people.users.list(), await people.teams.list())


@pytest.mark.parametrize("text", INJECTIONS)
async def test_hostile_text_finds_nothing_and_breaks_nothing(site: AdminSite, text: str) -> None:
    """Whatever stands for an id, a name, a cursor or a sort order, it is only ever compared."""
    before = await site.services.keys.list()
    sent = text.replace(" ", "%20")
    change = '{"disabled":true}'
    for method, path, body in (
        ("PATCH", f"/keys/{sent}", change),
        ("DELETE", f"/keys/{sent}", ""),
        ("POST", f"/engines/{sent}/load", ""),
        ("POST", f"/engines/{sent}/unload", ""),
        ("GET", f"/keys?search={sent}", ""),
        ("GET", f"/keys?after={sent}", ""),
        ("GET", f"/keys?limit={sent}", ""),
        ("GET", f"/usage/recent?before={sent}", ""),
        ("GET", f"/usage/recent?before=1.5,{sent}", ""),
        ("GET", f"/usage/summary?group_by={sent}", ""),
        ("GET", f"/usage/summary?since={sent}", ""),
    ):
        head = f"{method} {PREFIX}{path} HTTP/1.1\nhost: x\nauthorization: Bearer {site.admin_key}\n"
        head += f"content-type: application/json\ncontent-length: {len(body)}\n"
        answer = await site.send(head, body)
        assert answer.status in {200, 400, 404, 405}, (path, answer)
        assert "set-cookie" not in answer.headers
        if answer.status == 200:
            assert b'"data":[]' in answer.body, (path, answer)
    assert await site.services.keys.list() == before


async def test_usage_is_summed_and_listed(fresh_site: AdminSite) -> None:
    """Sums by key, model and day, and the latest requests page by page."""
    now = fresh_site.services.clock.now()
    for number in range(5):
        fresh_site.services.ledger.record(usage(now - 100 + number, f"r{number}", model=f"m{number % 2}"))
    fresh_site.services.ledger.record(usage(now - 90 * 86400, "old", error="internal", status=500))

    summary = (await fresh_site.ask("GET", "/usage/summary")).body
    assert [(row["group"], row["requests"], row["prompt_tokens"]) for row in summary["data"]] == [
        ("m0", 3, 30),
        ("m1", 2, 20),
    ]
    assert summary["since"] <= now - 30 * 86400
    assert summary["until"] >= now
    assert 30 * 86400 <= summary["until"] - summary["since"] <= 30 * 86400 + 2 * 3600
    everything = (await fresh_site.ask("GET", "/usage/summary?since=0&group_by=key")).body
    assert [(row["group"], row["name"], row["requests"], row["errors"]) for row in everything["data"]] == [
        ("key_1", "one", 6, 1)
    ]

    ids: list[str] = []
    page = (await fresh_site.ask("GET", "/usage/recent?limit=4")).body
    ids += [row["id"] for row in page["data"]]
    page = (await fresh_site.ask("GET", f"/usage/recent?limit=4&before={page['next']}")).body
    ids += [row["id"] for row in page["data"]]
    assert (ids, page["next"]) == (["r4", "r3", "r2", "r1", "r0", "old"], None)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("summary?group_by=error", "group_by"),
        ("summary?since=nan", "since"),
        ("summary?until=inf", "until"),
        ("summary?since=-1", "since"),
        ("summary?since=20&until=10", "since"),
        ("recent?limit=0", "limit"),
        ("recent?limit=1001", "limit"),
        ("recent?limit=1e3", "limit"),
        ("recent?before=x", "before"),
        ("recent?before=nan,x", "before"),
        ("recent?before=5", "before"),
    ],
)
async def test_a_wrong_question_about_usage_is_refused_by_name(site: AdminSite, query: str, param: str) -> None:
    """Bounds and forms of every parameter are checked."""
    answer = await site.ask("GET", f"/usage/{query}")
    assert (answer.status, answer.body["error"]["param"]) == (400, param)


async def test_plans_are_told_as_people_say_them(site: AdminSite) -> None:
    """Configured and published plans, with the text that errors use too."""
    plans = {plan["name"]: plan for plan in (await site.ask("GET", "/plans")).body["data"]}
    assert plans["small"]["configured"]
    assert plans["small"]["limits"] == [
        {"unit": "requests", "amount": 60, "window": 60.0, "model": None, "text": "60 requests per minute"}
    ]
    assert not plans["sensenova-v6"]["configured"]
    texts = [limit["text"] for limit in plans["sensenova-token-plan"]["limits"]]
    assert texts == ["1500 requests per 5 hours", "150 requests per 5 hours", "1500 requests per 5 hours"]


async def test_engines_are_loaded_and_unloaded(fresh_site: AdminSite) -> None:
    """A load begins and is answered at once; an unload is answered when the memory is free."""
    assert [row["state"] for row in (await fresh_site.ask("GET", "/engines")).body["data"]] == ["stopped", "stopped"]
    begun = await fresh_site.ask("POST", "/engines/a/load", {})
    assert (begun.status, begun.body["model"]) == (202, "a")
    await fresh_site.control.ensure("a")
    rows = {row["model"]: row for row in (await fresh_site.ask("GET", "/engines")).body["data"]}
    assert (rows["a"]["state"], rows["b"]["state"]) == ("ready", "stopped")
    assert rows["a"]["memory"] > 0
    assert rows["a"]["load"] == {"running": 2, "waiting": 1, "slots": 4, "reading": [0.25]}
    assert rows["b"]["load"] is None
    ended = await fresh_site.ask("POST", "/engines/a/unload")
    assert (ended.status, ended.body["state"]) == (200, "stopped")


async def test_an_unknown_engine_is_not_found(site: AdminSite) -> None:
    """A name that no local model has is a 404, slashes or not."""
    for name in ("c", "c/d", "c%2Fd"):
        answer = await site.ask("POST", f"/engines/{name}/load")
        assert (answer.status, answer.body["error"]["type"]) == (404, "model_not_found")


async def test_models_are_listed_with_their_targets(site: AdminSite) -> None:
    """Every name that can be asked for, aliases with what answers for them."""
    rows = (await site.ask("GET", "/models")).body["data"]
    assert [(row["name"], row["target"]) for row in rows] == [("m", "m"), ("alias", "m")]
    assert rows[0]["context_length"] is None


async def test_models_tell_what_can_be_chosen(fresh_site: AdminSite) -> None:
    """The presets that their makers recommend, with what they are, and the sizes of those that draw."""
    fresh_site.cards.append(ModelCard(name="thinker", target="thinker", presets=("thinking-coding",)))
    fresh_site.cards.append(ModelCard(name="painter", target="painter", drawing=ImageRules(sizes=("512x512",))))
    answer = (await fresh_site.ask("GET", "/models")).body
    rows = {row["name"]: row for row in answer["data"]}
    assert rows["thinker"]["presets"] == ["thinking-coding"]
    assert (rows["painter"]["sizes"], rows["m"]["sizes"]) == (["512x512"], [])
    preset = next(preset for preset in answer["presets"] if preset["name"] == "thinking-coding")
    assert (preset["temperature"], preset["top_k"], preset["reasoning_effort"]) == (0.6, 20, None)


async def test_models_are_told_with_prices_and_who_serves_them(site: AdminSite) -> None:
    """Of each name the way of every request, in the order in which providers are asked."""
    model = (await site.ask("GET", "/models")).body["data"][0]
    assert model["candidates"] == [{"provider": "up", "model": "m", "priority": 0, "weight": 1.0}]
    assert (model["pricing"]["prompt"], model["pricing"]["currency"]) == ("0", "USD")


async def test_given_names_are_listed(site: AdminSite) -> None:
    """Aliases and routes of the settings as they are written, and the names that clients ask for by habit."""
    names = (await site.ask("GET", "/names")).body
    assert names["aliases"] == [{"name": "claude-*", "target": "m"}]
    assert names["routes"] == [
        {
            "name": "best",
            "targets": [
                {"model": "up/m", "priority": 1, "weight": None},
                {"model": "filed/m", "priority": None, "weight": None},
            ],
        }
    ]
    assert {"pattern": "gpt-*", "operation": "generate"} in names["habits"]


async def test_the_status_tells_what_is_in_the_way(fresh_site: AdminSite) -> None:
    """Version, times, and why requests are not served yet."""
    status = (await fresh_site.ask("GET", "/status")).body
    assert (status["version"], status["auth"], status["obstacle"]) == (__version__, "keys", None)
    assert status["started_at"] <= status["now"]
    fresh_site.obstacles.append(RixinError(Kind.STARTING, "The model is pulling (40%).", retry_after=5))
    status = (await fresh_site.ask("GET", "/status")).body
    assert status["obstacle"] == {"type": "starting", "message": "The model is pulling (40%).", "retry_after": 5}


async def test_what_nobody_expected_is_an_error_without_a_stack(fresh_site: AdminSite) -> None:
    """A mistake of ours is a 500 in the one shape, and tells nothing of the inside."""
    fresh_site.cards.append("no card")  # type: ignore[arg-type]
    answer = await fresh_site.ask("GET", "/models")
    assert answer.status == 500
    assert answer.body == {
        "error": {"message": "Something went wrong inside the server.", "type": "internal", "param": None}
    }


async def test_errors_of_the_router_have_the_one_shape(site: AdminSite) -> None:
    """No path, a wrong method: JSON as well, with the methods that would do."""
    answer = await site.ask("GET", "/nothing")
    assert (answer.status, answer.body["error"]["type"]) == (404, "not_found")
    answer = await site.ask("PUT", "/keys", {})
    assert (answer.status, answer.body["error"]["type"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"
    answer = await site.ask("PUT", "/providers/preview", {})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    answer = await site.ask("PUT", "/engines/local/a/b/load", {})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    answer = await site.ask("POST", "/keys", b" " * (MAX_BODY + 1))
    assert (answer.status, answer.body["error"]["type"]) == (413, "too_large")


async def test_a_store_that_is_down_is_told_with_a_time_to_wait(fresh_site: AdminSite) -> None:
    """Nothing is answered from guesses when the store cannot be asked."""
    await fresh_site.services.ledger._table._database.aclose()  # pyright: ignore[reportPrivateUsage]
    answer = await fresh_site.ask("GET", "/keys")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_every_answer_has_a_request_id(site: AdminSite) -> None:
    """A safe id of the client's is echoed, any other is replaced."""
    assert (await site.ask("GET", "/status", x_request_id="my-1")).headers["x-request-id"] == "my-1"
    assert (await site.ask("GET", "/nothing", x_request_id="a b")).headers["x-request-id"] != "a b"
    answer = await site.ask("GET", "/status", authorization="")
    assert len(answer.headers["x-request-id"]) == 36
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_answer_tells_how_long_it_took(site: AdminSite) -> None:
    """As browsers show it, refusals included."""
    for path in ("/models", "/requests?limit=1000", "/nowhere"):
        timing = (await site.ask("GET", path)).headers["server-timing"]
        name, _, duration = timing.partition(";dur=")
        assert (name, float(duration) > 0) == ("total", True)


async def test_the_schema_describes_every_route(site: AdminSite) -> None:
    """Every route with its answer, its errors and its credentials; nothing that is never sent."""
    document = (await site.ask("GET", "/openapi.json", authorization="")).body
    described = {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    expected = {(method, path.replace(":path", "")) for method, path in POLICIES} - {("GET", f"{PREFIX}/openapi.json")}
    open_to_everyone = {operation for operation, policy in POLICIES.items() if policy.roles is None}
    assert described.keys() == expected
    assert len({operation["operationId"] for operation in described.values()}) == len(described)
    for (method, path), operation in described.items():
        public = (method, path) in open_to_everyone
        assert operation["summary"]
        assert operation.get("security") == (None if public else [{"bearer": []}, {"api_key": []}, {"login": []}])
        assert "422" not in operation["responses"]
        error = operation["responses"]["default"]["content"]["application/json"]["schema"]
        assert error == {"$ref": "#/components/schemas/ErrorBody"}
        [success] = [status for status in operation["responses"] if status != "default"]
        if success in ("302", "303"):
            continue  # it sends browsers elsewhere
        content = operation["responses"][success].get("content", {})
        streamed = content.keys() in ({"text/event-stream"}, {"text/csv"})
        assert success == "204" or streamed or "$ref" in content["application/json"]["schema"]
    used = str(document["paths"]) + str(document["components"]["schemas"])
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in used
