"""Servers with the real embedded model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.support.server import Server, start
from tests.upstreams.scripted import ScriptedUpstream

InFrontOf: TypeAlias = Callable[[ScriptedUpstream], Server]
"""Starts a server that knows of an upstream no more than where it is, and its key."""


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that change nothing of it."""
    running, stop = start(tmp_path_factory.mktemp("server") / "data")
    yield running
    assert stop() == 0, "".join(running.output)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers for one test, each with its own data directory."""
    stops: list[Callable[[], int]] = []

    def begin(*flags: str, config: str | None = None, env: dict[str, str] | None = None) -> Server:
        running, stop = start(tmp_path / f"data{len(stops)}", *flags, config=config, env=env)
        stops.append(stop)
        return running

    yield begin
    for stop in stops:
        stop()


@pytest.fixture
def in_front_of(launch: Callable[..., Server]) -> InFrontOf:
    """Starts a server that knows of an upstream no more than where it is, and its key."""

    def begin(upstream: ScriptedUpstream) -> Server:
        return launch(config=f'[[providers]]\nname = "upstream"\nbase_url = "{upstream.url}"\napi_keys = ["sk-up"]\n')

    return begin
