"""Files, as people and operators look after them."""

import io
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("files")) as running:
        yield running


async def sent(site: Platform, headers: dict[str, str], name: str, content: bytes = b"some text") -> str:
    """Sends a file. Gives its id."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("purpose", "user_data")
    form.add_field("file", io.BytesIO(content), filename=name)
    answer = await site.ask("POST", "/v1/files", headers, data=form)
    assert answer.status == 200, answer
    return answer.json["id"]


async def listed(site: Platform, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    """The files that somebody sees."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await site.ask("GET", f"/admin/v1/files?{asked}", headers)
    assert answer.status == 200, answer
    return answer.json["data"]


async def test_people_see_what_is_theirs_and_operators_everything(site: Platform) -> None:
    """Their own files and those of their keys, each with whose it is."""
    user = await site.person("ada")
    ada, bob = await site.login(user), await site.login(await site.person("bob"))
    key = await site.key(name="laptop", user=user)
    own, by_key, other = await sent(site, ada, "a"), await sent(site, key, "k"), await sent(site, bob, "b")
    seen = {file["id"]: file["owner"] for file in await listed(site, ada)}
    assert seen.keys() == {own, by_key}
    assert seen[own] == {"id": user, "kind": "user", "name": "ada"}
    assert (seen[by_key]["kind"], seen[by_key]["name"]) == ("key", "laptop")
    assert [file["id"] for file in await listed(site, ada, owner=seen[by_key]["id"])] == [by_key]
    for role in ("owner", "admin", "auditor"):
        everything = {file["id"] for file in await listed(site, await site.login(site.users[role]))}
        assert {own, by_key, other} <= everything


async def test_what_is_anothers_is_not_there(site: Platform) -> None:
    """For links and deletion, by whatever id."""
    cleo, dan = await site.login(await site.person("cleo")), await site.login(await site.person("dan"))
    file = await sent(site, cleo, "c")
    for identity in (file, "file-" + "0" * 32, "none", "..%2f..%2fetc%2fpasswd"):
        assert (await site.ask("POST", f"/admin/v1/files/{identity}/link", dan)).status in (404, 405), identity
        assert (await site.ask("DELETE", f"/admin/v1/files/{identity}", dan)).status in (404, 405), identity
    assert [each["id"] for each in await listed(site, cleo)] == [file]


async def test_a_link_gives_the_content_to_whoever_has_it(site: Platform) -> None:
    """Under the server's own address, as an attachment that no browser runs; and nothing after the file is gone."""
    eve = await site.login(await site.person("eve"))
    file = await sent(site, eve, "<b>.html", b"<script>alert(1)</script>")
    link = (await site.ask("POST", f"/admin/v1/files/{file}/link", eve)).json["url"]
    assert link.startswith(f"/v1/files/{file}/content?")
    content = await site.ask("GET", link)
    assert (content.status, content.body) == (200, b"<script>alert(1)</script>")
    assert content.headers["content-disposition"] == "attachment; filename*=UTF-8''%3Cb%3E.html"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert (await site.ask("GET", link.replace("signature=", "signature=0"))).status == 403
    assert (await site.ask("DELETE", f"/admin/v1/files/{file}", eve)).status == 204
    assert (await site.ask("GET", link)).status == 404
    assert await listed(site, eve) == []


async def test_managers_delete_anybodys_and_auditors_only_look(site: Platform) -> None:
    """What managers do is written down."""
    file = await sent(site, await site.login(await site.person("fay")), "f")
    auditor, admin = await site.login(site.users["auditor"]), await site.login(site.users["admin"])
    assert (await site.ask("POST", f"/admin/v1/files/{file}/link", auditor)).status == 403
    assert (await site.ask("DELETE", f"/admin/v1/files/{file}", auditor)).status == 403
    assert (await site.ask("POST", f"/admin/v1/files/{file}/link", admin)).status == 200
    assert (await site.ask("DELETE", f"/admin/v1/files/{file}", admin)).status == 204
    acts = (await site.ask("GET", "/admin/v1/audit?limit=2", admin)).json["data"]
    assert [(act["action"], act["target"]) for act in acts] == [("file.delete", file), ("file.read", file)]


async def test_lists_go_on_where_the_page_before_ended(site: Platform) -> None:
    """The newest first, also while others come."""
    gil = await site.login(await site.person("gil"))
    made = [await sent(site, gil, f"page {number}") for number in range(5)]
    first = (await site.ask("GET", "/admin/v1/files?limit=2", gil)).json
    assert [file["id"] for file in first["data"]] == [made[4], made[3]]
    await sent(site, gil, "late")
    second = (await site.ask("GET", f"/admin/v1/files?limit=2&after={first['next']}", gil)).json
    assert [file["id"] for file in second["data"]] == [made[2], made[1]]
    last = (await site.ask("GET", f"/admin/v1/files?limit=2&after={second['next']}", gil)).json
    assert [file["id"] for file in last["data"]] == [made[0]]
    assert last["next"] is None
    assert (await site.ask("GET", "/admin/v1/files?after=none", gil)).status == 400


async def test_a_search_takes_what_is_written_literally(site: Platform) -> None:
    """Wildcards of LIKE among it, and whatever case."""
    hal = await site.login(await site.person("hal"))
    for name in ("Plan 100%.txt", "Plan 1000.txt", "a_b", "axb"):
        await sent(site, hal, name)
    assert [file["name"] for file in await listed(site, hal, search="plan 100%25")] == ["Plan 100%.txt"]
    assert [file["name"] for file in await listed(site, hal, search="A_B")] == ["a_b"]
    assert await listed(site, hal, search="'%20or%201=1--") == []
    assert len(await listed(site, hal, purpose="user_data")) == 4
    assert await listed(site, hal, purpose="vision") == []


async def test_the_room_counts_ones_own_files(site: Platform) -> None:
    """Not those of one's keys, which have room of their own."""
    user = await site.person("ida")
    ida = await site.login(user)
    await sent(site, ida, "i", b"x" * 1000)
    await sent(site, await site.key(user=user), "k", b"x" * 500)
    room = (await site.ask("GET", "/admin/v1/files/room", ida)).json
    assert (room["used_bytes"], room["used_files"]) == (1000, 1)
    assert room["max_bytes"] >= room["max_file_bytes"] > 0
    fits = {purpose["name"]: purpose for purpose in room["purposes"]}
    assert (fits["KNOWLEDGE_BASE_1"]["field"], fits["vision"]["field"]) == ("scheme", "purpose")
    assert fits["KNOWLEDGE_BASE_1"]["max_bytes"] == 20 * 2**20
