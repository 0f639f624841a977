"""Every command of the page about the doctor, executed before a running server over a strict upstream."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.cli.program import environment, serving, until
from tests.profiles.strict_upstream import Rules
from tests.support.pages import DOCS, blocks, run
from tests.upstreams.strict import StrictUpstream

MODEL = "sensenova-6.7-flash-lite"
REQUEST = "0190a7d2-5f3c-7b1e-9c00-2b6f8e4d1a77"
CONFIG = '[server]\nkeep_bodies = "errors"\n\n[[providers]]\nname = "sensenova"\nbase_url = "{url}"\n'

pytestmark = pytest.mark.timeout(300)


async def refused(url: str, key: str) -> str:
    """A request that nothing can mend; its id."""
    body = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "stop": ["x"], "temperature": 0.5}
    headers = {"authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{url}/v1/chat/completions", json=body, headers=headers) as response,
    ):
        assert response.status == 400
        return response.headers["x-request-id"]


async def test_the_page_from_its_top_to_its_end(tmp_path: Path, program: Callable[[str], str]) -> None:
    """Examinations by the command and by the server, and a request that is explained, without and with asking again."""
    for name in ("bash", "curl"):
        program(name)
    data_dir = tmp_path / "data"
    rules = Rules(refused=frozenset({"seed", "stop"}), several_systems=True)
    async with StrictUpstream({MODEL: rules}) as upstream:
        (tmp_path / "rixin.toml").write_text(CONFIG.format(url=upstream.url), encoding="utf-8")
        async with serving(data_dir, "--json") as process:
            url = json.loads(await until(process, "listening"))["url"]
            key = (data_dir / "first-key").read_text().strip()
            request_id = await refused(url, key)
            commands = "\n".join(blocks(DOCS / "doctor.md", "sh")).replace(REQUEST, request_id)
            environ = environment(data_dir, {"RIXIN_API_KEY": key})
            done = await asyncio.to_thread(run, commands, url, environ, cwd=tmp_path)
    for text in (
        " NO  several system messages",
        f"sensenova/{MODEL}, preset generic",
        "[[providers.overrides]]",
        '"differences":[{',
        "event: finding\ndata: {",
        "event: report\ndata: {",
        f"sensenova/{MODEL} refused it with status 400 (invalid_request)",
        "culprit: stop, found by",
        "stop is what the client asked for, and is never left out.",
    ):
        assert text in done.stdout, text
