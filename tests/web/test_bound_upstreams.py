"""Where a provider's key goes: to its provider, whatever a client says. M8 of the security checklist."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base import ListedModel
from rixin.engines.remote import Remote
from rixin.limits.process import ProcessLimiter
from rixin.routing.catalog import Catalog
from rixin.routing.router import Router
from rixin.settings import Provider, Server, Settings
from rixin.store.database import Database
from tests.support.web import Site, site
from tests.upstreams.scripted import Reply, Request, ScriptedUpstream, answer, completion

KEY = "sk-of-the-provider"
THIEF = "http://THIEF/v1"
"""Stands for the address of a server that must not be reached."""


HEADERS = {
    *("host", "authorization", "x-own", "content-type", "content-length", "accept", "accept-encoding", "user-agent"),
    *("connection", "traceparent"),
}
"""All that an upstream is told."""


class Served(Struct, frozen=True):
    """An application, its upstream, and somebody who would like to have its key."""

    site: Site
    upstream: ScriptedUpstream
    thief: ScriptedUpstream


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served, None]:
    """The application over HTTP on both sides."""
    async with AsyncExitStack() as stack:
        thief = await stack.enter_async_context(ScriptedUpstream(answer(completion(model="stolen"))))

        def reply(request: Request) -> Reply:
            if request.json["messages"][0]["content"] == "go elsewhere":
                return answer(b"", status=307, location=f"{thief.url}/chat/completions")
            return answer(completion(model="m"))

        upstream = await stack.enter_async_context(ScriptedUpstream(reply))

        def wire(_database: Database, catalog: Catalog) -> Router:
            provider = Provider(name="up", base_url=upstream.url, api_keys=(KEY,), headers={"x-own": "ours"}, retries=0)
            engine = Remote.connect(provider, DIALECT, {})
            stack.push_async_callback(engine.aclose)
            catalog.set_provider_models("scripted", [])
            catalog.set_provider_models("up", [ListedModel(name="m")])
            clock = SystemClock()
            return Router({"up": engine}, providers=[provider], limiter=ProcessLimiter(clock), clock=clock)

        running = await stack.enter_async_context(site(tmp_path, Settings(server=Server(data_dir=tmp_path)), wire))
        yield Served(running, upstream, thief)


WISHES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "M8 api_base": ({"api_base": THIEF}, {}),
    "M8 base_url": ({"base_url": THIEF}, {}),
    "M8 api_base and api_key": ({"api_base": THIEF, "api_key": "sk-mine"}, {}),
    "M8 litellm_params": ({"litellm_params": {"api_base": THIEF}}, {}),
    "M8 extra_headers": ({"extra_headers": {"authorization": "Bearer sk-mine", "host": "THIEF"}}, {}),
    "M8 metadata": ({"metadata": {"base_url": THIEF, "headers": '{"x-own": "mine"}'}}, {}),
    "M8 Host": ({}, {"host": "THIEF"}),
    "M8 X-Forwarded-Host": ({}, {"x-forwarded-host": "THIEF", "forwarded": "host=THIEF"}),
    "M8 header of an upstream's address": ({}, {"x-base-url": THIEF, "helicone-target-url": THIEF}),
    "M8 header of the provider's own": ({}, {"x-own": "mine"}),
    "M8 headers of other platforms": ({}, {"openai-organization": "mine", "openai-project": "mine"}),
    "M8 cookies": ({}, {"cookie": "session=mine"}),
    "M8 proxies": ({}, {"proxy-authorization": "Basic bWluZQ==", "via": "1.1 THIEF"}),
}


@pytest.mark.parametrize(("fields", "headers"), WISHES.values(), ids=WISHES.keys())
async def test_m8_a_client_changes_neither_where_a_request_goes_nor_its_headers(
    served: Served, fields: dict[str, Any], headers: dict[str, str]
):
    """The upstream is asked, at its own address, with the provider's key and headers and none of the client's."""
    address = served.thief.url.removeprefix("http://").removesuffix("/v1")
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **_named(fields, address)}
    url, key = f"{served.site.url}/v1/chat/completions", {"authorization": f"Bearer {served.site.key}"}
    async with served.site.client.post(url, json=body, headers=_named(headers, address) | key) as response:
        assert response.status == 200
        assert (await response.json())["model"] == "m"
    assert not served.thief.connections
    (request,) = served.upstream.requests
    assert request.headers["host"] == served.upstream.url.removeprefix("http://").removesuffix("/v1")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["x-own"] == "ours"
    assert request.headers.keys() <= HEADERS


async def test_m8_a_model_is_no_address(served: Served):
    """One that looks like it is not there."""
    for model in (served.thief.url, f"{served.thief.url}/m", f"up/{served.thief.url}"):
        async with served.site.post(model=model) as response:
            assert response.status == 404
    assert not served.thief.connections
    assert not served.upstream.requests


async def test_m8_a_key_does_not_follow_a_redirect(served: Served):
    """What an upstream says of another place is an error, and nobody goes there."""
    async with served.site.post(model="m", messages=[{"role": "user", "content": "go elsewhere"}]) as response:
        assert response.status == 502
    assert not served.thief.connections


def _named(wish: dict[str, Any], address: str) -> dict[str, Any]:
    """A wish with the address that it is about."""
    return json.loads(json.dumps(wish).replace("THIEF", address))
