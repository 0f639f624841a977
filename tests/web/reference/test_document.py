"""The description of the API tells of every route, and of no other."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from rixin.settings import Server, Settings
from rixin.web.reference.document import SECURITY, join, wire_document
from rixin.web.reference.operations import DIALECTS
from rixin.web.routes import Access, Endpoint
from tests.support.web import Site, site


@pytest.fixture
async def served(tmp_path: Path):
    """An application with every route that there is."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as running:
        yield running


@pytest.fixture
def document(served: Site) -> dict[str, Any]:
    """What is told of its wire routes."""
    return json.loads(json.dumps(wire_document(served.app.endpoints)))


def _operations(document: dict[str, Any], endpoint: Endpoint) -> list[dict[str, Any]]:
    """What is told of an endpoint; a prefix may have several paths."""
    prefix = endpoint.path.endswith("/") and endpoint.path != "/"
    return [
        methods[endpoint.method.lower()]
        for path, methods in document["paths"].items()
        if (path.startswith(endpoint.path) if prefix else path == endpoint.path) and endpoint.method.lower() in methods
    ]


def test_every_mounted_route_is_described(served: Site, document: dict[str, Any]) -> None:
    """With what it takes, what it gives, what can go wrong, and who may ask."""
    for endpoint in served.app.endpoints:
        operations = _operations(document, endpoint)
        assert operations, f"{endpoint.method} {endpoint.path}"
        for operation in operations:
            assert operation["summary"]
            assert operation["tags"]
            statuses = {int(status) for status in operation["responses"]}
            if endpoint.access is Access.PUBLIC:
                assert operation["security"] == []
            else:
                assert {"bearer": []} in operation["security"]
                assert {401, 403} <= statuses
            assert min(statuses) < 400 or statuses & {405, 501}


def test_every_operation_of_a_dialect_takes_a_body(served: Site, document: dict[str, Any]) -> None:
    """Its struct's schema, whose required fields are the struct's."""
    routes = {
        (path, endpoint.dialect.name)
        for endpoint in served.app.endpoints
        if endpoint.dialect is not None
        for route in endpoint.dialect.routes
        for path in route.paths
    }
    for path, _ in routes:
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"]
    chat = document["components"]["schemas"]["openai_chat.ChatBody"]
    assert chat["required"] == ["model", "messages"]
    assert chat["properties"]["temperature"]["anyOf"] == [
        {"type": "number", "minimum": 0, "maximum": 2},
        {"type": "null"},
    ]


def test_errors_have_the_statuses_and_shapes_of_their_dialect(served: Site, document: dict[str, Any]) -> None:
    """They are told as the dialect renders them."""
    native = document["paths"]["/v1/llm/chat-completions"]["post"]["responses"]
    anthropic = document["paths"]["/v1/messages"]["post"]["responses"]
    assert "529" in anthropic
    assert "502" not in native
    assert "503" in native
    for responses, name in ((native, "sensenova_native"), (anthropic, "anthropic")):
        told = document["components"]["responses"][responses["400"]["$ref"].rpartition("/")[2]]
        schema = told["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{name}.ErrorBody"}


def test_a_route_that_nobody_describes_is_named(served: Site) -> None:
    """It cannot be left out by mistake."""

    async def answer(*_: object) -> None:
        """Never."""

    with pytest.raises(LookupError, match="GET /v1/unheard-of"):
        wire_document([*served.app.endpoints, Endpoint.public("/v1/unheard-of", answer)])


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    """No schema, answer or header is missing, and none is idle."""
    text = json.dumps(document)
    for kind in ("schemas", "responses", "headers"):
        used = set(re.findall(rf'"#/components/{kind}/([^"]+)"', text))
        assert used == set(document["components"][kind])


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    """Generators of clients name functions after them."""
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_joining_keeps_both_halves(document: dict[str, Any]) -> None:
    """Paths, schemas and ways to say who asks."""
    admin: dict[str, Any] = {
        "paths": {"/admin/v1/x": {"get": {}}},
        "components": {"schemas": {"X": {}}, "securitySchemes": {"cookie": {}, "bearer": {}}},
    }
    joined = json.loads(json.dumps(join(document, admin)))
    assert joined["paths"].keys() == document["paths"].keys() | {"/admin/v1/x"}
    assert "X" in joined["components"]["schemas"]
    assert joined["components"]["securitySchemes"].keys() == SECURITY.keys() | {"cookie"}
    assert joined["components"]["securitySchemes"]["bearer"] == SECURITY["bearer"]


def test_every_dialect_is_told_about(served: Site) -> None:
    """And every description belongs to a route."""
    dialects = {endpoint.dialect.name: endpoint.dialect for endpoint in served.app.endpoints if endpoint.dialect}
    assert dialects.keys() == DIALECTS.keys()
    firsts = {route.paths[0] for e in served.app.endpoints if e.dialect for route in e.dialect.routes}
    assert {path for description in DIALECTS.values() for path in description.routes} == firsts
