"""The unmodified Python SDK of the SenseNova V6 platform, in a process of its own for each call."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.support.server import Server


def variables(server: Server, name: str) -> dict[str, str]:
    """What the SDK reads: a new access key of this name, and where the platform is."""
    command = server.cli("keys", "create", name, "--access-key", "--json")
    made = json.loads(subprocess.run(command, env=server.environ, capture_output=True, check=True, timeout=60).stdout)
    return os.environ | {
        "SENSENOVA_ACCESS_KEY_ID": made["access_key_id"],
        "SENSENOVA_SECRET_ACCESS_KEY": made["secret_access_key"],
        "SENSENOVA_API_BASE": f"{server.url}/v1",
        "SENSENOVA_API_BASE_FILE": f"{server.url}/v1",
    }


def call(environ: dict[str, str], expression: str) -> Any:
    """What a call of the SDK gives; an error by the name of its class, its status and its words."""
    program = (
        "import json, sensenova\n"
        f"try:\n    result = {expression}\n"
        "    print(json.dumps(result if hasattr(result, 'keys') else list(result)))\n"
        "except sensenova.error.SensenovaError as error:\n"
        "    print(json.dumps([type(error).__name__, error.http_status, str(error)]))\n"
    )
    return run_program(program, environ)


def run_program(program: str, environ: dict[str, str]) -> Any:
    """What a program of the SDK's prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environ, capture_output=True, text=True, timeout=110
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
