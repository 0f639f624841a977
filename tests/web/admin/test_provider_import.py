"""Other programs' configurations over the admin API."""

import json
from typing import Any

import pytest

from tests.web.admin.site import AdminSite

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "sensenova-6.7-flash-lite"
SENSENOVA: dict[str, Any] = {
    "id": "sensenova",
    "displayName": "商汤日日新",
    "baseUrl": "https://token.sensenova.cn/v1",
    "envKey": "SENSENOVA_API_KEY",
    "defaultModel": MODEL,
    "features": {"mergeSystemMessages": True},
}
OTHER: dict[str, Any] = {
    "id": "other",
    "baseUrl": "https://other.example.com/v1",
    "envKey": "SENSENOVA_API_KEY",
    "defaultModel": "m",
}


def text(*providers: dict[str, Any]) -> str:
    """A `providers.json`."""
    return json.dumps({"providers": providers})


async def test_what_would_be_added_is_shown(site: AdminSite) -> None:
    """With the server's own key for a provider that is known, and nothing is stored."""
    answer = await site.ask("POST", "/providers/import/preview", {"text": text(SENSENOVA, {**OTHER, "id": "filed"})})
    assert answer.status == 200, answer.body
    sensenova, filed = answer.body["data"]
    assert sensenova["provider"]["api_keys"] == ["...7777"]
    assert sensenova["provider"]["models"] == [MODEL]
    assert sensenova["rewrites"]["system_policy"] == "merge_head"
    assert (sensenova["exists"], filed["exists"]) == (None, "configured")
    assert [entry.name for entry in site.services.providers.all] == ["filed"]


async def test_a_variable_goes_only_to_whom_its_key_is_for(site: AdminSite) -> None:
    """A file that names another address, or one without TLS, gets no key of the server's sent there."""
    plain = {**SENSENOVA, "baseUrl": "http://token.sensenova.cn/v1"}
    for provider in (OTHER, {**OTHER, "envKey": "HOME"}, plain):
        answer = await site.ask("POST", "/providers/import/preview", {"text": text(provider)})
        assert answer.body["data"][0]["provider"]["api_keys"] == []
        assert f"{provider['envKey']} is not set" in answer.body["warnings"][0]


async def test_what_is_named_is_added(fresh_site: AdminSite) -> None:
    """With the keys that are given; what is there already is a conflict unless it shall be replaced."""
    keys = {"other": ["sk-given-12345678"]}
    wish: dict[str, Any] = {"text": text(SENSENOVA, OTHER), "names": ["other"], "keys": keys}
    answer = await fresh_site.ask("POST", "/providers/import", wish)
    assert answer.status == 201, answer.body
    (added,) = answer.body["data"]
    assert (added["name"], added["api_keys"], added["source"]) == ("other", ["...5678"], "stored")
    assert [entry.name for entry in fresh_site.services.providers.all] == ["filed", "other"]
    assert (await fresh_site.ask("POST", "/providers/import", {**wish, "names": ["sensenova", "other"]})).status == 409
    assert [entry.name for entry in fresh_site.services.providers.all] == ["filed", "other"]
    again = {**wish, "keys": {"other": ["sk-another-87654321"]}, "replace": True}
    assert (await fresh_site.ask("POST", "/providers/import", again)).status == 201
    assert fresh_site.services.providers.find("other").provider.api_keys == ("sk-another-87654321",)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"text": "{"}, "not valid JSON"),
        ({"text": "[]"}, "should be an object"),
        ({"text": text({**OTHER, "baseUrl": "ftp://a"})}, "it must be like https://"),
        ({"text": "a: [", "format": "litellm"}, "not valid YAML"),
        ({"text": "{}", "format": "morse"}, "format"),
    ],
)
async def test_what_cannot_be_read_is_refused(site: AdminSite, wish: dict[str, Any], says: str) -> None:
    """With what is wrong with it."""
    answer = await site.ask("POST", "/providers/import/preview", wish)
    assert (answer.status, says in answer.body["error"]["message"]) == (400, True), answer.body


async def test_an_unknown_name_is_refused(site: AdminSite) -> None:
    """Nothing is added then."""
    answer = await site.ask("POST", "/providers/import", {"text": text(OTHER), "names": ["other", "nobody"]})
    assert (answer.status, answer.body["error"]["param"]) == (400, "names")
    assert [entry.name for entry in site.services.providers.all] == ["filed"]
