"""Other servers, beside this one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.measure import Loader
from bench.peer import PEERS, PLAIN_PROXY, NotInstalledError, install, peer
from bench.scenarios import SCENARIOS
from bench.targets import Target


def test_the_plain_proxy_is_measured(loader: Loader, direct: Target, tmp_path: Path, program: Callable[[str], str]):
    """nginx passes on every load that it is put to."""
    program("nginx")
    with peer(PLAIN_PROXY, direct.port, tmp_path) as target:
        for scenario in SCENARIOS:
            if scenario.name in ("whole-16", "burst-16"):
                assert loader.measure(target, scenario, 0).load.errors == 0


@pytest.mark.parametrize("name", [PLAIN_PROXY, "portkey"])
def test_a_peer_that_cannot_be_had_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is missing on the machine is told."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("bench.peer.ENVIRONMENTS", tmp_path)
    with pytest.raises(NotInstalledError, match="not on the PATH"):
        install(name)


def test_peers_are_pinned():
    """What is installed is told with its version."""
    for name, wanted in PEERS.items():
        assert not wanted.pip or "==" in wanted.pip, name
        assert all(version[0].isdigit() for version in wanted.npm.get("dependencies", {}).values()), name
