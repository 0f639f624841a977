"""The list of models over HTTP, in the shape that its client knows."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from rixin.settings import Server, Settings
from tests.support.web import Site, site

ANTHROPIC = {"anthropic-version": "2023-06-01"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application with the models `m` and `secret-m`."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as running:
        yield running


async def get(served: Site, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and body of an answer."""
    sent = {"x-api-key": served.key, **(headers or {})}
    async with served.client.get(served.url + path, headers=sent) as response:
        return response.status, await response.json()


async def test_a17_models_are_listed_in_the_clients_shape(served: Site) -> None:
    """OpenAI's, unless the client sends Anthropic's header."""
    status, body = await get(served, "/v1/models")
    assert (status, body["object"], body["data"][0]["object"]) == (200, "list", "model")
    status, body = await get(served, "/v1/models?limit=1", ANTHROPIC)
    assert (status, body["has_more"], body["first_id"]) == (200, True, body["last_id"])
    assert (body["data"][0]["type"], body["data"][0]["display_name"]) == ("model", body["first_id"])


@pytest.mark.parametrize("headers", [{}, ANTHROPIC])
async def test_a17_below_its_own_prefix_the_shape_is_anthropics(served: Site, headers: dict[str, str]) -> None:
    """Whatever the headers say."""
    status, body = await get(served, "/anthropic/v1/models/m", headers)
    assert (status, body["type"], body["id"]) == (200, "model", "m")


async def test_one_model_is_shown_in_the_clients_shape(served: Site) -> None:
    """And so is the error where there is none."""
    assert (await get(served, "/v1/models/m"))[1]["object"] == "model"
    assert (await get(served, "/v1/models/m", ANTHROPIC))[1]["type"] == "model"
    status, body = await get(served, "/v1/models/n", ANTHROPIC)
    assert (status, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")
    status, body = await get(served, "/v1/models/n")
    assert (status, body["error"]["code"]) == (404, "5")


async def test_a_page_that_cannot_be_is_refused(served: Site) -> None:
    """In Anthropic's envelope, naming the parameter; a client of OpenAI's shape has no pages."""
    status, body = await get(served, "/v1/models?limit=0", ANTHROPIC)
    assert (status, "limit" in body["error"]["message"]) == (400, True)
    assert (await get(served, "/v1/models?limit=0"))[0] == 200
