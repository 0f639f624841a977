"""Decoders, with an environment like the one that a server gives them."""

import os
from collections.abc import AsyncIterator

import pytest

from rixin.media.worker import Decoders

ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath)}


@pytest.fixture
async def decoders() -> AsyncIterator[Decoders]:
    """Two decoders, with time enough for a busy machine."""
    pool = Decoders(ENVIRONMENT, timeout=60.0)
    yield pool
    await pool.aclose()
