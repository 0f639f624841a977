"""How far limits are used up, over the admin API."""

import pytest

from rixin.accounts.key_rules import KeyWish
from rixin.accounts.user_rules import UserWish
from rixin.limits.base import Cost, Limit
from rixin.settings import PlanLimit, Provider
from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_limits_are_told_with_their_resets(fresh_site: AdminSite) -> None:
    """Of keys by their plans and of providers, those that are used up the most first; nobody's unless it has a plan."""
    services = fresh_site.services
    await services.keys.create_api_key(KeyWish(name="idle", plan="small"))
    busy = await services.keys.create_api_key(KeyWish(name="busy", plan="small"))
    rules = (PlanLimit(unit="requests", amount=10, window=18000.0), PlanLimit(unit="concurrency", amount=4, model="m"))
    await services.providers.add(Provider(name="up", base_url="https://up.example.com/v1", limits=rules))
    for _ in range(30):
        (await services.limiter.acquire([Limit(f"key:{busy.id}", "requests", 60, 60.0)], Cost())).settle(Cost())
    (await services.limiter.acquire([Limit("provider:up", "requests", 10, 18000.0)], Cost())).settle(Cost())
    answer = await fresh_site.ask("GET", "/quotas")
    assert answer.status == 200, answer.body
    assert answer.body["complete"]
    rows = answer.body["data"]
    assert [(row["kind"], row["name"], row["used"], row["amount"], row["plan"]) for row in rows] == [
        ("key", "busy", 30, 60, "small"),
        ("provider", "up", 1, 10, None),
        ("key", "idle", 0, 60, "small"),
    ]
    assert rows[0]["text"] == "60 requests per minute"
    now = services.clock.now()
    assert now < rows[0]["reset"] < now + 62
    assert rows[2]["reset"] is None


async def test_a_limit_for_models_is_told_of_those_that_are_used(fresh_site: AdminSite) -> None:
    """Each of them counted apart."""
    services = fresh_site.services
    rules = (PlanLimit(unit="requests", amount=10, window=60.0, model="*"),)
    await services.providers.add(Provider(name="up", base_url="https://up.example.com/v1", limits=rules))
    assert (await fresh_site.ask("GET", "/quotas")).body["data"] == []
    (await services.limiter.acquire([Limit("provider:up/model:m", "requests", 10, 60.0)], Cost())).settle(Cost())
    (row,) = (await fresh_site.ask("GET", "/quotas")).body["data"]
    assert (row["model"], row["used"], row["remaining"]) == ("m", 1, 9)


async def test_members_see_their_own(fresh_site: AdminSite) -> None:
    """Those of their keys and their own; neither other people's nor the server's."""
    services = fresh_site.services
    password = "a long password of nine words"
    wish = UserWish(email="eve@example.com", name="Eve", plan="small", password=password)
    user = await services.people.users.create(wish)
    await services.keys.create_api_key(KeyWish(name="hers", plan="small", user=user.id))
    await services.keys.create_api_key(KeyWish(name="theirs", plan="small"))
    answer = await fresh_site.ask("POST", "/login", {"email": wish.email, "password": password}, authorization="")
    cookie = answer.headers["set-cookie"].partition(";")[0]
    rows = (await fresh_site.ask("GET", "/quotas", authorization="", cookie=cookie)).body["data"]
    assert sorted((row["kind"], row["name"]) for row in rows) == [("key", "hers"), ("user", "Eve")]
