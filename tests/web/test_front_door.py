"""What `/` answers to browsers, and to everybody else."""

from collections.abc import MutableMapping
from typing import Any

import msgspec
import pytest

from rixin.clock import SystemClock
from rixin.dialects.openai_chat import DIALECT
from rixin.settings import Server
from rixin.web.app import App
from rixin.web.front_door import FrontDoor
from rixin.web.routes import Endpoint, RouteTable

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


async def ask(accept: str | None, *, built: bool = True, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What a server answers at `/`: status, headers and body."""
    routes = RouteTable([Endpoint.public("/", FrontDoor(lambda: built))])
    app = App(routes, spoken=lambda _: DIALECT, keys=None, settings=Server(), clock=SystemClock())
    told: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    headers = [(b"host", b"127.0.0.1"), *([] if accept is None else [(b"accept", accept.encode())])]
    scope = {"type": "http", "method": method, "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
    await app({**scope, "client": ("127.0.0.1", 1), "scheme": "http", "http_version": "1.1"}, receive, send)
    named = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], named, b"".join(message.get("body", b"") for message in told[1:])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_browsers_are_led_to_the_console(method: str) -> None:
    """And no cache gives that answer to others."""
    status, headers, body = await ask(BROWSER, method=method)
    assert (status, headers["location"], body) == (303, "/console/", b"")
    assert (headers["vary"], headers["cache-control"]) == ("accept", "no-store")


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/*", "text/html;q=0, */*"])
async def test_everybody_else_is_told_that_the_server_lives(accept: str | None) -> None:
    """Programs that take anything among them."""
    status, headers, body = await ask(accept)
    assert (status, headers["content-type"], headers["vary"]) == (200, "application/json", "accept")
    assert msgspec.json.decode(body)["status"] == "ok"


async def test_without_a_console_nobody_is_led_there() -> None:
    """A browser sees that the server lives."""
    status, _, body = await ask(BROWSER, built=False)
    assert (status, msgspec.json.decode(body)["status"]) == (200, "ok")
