"""A provider of identities in a process of its own, as it is to a server that trusts it."""

import subprocess
import sys
from collections.abc import Generator
from typing import Any, Self

import msgspec
import pytest

from tests.support.hang import HANG
from tests.support.server import ROOT
from tests.upstreams.identities import Behaviour


class IdentityProvider:
    """One that runs: `with IdentityProvider() as provider`, then `provider.issuer`."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.upstreams.identities"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._behaviour = Behaviour()
        self._asked: list[str] = []
        self.issuer = self._hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def change(self, **what: Any) -> None:
        """Has it behave otherwise from now on.

        Args:
            what: Fields of a `Behaviour`; the others stay.
        """
        self._behaviour = msgspec.structs.replace(self._behaviour, **what)
        self._tell()

    def reset(self) -> None:
        """Has it behave as at first, and forget what it was asked."""
        self._behaviour = Behaviour()
        self._tell()
        self._asked.clear()

    def asked(self) -> list[str]:
        """The paths of all requests by now."""
        self._tell()
        return list(self._asked)

    def stop(self) -> None:
        """Ends it, unless it has ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(HANG) == 0
        self._process.stdout.close()

    def _tell(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{msgspec.json.encode(self._behaviour).decode()}\n")
        self._process.stdin.flush()
        self._asked += msgspec.json.decode(self._hear(), type=list[str])

    def _hear(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the provider of identities has ended"
        return line.strip()


@pytest.fixture(scope="session")
def identity_server() -> Generator[IdentityProvider]:
    """One for all tests of a process."""
    with IdentityProvider() as provider:
        yield provider


@pytest.fixture
def identities(identity_server: IdentityProvider) -> IdentityProvider:
    """A provider of identities that nobody has told anything yet."""
    identity_server.reset()
    return identity_server
