"""Knowledge bases, as people and operators look after them."""

import io
from collections.abc import AsyncGenerator

import aiohttp
import pytest
import pytest_asyncio

from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

BASES = "/admin/v1/knowledge-bases"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("bases")) as running:
        yield running


async def sent(site: Platform, headers: dict[str, str], name: str) -> str:
    """Sends a document. Gives its id."""
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("scheme", "KNOWLEDGE_BASE_1")
    form.add_field("file", io.BytesIO(b"The ferry leaves at noon."), filename=name)
    answer = await site.ask("POST", "/v1/files", headers, data=form)
    assert answer.status == 200, answer
    return answer.json["id"]


async def test_a_base_is_made_filled_changed_and_deleted(site: Platform) -> None:
    """Its files stay where they are."""
    ada = await site.login(await site.person("ada"))
    made = await site.ask("POST", BASES, ada, {"description": "harbour"})
    assert made.status == 201
    base = f"{BASES}/{made.json['id']}"
    file = await sent(site, ada, "<b>ferry.txt")
    filled = await site.ask("POST", f"{base}/files", ada, {"file_id": file})
    [document] = filled.json["documents"]
    assert (document["file_id"], document["name"]) == (file, "<b>ferry.txt")
    changed = await site.ask("PATCH", base, ada, {"description": "boats"})
    assert (changed.json["description"], len(changed.json["documents"])) == ("boats", 1)
    [listed] = (await site.ask("GET", BASES, ada)).json["data"]
    assert (listed["description"], listed["waiting"] + listed["valid"] + listed["invalid"]) == ("boats", 1)
    assert (await site.ask("DELETE", f"{base}/files/{file}", ada)).status == 204
    assert (await site.ask("GET", base, ada)).json["documents"] == []
    assert (await site.ask("DELETE", base, ada)).status == 204
    assert (await site.ask("GET", base, ada)).status == 404
    assert (await site.ask("GET", f"/v1/files/{file}?shape=native", ada)).status == 200


async def test_people_see_what_is_theirs_and_operators_everything(site: Platform) -> None:
    """Their own bases and those of their keys; an operator's changes are made for the owner."""
    user = await site.person("bob")
    bob, cleo = await site.login(user), await site.login(await site.person("cleo"))
    key = await site.key(name="laptop", user=user)
    by_key = (await site.ask("POST", "/v1/llm/knowledge-bases", key, {"description": "mine"})).json["knowledge_base"]
    [seen] = (await site.ask("GET", BASES, bob)).json["data"]
    assert (seen["id"], seen["owner"]["kind"], seen["owner"]["name"]) == (by_key["id"], "key", "laptop")
    assert (await site.ask("GET", BASES, cleo)).json["data"] == []
    path = f"{BASES}/{by_key['id']}"
    for method, below, body in (
        ("GET", "", None),
        ("PATCH", "", {"description": "x"}),
        ("DELETE", "", None),
        ("POST", "/files", {"file_id": "x"}),
        ("DELETE", "/files/x", None),
        ("POST", "/search", {"question": "x"}),
    ):
        assert (await site.ask(method, path + below, cleo, body)).status == 404, (method, below)
    admin = await site.login(site.users["admin"])
    assert (await site.ask("PATCH", path, admin, {"description": "seen to"})).json["owner"] == seen["owner"]
    told = (await site.ask("GET", f"/v1/llm/knowledge-bases/{by_key['id']}", key)).json["knowledge_base"]
    assert told["description"] == "seen to"
    foreign = await sent(site, admin, "of the admin.txt")
    assert (await site.ask("POST", f"{path}/files", admin, {"file_id": foreign})).status == 404


async def test_lists_go_on_where_the_page_before_ended(site: Platform) -> None:
    """The newest first."""
    dan = await site.login(await site.person("dan"))
    made = [(await site.ask("POST", BASES, dan, {"description": str(number)})).json["id"] for number in range(3)]
    first = (await site.ask("GET", f"{BASES}?limit=2", dan)).json
    assert [base["id"] for base in first["data"]] == [made[2], made[1]]
    last = (await site.ask("GET", f"{BASES}?limit=2&after={first['next']}", dan)).json
    assert ([base["id"] for base in last["data"]], last["next"]) == ([made[0]], None)


async def test_a_search_of_nothing_finds_nothing(site: Platform) -> None:
    """And what is no question is told so."""
    eve = await site.login(await site.person("eve"))
    base = (await site.ask("POST", BASES, eve, {"description": "empty"})).json["id"]
    found = await site.ask("POST", f"{BASES}/{base}/search", eve, {"question": "ferry", "mode": "text"})
    assert (found.status, found.json) == (200, {"hits": [], "answer": None, "answer_score": None})
    for wrong in ({"question": ""}, {"question": "x" * 2001}, {"question": "x", "mode": "magic"}, {}):
        assert (await site.ask("POST", f"{BASES}/{base}/search", eve, wrong)).status == 400, wrong
