"""The unmodified Python SDK of the SenseNova V6 platform, with its variables pointed at Rixin."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.server import Server

QUESTION = '[{"role": "user", "content": "Say this is a test!"}]'


@pytest.fixture(scope="module")
def environ(server: Server) -> dict[str, str]:
    """What the SDK reads: an access key, and where the platform is."""
    command = server.cli("keys", "create", "sdk", "--access-key", "--json")
    made = json.loads(subprocess.run(command, env=server.environ, capture_output=True, check=True, timeout=60).stdout)
    return os.environ | {
        "SENSENOVA_ACCESS_KEY_ID": made["access_key_id"],
        "SENSENOVA_SECRET_ACCESS_KEY": made["secret_access_key"],
        "SENSENOVA_API_BASE": f"{server.url}/v1",
        "SENSENOVA_API_BASE_FILE": f"{server.url}/v1",
    }


def run(environ: dict[str, str], call: str) -> Any:
    """What a call of the SDK gives, in a process of its own; an error by the name of its class and its words."""
    program = (
        "import json, sensenova\n"
        f"try:\n    result = {call}\n"
        "    print(json.dumps(result if hasattr(result, 'keys') else list(result)))\n"
        "except sensenova.error.SensenovaError as error:\n"
        "    print(json.dumps([type(error).__name__, error.http_status, str(error)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_chats_are_answered(environ: dict[str, str]) -> None:
    """Whole, and streamed to the end."""
    call = f"sensenova.ChatCompletion.create(model='SenseNova-V6-Pro', messages={QUESTION}, max_new_tokens=20"
    assert run(environ, f"{call})")["data"]["choices"][0]["message"]
    chunks = run(environ, f"{call}, stream=True)")
    assert "".join(chunk["data"]["choices"][0]["delta"] for chunk in chunks)
    assert chunks[-1]["data"]["choices"][0]["finish_reason"] in ("stop", "length")


def test_prompts_are_continued(environ: dict[str, str]) -> None:
    """Whole, and streamed."""
    call = "sensenova.Completion.create(model='local', prompt='Once upon a time', max_new_tokens=5"
    assert run(environ, f"{call})")["data"]["choices"][0]["text"]
    assert "".join(chunk["data"]["choices"][0]["delta"] for chunk in run(environ, f"{call}, stream=True)"))


def test_models_are_listed(environ: dict[str, str]) -> None:
    """All of them, and one."""
    assert "SenseNova-V6-Turbo" in [model["id"] for model in run(environ, "sensenova.Model.list()")["data"]]
    assert run(environ, "sensenova.Model.retrieve(id='SenseNova-V6-Pro')")["object"] == "MODEL"


@pytest.mark.parametrize(
    ("call", "error", "status"),
    [
        (f"sensenova.ChatCompletion.create(model='nope', messages={QUESTION})", "InvalidRequestError", 404),
        (f"sensenova.ChatCompletion.create(model='local', messages={QUESTION}, top_p=1)", "InvalidRequestError", 400),
        ("sensenova.FineTune.list()", "APIError", 501),
        ("sensenova.Model.list(secret_access_key='the secret of somebody else')", "AuthenticationError", 401),
    ],
)
def test_errors_are_the_sdks_own(environ: dict[str, str], call: str, error: str, status: int) -> None:
    """Each has the class that the SDK makes of the platform's status."""
    assert run(environ, call)[:2] == [error, status]
