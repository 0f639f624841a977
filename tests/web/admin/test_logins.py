"""One's own logins: listed, and ended."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

LOGINS = "/admin/v1/session/logins"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("logins")) as running:
        yield running


async def test_ones_own_logins_are_listed_and_ended(site: Platform) -> None:
    """The one that asks is known among them; one that is ended counts no more."""
    user = await site.person("ada")
    here, there = await site.login(user), await site.login(user)
    listed = (await site.ask("GET", LOGINS, here)).json["data"]
    assert sorted(login["current"] for login in listed) == [False, True]
    assert all(login["method"] == "password" for login in listed)
    assert there["cookie"].partition("=")[2] not in str(listed)
    other = next(login["id"] for login in listed if not login["current"])
    assert (await site.ask("DELETE", f"{LOGINS}/{other}", here)).status == 204
    assert (await site.ask("GET", "/admin/v1/session", there)).status == 401
    assert (await site.ask("DELETE", f"{LOGINS}/{other}", here)).status == 404
    assert len((await site.ask("GET", LOGINS, here)).json["data"]) == 1


async def test_all_others_are_ended_at_once(site: Platform) -> None:
    """The one that asks goes on, and so do other people's."""
    user = await site.person("bob")
    here, *others = [await site.login(user) for _ in range(3)]
    stranger = await site.login(await site.person("cleo"))
    assert (await site.ask("DELETE", LOGINS, here)).status == 204
    assert [(await site.ask("GET", "/admin/v1/session", login)).status for login in (here, *others, stranger)] == [
        *(200, 401, 401),
        200,
    ]


async def test_nobody_ends_anothers_login(site: Platform) -> None:
    """By an id that is right for its owner."""
    dan, eve = await site.login(await site.person("dan")), await site.login(await site.person("eve"))
    [login] = (await site.ask("GET", LOGINS, dan)).json["data"]
    assert (await site.ask("DELETE", f"{LOGINS}/{login['id']}", eve)).status == 404
    assert (await site.ask("GET", "/admin/v1/session", dan)).status == 200
