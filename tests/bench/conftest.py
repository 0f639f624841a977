"""The programs that measure, and what they measure: the scripted upstream, and a server before it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.build import Native, build
from bench.measure import Loader
from bench.targets import LIMITS, SERVER_CORE, RixinServer, Target, provider_configuration, upstream

MOMENT = 0.3
"""Seconds of a measurement whose figures nobody believes."""


@pytest.fixture(scope="session")
def native(program: Callable[[str], str]) -> Native:
    """The compiled programs."""
    if sys.platform != "linux":
        pytest.skip("the load generator uses epoll, which is Linux's")
    program("cc")
    return build()


@pytest.fixture(scope="module")
def direct(native: Native, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The scripted upstream."""
    with upstream(native.upstream, tmp_path_factory.mktemp("upstream")) as target:
        yield target


@pytest.fixture(scope="module")
def rixin(direct: Target, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """This server before it, with a key."""
    server = RixinServer(tmp_path_factory.mktemp("rixin") / "server", provider_configuration(direct.port) + LIMITS)
    with server.run(SERVER_CORE) as (process, _):
        yield server.target(process)


@pytest.fixture
def loader(native: Native, direct: Target, tmp_path: Path) -> Loader:
    """Loads either of them, for a moment."""
    return Loader(native.load, tmp_path, MOMENT, direct.process)
