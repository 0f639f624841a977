"""Secrets of a running server, looked for wherever they must not be."""

import json
from pathlib import Path

import aiohttp

from tests.cli.program import ended, rixin, serving, until
from tests.support.clients import CHAT, MESSAGES, RESPONSES
from tests.upstreams.scripted import DONE, Reply, Request, ScriptedUpstream, answer, completion_events, stream

PROVIDER_KEY = "canary-of-the-provider-1f6a"
PROXY_PASSWORD = "canary-of-the-proxy-77c0"
HEADER = "canary-of-a-header-b2d9"
CANARIES = (PROVIDER_KEY, PROXY_PASSWORD, HEADER)
CONFIG = f"""
[server]
keep_bodies = "all"

[[providers]]
name = "p"
base_url = "http://upstream.example/v1"
models = ["m"]
retries = 0
api_keys = ["{PROVIDER_KEY}"]
headers = {{ x-team = "{HEADER}" }}
"""


def echoing(request: Request) -> Reply:
    """An upstream that repeats every secret that it was sent in its errors, and answers only who asks kindly."""
    if b"please" in request.body:
        return stream([*completion_events(), DONE])
    repeated = " ".join(f"{name} {value.removeprefix('Bearer ')}" for name, value in request.headers.items())
    return answer(json.dumps({"error": {"message": f"Bad request with {repeated}", "code": "odd"}}), status=400)


async def test_o4_no_secret_is_where_others_read(data_dir: Path, tmp_path: Path) -> None:
    """Not in the log at its most talkative, in what clients are told, in any file, on the screen, or in the admin API.

    The upstream does its best: its errors hold all that it was sent, the proxy's password included.
    """
    config = tmp_path / "rixin.toml"
    config.write_text(CONFIG)
    said: list[str] = []
    async with ScriptedUpstream(echoing) as proxy:
        through = proxy.url.removesuffix("/v1").replace("://", f"://ann:{PROXY_PASSWORD}@")
        async with serving(data_dir, "--json", LOG_LEVEL="debug", HTTP_PROXY=through, no_proxy="") as process:
            url = json.loads(await until(process, "listening"))["url"]
            first_key = (data_dir / "first-key").read_text().strip()
            headers = {"authorization": f"Bearer {first_key}"}
            async with aiohttp.ClientSession(headers=headers) as client:
                for words in ("Hi", "please"):
                    for path in (CHAT, MESSAGES, RESPONSES):
                        body = {"model": "m", "stream": True, "max_tokens": 5}
                        body |= (
                            {"input": words}
                            if path == RESPONSES
                            else {"messages": [{"role": "user", "content": words}]}
                        )
                        async with client.post(url + path, json=body) as response:
                            assert response.status == (200 if words == "please" else 400)
                            said.append(await response.text())
                async with client.get(
                    f"{url}/v1/models", headers={"authorization": "Bearer sk-rx-wrong-1234567890"}
                ) as refused:
                    said.append(await refused.text())
                async with client.get(f"{url}/admin/v1/requests") as listed:
                    rows = (await listed.json())["data"]
                assert len(rows) >= 6
                for path in ("providers", "status", *(f"requests/{row['id']}" for row in rows)):
                    async with client.get(f"{url}/admin/v1/{path}") as shown:
                        assert shown.status == 200
                        said.append(await shown.text())
            said.append((await rixin("config", "show", data_dir=data_dir)).out)
            code, log = await ended(process)
        assert code == 0
        asked = proxy.posted
        assert {request.headers["authorization"] for request in asked} == {f"Bearer {PROVIDER_KEY}"}
        assert {request.headers["x-team"] for request in asked} == {HEADER}
        assert all("proxy-authorization" in request.headers for request in asked)
    said += [*log, *(path.read_bytes().decode("latin-1") for path in data_dir.rglob("*") if path.is_file())]
    for canary in CANARIES:
        assert [text for text in said if canary in text] == [], canary
    assert [text for text in said if first_key in text and text.strip() != first_key] == []
