"""The page about the API: its commands run, and it tells of every route."""

import json

from rixin.cli.provider_rules import DIALECTS
from rixin.core.codings import CODINGS
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server

PAGE = DOCS / "api.md"


def test_the_commands(server: Server) -> None:
    """The API describes itself, a compressed request is answered, a prompt counted, and Google's dialect spoken."""
    environ = server.environ | {"RIXIN_API_KEY": server.key}
    described, *answers = (run(block, server.url, environ).stdout for block in blocks(PAGE, "sh"))
    compressed, counted, googles = map(json.loads, answers)
    assert int(described.split()[0]) > 60
    assert compressed["type"] == "message"
    assert (
        compressed["usage"]["input_tokens"] + compressed["usage"]["cache_read_input_tokens"] == counted["input_tokens"]
    )
    assert googles["candidates"][0]["content"]["parts"][0]["text"]


def test_every_route_and_coding_is_told() -> None:
    """Of the dialects that have no page of their own."""
    page = PAGE.read_text(encoding="utf-8")
    for dialect in DIALECTS.values():
        assert f"`{dialect.name}`" in page
        if dialect.name != "sensenova_native":
            assert all(
                any(f"`{path}`" in page or f" {path}`" in page for path in route.paths) for route in dialect.routes
            )
    assert all(f"`{name}`" in page for name in CODINGS if not name.startswith("x-"))
