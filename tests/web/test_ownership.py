"""A8: what is one person's is found by nobody else, by whatever id it is asked for."""

import io
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from rixin.web.admin.policy import POLICIES
from tests.support.platform import Platform, platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

Owned = dict[str, str]
"""What somebody has: ids by the parameters of paths, and by nouns where no route has a parameter for them."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Platform]:
    """A whole server."""
    async with platform(tmp_path_factory.mktemp("owned")) as running:
        yield running


async def possessions(site: Platform, name: str) -> tuple[dict[str, str], dict[str, str], Owned]:
    """The login and the key of a new member, and one of everything that a member can have."""
    user = await site.person(name)
    login = await site.login(user)
    made = await site.ask("POST", "/admin/v1/keys", login, {"name": f"{name}'s"})
    assert made.status == 201
    key = {"authorization": f"Bearer {made.json['key']}"}
    team = await site.people.teams.create(f"team of {name}")
    await site.people.teams.put_member(team.id, user, "admin")
    form = aiohttp.FormData()
    form.add_field("purpose", "user_data")
    form.add_field("file", io.BytesIO(b"a secret of " + name.encode()), filename="a.txt")
    file = await site.ask("POST", "/v1/files", key, data=form)
    response = await site.ask("POST", "/v1/responses", key, {"model": "m", "input": "Hi", "store": True})
    session = await site.ask("POST", "/v1/llm/chat/sessions", key, {"system_prompt": []})
    base = await site.ask("POST", "/v1/llm/knowledge-bases", key, {"description": "mine"})
    logins = await site.ask("GET", "/admin/v1/session/logins", login)
    for answer in (file, response, session, base, logins):
        assert answer.status == 200, answer
    owned = {
        "user_id": user,
        "key_id": made.json["id"],
        "team_id": team.id,
        "file": file.json["id"],
        "file_id": file.json["id"],
        "response": response.json["id"],
        "session": session.json["session_id"],
        "base": base.json["knowledge_base"]["id"],
        "base_id": base.json["knowledge_base"]["id"],
        "request_id": response.headers["x-request-id"],
        "login_id": logins.json["data"][0]["id"],
    }
    return login, key, owned


def _found(answer: Any) -> bool:
    return answer.status < 400


async def test_a8_nobody_finds_what_is_anothers(site: Platform) -> None:
    """At every route that takes an id, a second member with the first one's ids finds nothing; the first one does."""
    login_a, key_a, owned = await possessions(site, "ada")
    login_b, key_b, own = await possessions(site, "bob")
    walked: set[str] = set()
    passed_over: set[str] = set()
    for ids, login, key, mine in ((owned, login_b, key_b, False), (own, login_b, key_b, True)):
        for method, path in POLICIES:
            concrete = path
            for parameter in ("user_id", "key_id", "team_id", "request_id", "file_id", "base_id", "login_id"):
                concrete = concrete.replace(f"{{{parameter}}}", ids[parameter])
            if "{" in concrete:
                passed_over.add(concrete[: concrete.index("}") + 1])
                continue
            if concrete == path or (mine and method != "GET"):
                continue
            plain = {"PATCH": {"disabled": True}, "PUT": {"role": "member"}}.get(method)
            body = BODIES.get(path.rpartition("/")[2], plain)
            answer = await site.ask(method, concrete, login, body)
            assert _found(answer) == mine, (method, path, answer)
            assert answer.status in ((200,) if mine else (403, 404)), (method, path, answer)
            walked.add(f"{method} {path}")
        for endpoint in site.worker.app.endpoints:
            noun = next((noun for part, noun in NOUNS if endpoint.path.startswith(part)), None)
            if not endpoint.path.endswith("/") and "{" not in endpoint.path:
                continue
            if noun is None:
                passed_over.add(endpoint.path)
                continue
            if mine and endpoint.method != "GET":
                continue
            for ending in ENDINGS[noun]:
                target = f"{endpoint.path}{ids[noun]}{ending}"
                answer = await site.ask(endpoint.method, target, key, {} if endpoint.method == "POST" else None)
                if mine:
                    assert answer.status in (200, 302), (endpoint.method, target, answer)
                else:
                    # The native platform has its own word (501) for what it does not do.
                    assert answer.status in (404, 405, 501), (endpoint.method, target, answer)
                walked.add(f"{endpoint.method} {endpoint.path}")
    assert passed_over == NOBODYS  # a new route is walked, or named
    assert len(walked) >= 16, walked
    assert (await site.ask("GET", f"/v1/files/{owned['file']}", key_a)).status == 200
    assert (await site.ask("GET", "/admin/v1/keys", login_a)).json["data"][0]["id"] == owned["key_id"]


BODIES: dict[str, dict[str, object]] = {
    "{base_id}": {"description": "mine now"},
    "files": {"file_id": "mine"},
    "search": {"question": "what"},
}
"""What is sent to paths that end so."""
NOUNS = (
    ("/v1/files/", "file"),
    ("/v1/responses/", "response"),
    ("/compatible-mode/v1/responses/", "response"),
    ("/compatible-mode/v2/responses/", "response"),
    ("/v1/llm/knowledge-bases/", "base"),
)
"""Whose ids the prefixes of wire routes take."""
NOBODYS = {
    *(f"/admin/v1/{noun}" for noun in ("providers/{name}", "agents/{name}", "engines/{name:path}")),
    *(f"{prefix}/models/" for prefix in ("/v1", "/v1beta", "/v1/llm", "/anthropic/v1")),
    *(f"/compatible-mode/{version}/models/" for version in ("v1", "v2")),
    *(
        f"/{version}/models/{{model}}:{action}"
        for version in ("v1", "v1beta")
        for action in ("generateContent", "streamGenerateContent", "countTokens")
    ),
    *("/", "/console/", "/docs/"),
    # What the native platform has besides, and is not done here.
    *("/agent-5o/", "/v1/imgen/", "/v1/llm/", "/v1/nlp/"),
}
"""Paths that name what is no one person's: they are not walked."""
ENDINGS = {"file": ("", "/content"), "response": ("", "/input_items"), "base": ("", "/files")}


async def test_a8_ids_in_bodies_find_nothing_either(site: Platform) -> None:
    """A file, a response, a session or a base that another one has is unknown wherever it is named."""
    _, _, owned = await possessions(site, "cleo")
    _, key, own = await possessions(site, "dan")
    for ids, found in ((owned, False), (own, True)):
        asked: tuple[tuple[str, object], ...] = (
            ("/v1/responses", {"model": "m", "input": "And?", "previous_response_id": ids["response"]}),
            (
                "/v1/responses",
                {
                    "model": "m",
                    "input": [{"role": "user", "content": [{"type": "input_file", "file_id": ids["file"]}]}],
                },
            ),
            ("/v1/llm/chat-conversations", {"model": "m", "session_id": ids["session"], "content": "Hi"}),
        )
        for path, body in asked:
            answer = await site.ask("POST", path, key, body)
            assert (answer.status == 200) == found, (path, body, answer)
            assert found or answer.status in (400, 404), (path, body, answer)


async def test_a8_lists_hold_what_is_ones_own(site: Platform) -> None:
    """A member's lists of keys and teams, whatever is asked of them, hold nothing of another one."""
    _, _, owned = await possessions(site, "eve")
    login, _, own = await possessions(site, "fay")
    for query in ("", f"?user={owned['user_id']}", f"?team={owned['team_id']}", "?search=eve", "?limit=1000"):
        listed = {key["id"] for key in (await site.ask("GET", f"/admin/v1/keys{query}", login)).json["data"]}
        assert listed <= {own["key_id"]}
    teams = (await site.ask("GET", "/admin/v1/teams", login)).json["data"]
    assert [team["id"] for team in teams] == [own["team_id"]]
    for path in ("/admin/v1/users", "/admin/v1/audit"):
        assert (await site.ask("GET", path, login)).status == 403


USAGE = ("/usage/recent", "/requests")


async def listed(site: Platform, path: str, login: dict[str, str]) -> list[dict[str, Any]]:
    """What a list of the admin API holds."""
    answer = await site.ask("GET", f"/admin/v1{path}", login)
    assert answer.status == 200, answer
    return answer.json["data"]


async def test_a8_members_see_what_they_used_themselves(site: Platform) -> None:
    """Requests, sums and files, whatever is asked of them, hold one's own; to ask for another one's is refused."""
    _, _, owned = await possessions(site, "ivy")
    login, key, own = await possessions(site, "jan")
    others = (f"key={owned['key_id']}", f"team={owned['team_id']}")
    for path in USAGE:
        for query in ("", "limit=1000", f"user={own['user_id']}"):
            rows = await listed(site, f"{path}?{query}", login)
            assert {row["user_id"] for row in rows} == {own["user_id"]}
            assert own["request_id"] in {row["id"] for row in rows}
        for query in others:
            assert await listed(site, f"{path}?{query}", login) == []
    since = "since=0&group_by"
    assert [row["group"] for row in await listed(site, f"/usage/summary?{since}=user", login)] == [own["user_id"]]
    assert [row["group"] for row in await listed(site, f"/usage/summary?{since}=key", login)] == [own["key_id"]]
    for query in others:
        assert await listed(site, f"/usage/summary?{since}=user&{query}", login) == []
    for path in ("/usage/recent.csv", "/usage/summary.csv?group_by=user"):
        text = (await site.ask("GET", f"/admin/v1{path}", login)).body.decode()
        assert own["user_id"] in text
        assert owned["user_id"] not in text
    for path in (*USAGE, "/usage/recent.csv", "/usage/summary", "/usage/summary.csv"):
        for whose in (f"user={owned['user_id']}", f"user={owned['user_id']}&team={own['team_id']}x", "user="):
            assert (await site.ask("GET", f"/admin/v1{path}?{whose}", login)).status == 403, (path, whose)
    # An id that somebody else has chosen too, and used later, is not taken for theirs.
    for sender in (key, await site.key(name="of nobody")):
        chosen = {**sender, "x-request-id": "chosen-by-two"}
        assert (await site.ask("POST", "/v1/responses", chosen, {"model": "m", "input": "Hi"})).status == 200
    shown = await site.ask("GET", "/admin/v1/requests/chosen-by-two", login)
    assert shown.json["user_id"] == own["user_id"]


async def test_a8_an_admin_of_a_team_sees_what_it_used(site: Platform) -> None:
    """Where the team is named: all of its rows, and no others; its members see their own there. What was said is not
    theirs."""
    login_a, _, team = await possessions(site, "kim")
    login_b, _, own = await possessions(site, "lou")
    await site.people.teams.put_member(team["team_id"], own["user_id"], "member")
    shared = await site.key(user=own["user_id"], team=team["team_id"], name="shared")
    answer = await site.ask("POST", "/v1/responses", shared, {"model": "m", "input": "Hi"})
    assert answer.status == 200
    made = answer.headers["x-request-id"]
    for path in USAGE:
        for query in (f"team={team['team_id']}", f"team={team['team_id']}&user={own['user_id']}"):
            for login in (login_a, login_b):
                assert [row["id"] for row in await listed(site, f"{path}?{query}", login)] == [made]
        assert made not in {row["id"] for row in await listed(site, path, login_a)}
        assert (await site.ask("GET", f"/admin/v1{path}?user={own['user_id']}", login_a)).status == 403
    sums = await listed(site, f"/usage/summary?since=0&group_by=user&team={team['team_id']}", login_a)
    assert [(row["group"], row["requests"]) for row in sums] == [(own["user_id"], 1)]
    assert (await site.ask("GET", f"/admin/v1/requests/{made}", login_a)).status == 404
    assert (await site.ask("GET", f"/admin/v1/requests/{made}", login_b)).status == 200
    await site.people.teams.put_member(team["team_id"], team["user_id"], "member")
    assert await listed(site, f"/usage/recent?team={team['team_id']}", login_a) == []


async def test_a8_an_admin_of_a_team_sees_to_its_keys_only(site: Platform) -> None:
    """Keys of members for the team are within their reach, those for themselves are not."""
    login_a, _, team = await possessions(site, "gus")
    _, _, own = await possessions(site, "hal")
    await site.people.teams.put_member(team["team_id"], own["user_id"], "member")
    shared = (await site.key(user=own["user_id"], team=team["team_id"], name="shared"))["authorization"]
    listed = (await site.ask("GET", f"/admin/v1/keys?team={team['team_id']}", login_a)).json["data"]
    assert [key["name"] for key in listed] == ["shared"]
    changed = await site.ask("PATCH", f"/admin/v1/keys/{listed[0]['id']}", login_a, {"disabled": True})
    assert changed.status == 200
    assert (await site.ask("GET", "/v1/models", {"authorization": shared})).status == 401
    assert (await site.ask("DELETE", f"/admin/v1/keys/{own['key_id']}", login_a)).status == 404
