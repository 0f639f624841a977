"""Routes, credentials and health over HTTP."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rixin.errors import Kind, RixinError
from rixin.settings import Server, Settings
from rixin.web.routes import Access
from tests.support.web import Site, site
from tests.web.test_generate import ANSWER


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application whose engine answers."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as running:
        running.engine.script = ANSWER
        yield running


async def test_health_asks_for_no_key(served: Site) -> None:
    """Anyone may ask whether the server lives."""
    async with served.client.get(f"{served.url}/health") as response:
        assert response.status == 200
        assert (await response.json())["status"] == "ok"
    async with served.client.head(f"{served.url}/health") as response:
        assert response.status == 200


async def test_readiness_tells_what_is_in_the_way(served: Site) -> None:
    """503 with the reason and when to ask again, until requests can be served."""
    async with served.client.get(f"{served.url}/readyz") as response:
        assert response.status == 200
    served.obstacle.append(RixinError(Kind.STARTING, "The model is pulling (40%).", retry_after=2.2))
    async with served.client.get(f"{served.url}/readyz") as response:
        assert (response.status, response.headers["retry-after"]) == (503, "3")
        assert "40%" in (await response.json())["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": "Bearer sk-rx-wrong"}, 401),
        ({"x-api-key": "sk-rx-wrong"}, 401),
        ({"authorization": "Basic abc"}, 401),
        ({"authorization": "Bearer KEY"}, 200),
        ({"x-api-key": "KEY"}, 200),
        ({"authorization": "Bearer KEY", "x-api-key": "KEY"}, 200),
        ({"authorization": "Bearer KEY", "x-api-key": "sk-rx-other"}, 401),
    ],
)
async def test_credentials(served: Site, headers: dict[str, str], status: int) -> None:
    """Either header will do, both if they agree; everything else is 401 in the platform's envelope."""
    sent = {name: value.replace("KEY", served.key) for name, value in headers.items()}
    async with served.client.get(f"{served.url}/v1/models", headers=sent) as response:
        assert response.status == status
        body = await response.json()
    if status == 401:
        assert (body["error"]["type"], body["error"]["code"]) == ("authentication_error", "16")
        assert response.headers["www-authenticate"] == "Bearer"


async def test_one_header_holds_one_credential(served: Site) -> None:
    """Two keys under one name are refused, whichever of them is good; the same key twice is one."""
    url = f"{served.url}/v1/models"
    for second, status in (("sk-rx-other", 401), (served.key, 200)):
        headers = [("x-api-key", served.key), ("x-api-key", second)]
        async with served.client.get(url, headers=headers) as response:
            assert response.status == status


async def test_a_disabled_key_stops(served: Site) -> None:
    """Disabling takes effect with the next request."""
    [key] = await served.keys.list()
    async with served.post() as response:
        assert response.status == 200
    await served.keys.disable(key.id)
    async with served.post() as response:
        assert response.status == 401


async def test_a_key_reaches_only_its_models(served: Site) -> None:
    """A model outside the scope is forbidden, and is not listed."""
    created = await served.keys.create("narrow", scopes=("inference",), models=("m",), plan=None, expires_at=None)
    async with served.post(key=created.key, model="secret-m") as response:
        error = (await response.json())["error"]
    assert (response.status, error["code"]) == (403, "7")
    assert error["message"] == "model is not available in the current token plan"
    headers = {"x-api-key": created.key}
    async with served.client.get(f"{served.url}/v1/models", headers=headers) as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["m"]
    async with served.client.get(f"{served.url}/v1/models/secret-m", headers=headers) as response:
        assert response.status == 403


async def test_a_key_without_the_scope_is_refused(served: Site) -> None:
    """A key for metrics only does not generate."""
    created = await served.keys.create("metrics", scopes=("metrics",), models=(), plan=None, expires_at=None)
    async with served.post(key=created.key) as response:
        assert response.status == 403


async def test_k9_an_unknown_model_names_the_nearest(served: Site) -> None:
    """404 in the platform's envelope."""
    async with served.post(model="n") as response:
        error = (await response.json())["error"]
    assert (response.status, error["type"], error["code"]) == (404, "not_found_error", "5")
    assert "model is not found" in error["message"]
    assert " m" in error["message"]


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api/hello",
        "/props",
        "/version",
        "/api/v1/models",
        "/v1",
        "/api/tags",
        "/v1/chat/completions/x",
        "/V1/models",
    ],
)
async def test_unknown_paths_are_json(served: Site, path: str) -> None:
    """A probe gets a JSON 404, never a page."""
    async with served.client.get(served.url + path, headers={"x-api-key": served.key}) as response:
        assert response.status == 404
        assert (await response.json())["error"]["type"] == "not_found_error"


async def test_a_wrong_method_names_the_right_one(served: Site) -> None:
    """405, and what the path takes."""
    async with served.client.get(f"{served.url}/v1/chat/completions", headers={"x-api-key": served.key}) as response:
        assert response.status == 405
        assert "POST" in (await response.json())["error"]["message"]
        assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1/v1/models", "/v1/models/", "/compatible-mode/v2/models"])
async def test_common_slips_in_a_path_are_forgiven(served: Site, path: str) -> None:
    """A doubled `/v1` or a trailing slash leads where it was meant to."""
    async with served.client.get(served.url + path, headers={"x-api-key": served.key}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("headers", "path"),
    [
        ({"host": "x/health?"}, "/v1/models"),
        ({"x-forwarded-for": "127.0.0.1", "x-original-url": "/health"}, "/v1/models"),
        ({"x-http-method-override": "OPTIONS"}, "/v1/models"),
        ({}, "//v1/models"),
        ({}, "/health/../v1/models"),
        ({}, "/v1/models%2f"),
    ],
)
async def test_nothing_but_a_key_opens_a_route(served: Site, headers: dict[str, str], path: str) -> None:
    """Hostile headers and paths do not turn a private route into a public one."""
    async with served.client.get(served.url + path, headers=headers) as response:
        assert response.status in {400, 401, 404}


async def test_browsers_may_ask_first(served: Site) -> None:
    """A preflight needs no key, and answers only for pages that may call."""
    url = f"{served.url}/v1/chat/completions"
    asked = {"origin": "http://localhost:3000", "access-control-request-headers": "authorization,x-stainless-os"}
    async with served.client.options(url, headers=asked) as response:
        assert response.status == 204
        assert response.headers["access-control-allow-headers"] == "authorization, x-stainless-os"
        assert response.headers["access-control-allow-origin"] == "http://localhost:3000"
        assert response.headers["access-control-allow-methods"] == "POST"
    async with served.client.options(url, headers={"origin": "https://evil.example"}) as response:
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8700"}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "evil.example"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
async def test_o3_a_server_without_keys_serves_no_foreign_page(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    """A page that gets a browser on this machine to call is told apart by its host or its origin."""
    settings = Settings(server=Server(data_dir=tmp_path, auth="off"))
    async with (
        site(tmp_path, settings) as served,
        served.client.get(f"{served.url}/v1/models", headers=headers) as told,
    ):
        assert told.status == status


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/health", 200), ("/api/hello", 404), ("/v1/models", 200)])
async def test_t12_probes_by_head_are_answered_without_a_body(served: Site, path: str, status: int) -> None:
    """As agents ask whether anybody is there; a client that reads on would take a body for the next answer."""
    async with served.client.head(served.url + path, headers={"x-api-key": served.key}) as response:
        assert response.status == status
        assert response.headers["content-type"] == "application/json"
        assert await response.read() == b""


async def test_a_path_that_is_nobodys_is_told_in_the_clients_words(served: Site) -> None:
    """Whoever sends Anthropic's header reads Anthropic's envelope."""
    async with served.client.get(f"{served.url}/v1/nothing", headers={"anthropic-version": "2023-06-01"}) as response:
        body = await response.json()
    assert (response.status, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")


async def test_every_route_says_who_may_use_it(served: Site) -> None:
    """Without a credential, all but the public routes are 401."""

    for endpoint in served.app.endpoints:
        path = endpoint.path + ("something" if endpoint.path.endswith("/") and endpoint.path != "/" else "")
        async with served.client.request(endpoint.method, served.url + path) as response:
            assert (response.status != 401) is (endpoint.access is Access.PUBLIC), endpoint.path
