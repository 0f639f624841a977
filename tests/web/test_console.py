"""The console's files over HTTP: the page, what it loads, and a server that has none."""

import gzip
import re
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from rixin.cli.worker import http_server
from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.settings import Server
from rixin.web.app import App
from rixin.web.console import ConsoleHandler
from rixin.web.console_files import HOW_TO_BUILD
from rixin.web.routes import Endpoint, RouteTable

PAGE = '<!doctype html><meta name="csp-nonce" content="__CSP_NONCE__">'
SCRIPT = "export const answer = 42\n" * 100


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A console as its build leaves one."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    (tmp_path / "assets" / "app-1a2b.js").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "assets" / "app-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "assets" / "app-1a2b.map").write_text("{}", encoding="utf-8")
    return tmp_path


@asynccontextmanager
async def site(folder: Path) -> AsyncGenerator[aiohttp.ClientSession]:
    """A client of a server with the console of a folder."""
    handler = ConsoleHandler(folder)
    routes = RouteTable(Endpoint.public(path, handler) for path in ("/console", "/console/"))
    settings = Server()
    app = App(routes, spoken=lambda _: DIALECT, keys=None, settings=settings, clock=SystemClock())
    listener = socket.create_server(("127.0.0.1", 0))
    server = http_server(app, settings)
    await server.start([listener])
    try:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with aiohttp.ClientSession(url, auto_decompress=False, headers={"accept-encoding": "identity"}) as client:
            yield client
    finally:
        await server.aclose(5)


async def test_every_page_has_a_nonce_of_its_own(folder: Path) -> None:
    """The page and its policy hold the same one, and no page is kept by a cache."""
    seen: set[str] = set()
    async with site(folder) as client:
        for path in ("/console/", "/console/keys", "/console/no/such/page"):
            async with client.get(path) as response:
                assert (response.status, response.content_type) == (200, "text/html")
                assert response.headers["cache-control"] == "no-store"
                policy, text = response.headers["content-security-policy"], await response.text()
            found = re.search(r'content="([\w-]{20,})"', text)
            assert found is not None
            assert f"style-src 'self' 'nonce-{found[1]}';" in policy
            assert "unsafe" not in policy
            seen.add(found[1])
    assert len(seen) == 3


async def test_assets_are_kept_for_a_year(folder: Path) -> None:
    """Their names change with their content; a file whose name does not is asked for again."""
    async with site(folder) as client:
        async with client.get("/console/assets/app-1a2b.js") as response:
            assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert response.content_type == "text/javascript"
            assert await response.text() == SCRIPT
        async with client.get("/console/favicon.svg") as response:
            assert response.headers["cache-control"] == "no-cache"
            assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accepted", "coding"), [("br, gzip", "gzip"), ("gzip;q=0", None), ("identity", None), ("GZIP;q=0.5", "gzip")]
)
async def test_a_coding_that_the_client_takes(folder: Path, accepted: str, coding: str | None) -> None:
    """Of those that were built."""
    headers = {"accept-encoding": accepted}
    async with site(folder) as client, client.get("/console/assets/app-1a2b.js", headers=headers) as response:
        body = await response.read()
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "accept-encoding"
    assert (gzip.decompress(body) if coding else body).decode() == SCRIPT


async def test_head_tells_what_get_would(folder: Path) -> None:
    """But for the body."""
    async with site(folder) as client, client.head("/console/") as response:
        assert response.status == 200
        assert int(response.headers["content-length"]) > len(PAGE)
        assert await response.read() == b""


async def test_the_bare_path_leads_to_the_page(folder: Path) -> None:
    """So that what the page loads is found relative to it."""
    async with site(folder) as client, client.get("/console", allow_redirects=False) as response:
        assert (response.status, response.headers["location"]) == (308, "/console/")


@pytest.mark.parametrize("path", ["assets/none.js", "assets/app-1a2b.map", "assets/..%2findex.html"])
async def test_an_asset_that_is_not_there(folder: Path, path: str) -> None:
    """Is a 404 and never the page, which a browser would take for a script."""
    async with site(folder) as client, client.get(f"/console/{path}") as response:
        found = await response.text()
    assert response.status == 404
    assert "csp-nonce" not in found


async def test_nothing_outside_the_folder_is_served(folder: Path) -> None:
    """However the path is written."""
    (folder.parent / "secret.html").write_text("the secret", encoding="utf-8")
    async with site(folder) as client:
        for path in (
            "/console/%2e%2e/secret.html",
            "/console/..%2fsecret.html",
            "/console/assets/..%5c..%5csecret.html",
        ):
            async with client.get(path) as response:
                assert "the secret" not in await response.text()


async def test_a_checkout_without_a_build_says_how_to_build(tmp_path: Path) -> None:
    """And shows the console once it is there, without a restart."""
    async with site(tmp_path) as client:
        async with client.get("/console/") as response:
            assert response.status == 404
            assert (await response.text()).strip() == HOW_TO_BUILD
        (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
        async with client.get("/console/") as response:
            assert response.status == 200
