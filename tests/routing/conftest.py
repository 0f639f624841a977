"""An application that heals."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.routing.asking import opaque
from tests.support.healing import HealingSite, healing_site


@pytest.fixture
async def healing(tmp_path: Path) -> AsyncGenerator[HealingSite, None]:
    """An application over an upstream that refuses `seed`."""
    async with healing_site(tmp_path, opaque("seed")) as site:
        yield site
