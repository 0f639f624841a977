"""The system's `git`, run so that neither the user's settings nor a repository decide what it does."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rixin.errors import Kind, RixinError

if sys.platform != "win32":
    import resource

_PASSED = (
    *("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSH_AUTH_SOCK"),
)
"""What git may know of the user's environment: how to reach the network and whom to trust there."""

_SETTINGS = (
    *("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.symlinks=false", "credential.helper="),
    *("protocol.version=2", "fetch.recurseSubmodules=false", "gc.auto=0", "maintenance.auto=false"),
)
_SMALL = 2**20
_TOO_LARGE = 25  # SIGXFSZ on every system that has it
_SHOWN = 300


class Git:
    """Runs git on one bare repository in a private directory.

    Args:
        directory: Empty, and the caller's to remove.
        protocol: The one transport that git may use.

    Raises:
        RixinError: `CONFIGURATION` where there is no git.
    """

    def __init__(self, directory: Path, protocol: str) -> None:
        program = shutil.which("git")
        if program is None:
            raise RixinError(
                Kind.CONFIGURATION, "git is not installed; install it, or install the skills from a directory"
            )
        self._program = program
        self._directory = directory
        self._environ = {name: os.environ[name] for name in _PASSED if name in os.environ} | {
            "HOME": str(directory),
            "GIT_DIR": str(directory / "repository"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",
            "SSH_ASKPASS": "",
            "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oClearAllForwardings=yes",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }

    def run(self, *arguments: str, stdin: bytes = b"", limit: int = _SMALL, deadline: float = 60.0) -> bytes:
        """What a command of git prints.

        Args:
            arguments: The command line after `git`.
            stdin: What it reads.
            limit: Bytes that any file it writes may have, its output being one.
            deadline: Seconds it may take.

        Raises:
            RixinError: It failed, took too long or wrote too much; the message holds its last words.
        """
        settings = (word for setting in _SETTINGS for word in ("-c", setting))
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - git itself; `git_url` says which addresses it is given
                [self._program, *settings, *arguments],
                cwd=self._directory,
                env=self._environ,
                stdin=given,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_limiter(limit),  # noqa: PLW1509 - this program has no threads, and no other way to limit it
            )
            try:
                code = process.wait(deadline)
            except subprocess.TimeoutExpired:
                raise RixinError(
                    Kind.UPSTREAM_TIMEOUT, f"git {arguments[0]} took more than {deadline:g} seconds"
                ) from None
            finally:
                _end(process)
            err.seek(0)
            if code:
                raise _failure(arguments[0], code, err.read(_SMALL).decode(errors="replace"), limit)
            out.seek(0)
            return out.read()


def _limiter(limit: int) -> Callable[[], None] | None:
    if sys.platform == "win32":
        return None
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    limits = (limit if most == resource.RLIM_INFINITY else min(limit, most), most)
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends git and the helpers it started, whatever became of it."""
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # all have ended by themselves
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failure(command: str, code: int, words: str, limit: int) -> RixinError:
    if code == -_TOO_LARGE or f"signal {_TOO_LARGE}" in words:
        return RixinError(Kind.TOO_LARGE, f"refused: the repository is larger than {limit // 2**20} MiB")
    said = " ".join(line.strip() for line in words.splitlines() if line.strip())[-_SHOWN:]
    return RixinError(Kind.UPSTREAM_UNREACHABLE, f"git {command} failed: {said or f'exit code {code}'}")
