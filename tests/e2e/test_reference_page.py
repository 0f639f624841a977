"""The description and the page that shows it, over HTTP, from a whole server."""

import re
import subprocess
import sys
from html.parser import HTMLParser

import aiohttp

from tests.support.server import Server


class _Links(HTMLParser):
    """Gathers what a page loads, and whether it holds script or style of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline = False
        self._script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Looks at what it loads."""
        given = dict(attrs)
        self._script = tag == "script"
        source = given.get("src") if tag == "script" else given.get("href") if tag == "link" else None
        if source is not None:
            self.loaded.append(source)
        self.inline = self.inline or tag == "style" or any(name.startswith("on") or name == "style" for name in given)

    def handle_data(self, data: str) -> None:
        """Text in a script is script."""
        self.inline = self.inline or (self._script and bool(data.strip()))


async def test_the_document_joins_both_halves(server: Server) -> None:
    """Anyone may have it; the admin API's own stays where it was."""
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{server.url}/openapi.json") as response:
            assert (response.status, response.content_type) == (200, "application/json")
            document = await response.json()
        async with client.get(f"{server.url}/admin/v1/openapi.json") as response:
            admin = await response.json()
    assert document["openapi"] == "3.1.0"
    assert {"/v1/chat/completions", "/openapi.json", "/docs", "/docs/{name}"} <= document["paths"].keys()
    assert admin["paths"].keys() <= document["paths"].keys()
    assert admin["components"]["schemas"].keys() <= document["components"]["schemas"].keys()


async def test_the_page_loads_only_from_here(server: Server) -> None:
    """Its policy lets it run nothing that is not a file of this server, and each file is there."""
    async with aiohttp.ClientSession() as client:
        for path in ("/docs", "/docs/"):
            async with client.get(f"{server.url}{path}") as response:
                assert (response.status, response.content_type) == (200, "text/html")
                policy, page = response.headers["content-security-policy"], await response.text()
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        links = _Links()
        links.feed(page)
        assert not links.inline
        assert len(links.loaded) == 4
        for source in links.loaded:
            assert re.fullmatch(r"/docs/[\w.-]+", source)
            async with client.get(f"{server.url}{source}") as response:
                assert response.status == 200
                assert response.headers["x-content-type-options"] == "nosniff"
                assert await response.read()
        for nowhere in ("/docs/..%2fhandlers.py", "/docs/handlers.py", "/docs/index.html/x"):
            async with client.get(f"{server.url}{nowhere}") as response:
                assert response.status == 404


def test_nobody_pays_who_does_not_ask() -> None:
    """A worker imports neither what makes the document nor FastAPI."""
    code = (
        "import sys, rixin.cli.worker; "
        "print([n for n in sys.modules if n.startswith(('fastapi', 'rixin.web.reference.document')) "
        "or n.endswith('.descriptions')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
