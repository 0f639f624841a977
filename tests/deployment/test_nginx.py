"""What nginx, as we set it up, tells the servers behind it."""

import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.support.nginx import nginx
from tests.upstreams.scripted import ScriptedUpstream, answer


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files"])
async def test_a_client_cannot_say_where_it_is(path: str, tmp_path: Path, program: Callable[[str], str]) -> None:
    """Its own `x-forwarded-for` reaches no server: what servers believe is the address that nginx heard it from."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with ScriptedUpstream(lambda _: answer("{}")) as upstream:
        with nginx(program("nginx"), [upstream.url, upstream.url], port, tmp_path) as url:
            forged = {"x-forwarded-for": "203.0.113.9"}
            async with (
                aiohttp.ClientSession(headers=forged) as client,
                client.post(url + path, data=b"{}") as response,
            ):
                assert response.status == 200
    [request] = upstream.requests
    assert request.headers["x-forwarded-for"] == "127.0.0.1"
