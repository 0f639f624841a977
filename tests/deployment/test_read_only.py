"""What a container gives a server: a user without rights, and no place to write but its data and what is temporary."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.support.server import ROOT, start

NOBODY = "10001"
SCRIPT = """\
set -euo pipefail
mount -t tmpfs none /mnt
install --directory --owner="$1" --mode=0700 /mnt/data /mnt/run
mount -o remount,bind,ro /
cd /mnt/data
export HOME=/nonexistent XDG_RUNTIME_DIR=/mnt/run TMPDIR=/mnt/run PYTHONDONTWRITEBYTECODE=1
setpriv --reuid "$1" --regid "$1" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
    bash -c '! touch /opt/written 2>/dev/null'
exec setpriv --reuid "$1" --regid "$1" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \\
    "$2" -m rixin "${@:3}" --data-dir /mnt/data
"""
"""Arguments: the user, the Python, and what follows `rixin`."""

pytestmark = pytest.mark.timeout(200)


def obstacle() -> str | None:
    """Why this machine cannot make such a place, or None."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux, for mounts of its own"
    mount = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        return "mounts are not allowed here"
    return None


def user() -> str:
    """Nobody, where that one may read the checkout and its Python; else root, who has no capabilities either."""
    needed = (ROOT / "src", Path(sys.executable).resolve())
    reads = (["setpriv", "--reuid", NOBODY, "--clear-groups", "test", "-r", str(path)] for path in needed)
    return NOBODY if all(subprocess.run(command, check=False).returncode == 0 for command in reads) else "0"


async def test_nobody_serves_from_a_read_only_root(tmp_path: Path, program: Callable[[str], str]) -> None:
    """It starts, its embedded model answers, and it ends in good order."""
    script = tmp_path / "serve.sh"
    script.write_text(SCRIPT, encoding="utf-8")
    own_mounts = (program("unshare"), "--mount", "--propagation", "private", program("bash"), str(script))
    if (reason := obstacle()) is not None:
        pytest.skip(reason)
    server, stop = start(tmp_path / "data", env={"RIXIN_AUTH": "off"}, program=(*own_mounts, user(), sys.executable))
    try:
        body = {"model": "local", "max_tokens": 4, "messages": [{"role": "user", "content": "Hello"}]}
        async with (
            aiohttp.ClientSession() as client,
            client.post(f"{server.url}/v1/chat/completions", data=json.dumps(body)) as response,
        ):
            assert response.status == 200
            assert (await response.json())["choices"][0]["message"]["content"]
    finally:
        assert stop() == 0, "".join(server.output)
