"""Providers over the admin API."""

from typing import Any

import pytest

from tests.web.admin.site import AdminSite, Answer

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-a-key-of-nobody-1234"
WISH: dict[str, Any] = {"name": "up", "base_url": "https://up.example.com/v1", "api_keys": [KEY]}


async def made(site: AdminSite, **fields: Any) -> Answer:
    """A stored provider."""
    answer = await site.ask("POST", "/providers", {**WISH, **fields})
    assert answer.status == 201, answer.body
    return answer


async def test_a_provider_is_stored_and_listed(fresh_site: AdminSite) -> None:
    """Its key is shown by its last four characters only, here and later; the file's providers come first."""
    answer = await made(fresh_site, headers={"x-secret": "abcdef"}, options={"priority": 3, "idle_timeout": 5.5})
    assert answer.body["api_keys"] == ["...1234"]
    listed = await fresh_site.ask("GET", "/providers")
    filed, up = listed.body["data"]
    assert (filed["name"], filed["source"], filed["api_keys"]) == ("filed", "configured", ["...9999"])
    assert (up["name"], up["source"], up["preset"], up["problem"]) == ("up", "stored", "generic", None)
    assert up["headers"] == ["x-secret"]
    assert up["options"] == {"priority": 3, "idle_timeout": 5.5}
    for told in (answer, listed, await fresh_site.ask("GET", "/providers/up")):
        assert KEY not in str(told.body)
        assert "abcdef" not in str(told.body)
    assert fresh_site.services.providers.find("up").provider.api_keys == (KEY,)


async def test_a_presets_name_is_enough(fresh_site: AdminSite) -> None:
    """Address and key come from what is known and from the server's environment; the rewrites are told with sources."""
    answer = await fresh_site.ask("POST", "/providers", {"name": "sensenova", "models": ["sensenova-6.7-flash-lite"]})
    assert answer.status == 201
    assert (answer.body["base_url"], answer.body["api_keys"]) == ("https://token.sensenova.cn/v1", ["...7777"])
    general, special = answer.body["rewrites"]
    assert (general["models"], special["models"]) == ([], ["sensenova-6.7-flash-lite"])
    facts = {fact["field"]: fact for fact in special["facts"]}
    assert facts["null_content"]["sources"] == ["preset sensenova"]
    assert facts["efforts"]["sources"] == ["documentation of sensenova-6.7-flash-lite"]
    assert facts["tool_strict"]["meaning"] == "leaves out strict of tools"


async def test_a_change_keeps_what_it_does_not_name(fresh_site: AdminSite) -> None:
    """New keys take the place of old ones, and what is absent stays."""
    await made(fresh_site, models=["a"])
    answer = await fresh_site.ask("PATCH", "/providers/up", {"api_keys": ["sk-another-key-5678"], "profile": {}})
    assert (answer.status, answer.body["api_keys"], answer.body["models"]) == (200, ["...5678"], ["a"])
    answer = await fresh_site.ask("PATCH", "/providers/up", {"preset": "openai", "options": {"retries": 0}})
    assert (answer.body["preset"], answer.body["options"]) == ("openai", {"retries": 0})
    answer = await fresh_site.ask("PATCH", "/providers/up", {"preset": None})
    assert answer.body["preset"] == "generic"
    assert fresh_site.services.providers.find("up").provider.api_keys == ("sk-another-key-5678",)


@pytest.mark.parametrize(
    "moved", ["https://thief.example.com/v1", "http://up.example.com/v1", "https://up.example.com:8443"]
)
async def test_a_key_does_not_follow_to_another_host(fresh_site: AdminSite, moved: str) -> None:
    """Whoever moves a provider cannot have its key sent to a host that it was not given for."""
    await made(fresh_site, headers={"x-secret": "abcdef"})
    answer = await fresh_site.ask("PATCH", "/providers/up", {"base_url": moved})
    assert (answer.status, answer.body["error"]["param"]) == (400, "api_keys")
    answer = await fresh_site.ask("PATCH", "/providers/up", {"base_url": moved, "api_keys": [KEY]})
    assert (answer.status, answer.body["error"]["param"]) == (400, "headers")
    answer = await fresh_site.ask("PATCH", "/providers/up", {"base_url": moved, "api_keys": [KEY], "headers": {}})
    assert answer.status == 200
    answer = await fresh_site.ask("PATCH", "/providers/up", {"base_url": f"{moved.removesuffix('/v1')}/api/v4"})
    assert answer.status == 200, "the host is the same"


async def test_a_provider_is_disabled_and_enabled(fresh_site: AdminSite) -> None:
    """A disabled one keeps its settings and its keys, and nobody is sent to it."""
    await made(fresh_site)
    answer = await fresh_site.ask("PATCH", "/providers/up", {"enabled": False})
    assert (answer.status, answer.body["enabled"], answer.body["problem"]) == (200, False, None)
    assert [entry.name for entry in fresh_site.services.providers.served] == ["filed"]
    assert (await fresh_site.ask("GET", "/status")).body["problems"] == []
    answer = await fresh_site.ask("PATCH", "/providers/up", {"enabled": True})
    assert (answer.body["enabled"], answer.body["api_keys"]) == (True, ["...1234"])
    assert [entry.name for entry in fresh_site.services.providers.served] == ["filed", "up"]


async def test_a_provider_is_removed(fresh_site: AdminSite) -> None:
    """It is gone, and gone only once."""
    await made(fresh_site)
    assert (await fresh_site.ask("DELETE", "/providers/up")).status == 204
    assert (await fresh_site.ask("GET", "/providers/up")).status == 404
    assert (await fresh_site.ask("DELETE", "/providers/up")).status == 404


async def test_the_files_providers_are_read_only(fresh_site: AdminSite) -> None:
    """They can be neither changed nor removed nor shadowed, and the error says where that is done."""
    wishes: list[tuple[str, str, Any]] = [
        ("PATCH", "/providers/filed", {"models": ["a"]}),
        ("DELETE", "/providers/filed", None),
        ("POST", "/providers", {**WISH, "name": "filed"}),
    ]
    for method, path, body in wishes:
        answer = await fresh_site.ask(method, path, body)
        assert (answer.status, answer.body["error"]["type"]) == (409, "conflict")
        assert "configuration file" in answer.body["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "a/b"}, "letters, digits"),
        ({"base_url": "ftp://a"}, "it must be like https://"),
        ({"base_url": "replay:/etc"}, "it must be like https://"),
        ({"base_url": None}, "base_url"),
        ({"preset": "nobody"}, "no preset 'nobody'"),
        ({"dialect": "morse"}, "no dialect morse"),
        ({"api_keys": ["two words"]}, "api_keys"),
        ({"profile": {"speed": 1}}, "unknown field `speed`"),
        ({"profile": {"extra_headers": {"a": "b"}}}, "put headers into headers"),
        ({"options": {"speed": 1}}, "speed"),
        ({"options": {"models": ["a"]}}, "models is a field beside options"),
        ({"options": {"priority": "high"}}, "priority"),
        ({"options": {"limits": [{"unit": "requests", "amount": 0}]}}, "limits"),
        ({"color": "red"}, "no field color"),
    ],
)
async def test_a_bad_wish_is_refused(site: AdminSite, fields: dict[str, Any], says: str) -> None:
    """Each mistake is a 400 that names it and repeats no key; nothing is stored."""
    answer = await site.ask("POST", "/providers", {**WISH, **fields})
    assert answer.status == 400
    assert says in answer.body["error"]["message"]
    assert KEY not in str(answer.body)
    assert [entry.name for entry in site.services.providers.all] == ["filed"]


async def test_a_taken_name_is_a_conflict(fresh_site: AdminSite) -> None:
    """The second provider of a name is refused."""
    await made(fresh_site)
    answer = await fresh_site.ask("POST", "/providers", WISH)
    assert (answer.status, answer.body["error"]["param"]) == (409, "name")


async def test_presets_are_listed(site: AdminSite) -> None:
    """Each known provider with its address, its variables, and whether the server has a key for it; never the key."""
    answer = await site.ask("GET", "/presets")
    presets = {preset["name"]: preset for preset in answer.body["data"]}
    assert presets["sensenova"]["key_variables"] == ["SENSENOVA_API_KEY", "SN_API_KEY"]
    assert (presets["sensenova"]["key_is_set"], presets["deepseek"]["key_is_set"]) == (True, False)
    assert presets["vllm"]["base_url"] is None
    assert "sk-in-the-environment" not in str(answer.body)


async def test_an_address_is_previewed(site: AdminSite) -> None:
    """The preset of its host, and what would be done and why; nothing is stored or asked."""
    answer = await site.ask("POST", "/providers/preview", {"base_url": "https://token.sensenova.cn"})
    assert (answer.status, answer.body["preset"]["name"]) == (200, "sensenova")
    assert answer.body["base_url"] == "https://token.sensenova.cn/v1"
    told = [fact["meaning"] for group in answer.body["rewrites"] for fact in group["facts"]]
    assert "makes one system message of all and puts it first" in told
    unknown = await site.ask("POST", "/providers/preview", {"base_url": "https://example.com/v1"})
    assert unknown.body["preset"]["name"] == "generic"
    assert [fact["field"] for fact in unknown.body["rewrites"][0]["facts"]] == ["tool_markup_heal"]
    for url in ("ftp://a", "https://[", "https://user:pw@a"):
        refused = await site.ask("POST", "/providers/preview", {"base_url": url})
        assert (refused.status, refused.body["error"]["param"]) == (400, "base_url")
    assert [entry.name for entry in site.services.providers.all] == ["filed"]


async def test_ones_own_words_are_previewed(site: AdminSite) -> None:
    """Another preset than the address tells, and a profile: with whose word each thing is, and what is wrong."""
    wish: dict[str, Any] = {"base_url": "https://token.sensenova.cn/v1", "preset": "generic"}
    plain = await site.ask("POST", "/providers/preview", wish)
    assert plain.body["preset"]["name"] == "generic"
    told = await site.ask("POST", "/providers/preview", {**wish, "profile": {"drop_params": ["seed"]}})
    facts = {fact["field"]: fact for fact in told.body["rewrites"][0]["facts"]}
    assert (facts["drop_params"]["meaning"], facts["drop_params"]["sources"]) == ("never sends seed", ["settings"])
    wrong = await site.ask("POST", "/providers/preview", {**wish, "profile": {"speed": 1}})
    assert (wrong.status, "speed" in wrong.body["error"]["message"]) == (400, True)


async def test_what_can_be_said_is_listed(site: AdminSite) -> None:
    """Every field of a profile in words; those of a few values with what each of them does."""
    answer = await site.ask("GET", "/rewrite-fields")
    fields = {field["name"]: field for field in answer.body["data"]}
    assert fields["system_policy"]["choices"][1] == {
        "value": "merge_head",
        "meaning": "makes one system message of all and puts it first",
        "phrase": {"code": "system_policy_merge_head", "parameters": {}},
    }
    kinds = {name: field["kind"] for name, field in fields.items()}
    assert (kinds["drop_params"], kinds["clamp"], kinds["tool_name_length"]) == ("names", "table", "number")
    assert (kinds["reasoning_field"], kinds["reasoning_placeholder"]) == ("choice", "text")
    assert "extra_headers" not in fields


async def test_problems_are_in_the_status(fresh_site: AdminSite) -> None:
    """What of the configuration does not count is told to whoever asks how the server is."""
    assert (await fresh_site.ask("GET", "/status")).body["problems"] == []
    fresh_site.problems.append("rixin.toml is not valid TOML")
    assert (await fresh_site.ask("GET", "/status")).body["problems"] == ["rixin.toml is not valid TOML"]
