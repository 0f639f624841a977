"""Schemathesis asks everything that `/openapi.json` describes, of a real server in front of a scripted upstream.

Whatever it makes up, right or wrong, no answer has a status of 500 or more, but for the 501 that says what is not
implemented; and statuses, headers, media types and bodies are as described.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.schemathesis_hooks import MODEL
from tests.support.server import Server
from tests.upstreams.scripted import (
    DONE,
    Reply,
    Request,
    ScriptedUpstream,
    answer,
    completion,
    completion_events,
    stream,
)

EXAMPLES = os.environ.get("RIXIN_FUZZ_EXAMPLES", "3")
"""Random requests for each operation, besides those that follow from its schema."""
SEED = os.environ.get("RIXIN_FUZZ_SEED", "1")
"""Of the random ones, which are the same in every run unless it is set."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "missing_required_header",
    "use_after_free",
    "allow_header_conformance",
)
HOOKS = Path(__file__).parents[1] / "support" / "schemathesis_hooks.py"
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is none: providers that are made up on the way are not asked anything."""

pytestmark = pytest.mark.timeout(3600)


def reply(request: Request) -> Reply:
    """What an upstream says that can do everything."""
    if request.method == "GET":
        return answer(json.dumps({"object": "list", "data": [{"id": MODEL, "object": "model"}]}))
    body = request.json
    if request.path.endswith("/embeddings"):
        return answer(json.dumps(_embeddings(body["input"])))
    if body.get("stream"):
        return stream([*completion_events(), DONE])
    whole: dict[str, Any] = json.loads(completion())
    [choice] = whole["choices"]
    if "prompt" in body:
        choice = {"text": "Paris", "finish_reason": "stop"}
    choices = [{**choice, "index": index} for index in range(body.get("n") or 1)]
    return answer(json.dumps({**whole, "choices": choices}))


def _embeddings(inputs: str | list[Any]) -> dict[str, Any]:
    several = isinstance(inputs, list) and not isinstance(inputs[0], int)
    data = [
        {"object": "embedding", "index": index, "embedding": [0.5, 0.25]}
        for index in range(len(inputs) if several else 1)
    ]
    return {"object": "list", "model": MODEL, "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@pytest.mark.parametrize("part", ["wire", "admin"])
async def test_whatever_is_asked_is_answered_as_described(
    part: str, launch: Callable[..., Server], tmp_path: Path
) -> None:
    """The admin API has a server of its own: what is made there changes what others are answered."""
    environ = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "no_proxy": "127.0.0.1"}
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'hooks = "{HOOKS}"\n[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", 501]\n'
    )
    async with ScriptedUpstream(reply) as upstream:
        provider = f'[[providers]]\nname = "upstream"\nbase_url = "{upstream.url}"\napi_keys = ["sk-up"]\n'
        server = await asyncio.to_thread(launch, config=provider, env=environ)
        scopes = ("--scope", "inference", "--scope", "admin")
        made, _ = await _run(*server.cli("keys", "create", "fuzz", *scopes, "--json"), cwd=tmp_path)
        key = json.loads(made)["key"]
        told, code = await _run(
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{server.url}/openapi.json", "--header", f"Authorization: Bearer {key}"),
            *("--exclude-path-regex" if part == "wire" else "--include-path-regex", "^/admin/"),
            *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing,stateful", "--max-examples", EXAMPLES),
            *("--seed", SEED),
            *("--generation-with-security-parameters", "false", "--generation-database", "none"),
            *("--continue-on-failure", "--no-color", "--warnings", "off"),
            cwd=tmp_path,
        )
    assert code == 0, told[-20_000:]
    assert " passed" in told


async def _run(*command: str, cwd: Path) -> tuple[str, int]:
    """What a command prints, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return told.decode(), process.returncode
