"""What every suite stands on: the models' weights, and programs that a machine may lack."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.engines.pull import pull

MODELS = Path(__file__).parents[1] / ".cache" / "models"
AGENTS = Path(__file__).parent / "e2e" / "agents" / "node_modules" / ".bin"
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
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), str(AGENTS)])

    def find(name: str) -> str:
        path = shutil.which(name, path=places)
        if path is None:
            missing = f"`{name}` is not installed; `npm ci --prefix tests/e2e/agents` gets the agents"
            if os.environ.get("RIXIN_TEST_ALL"):
                pytest.fail(missing)
            pytest.skip(missing)
        return path

    return find
