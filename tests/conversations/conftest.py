"""Envelopes of a server, its database, and time."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.conversations.envelope import PURPOSE, Envelopes
from rixin.store.database import Database
from tests.conversations.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
def envelopes(clock: ManualClock) -> Envelopes:
    """With the real encryption, and a secret of all zeros."""
    return Envelopes(SealedBox(RootSecret(bytes(32)), PURPOSE), clock)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncGenerator[Database]:
    """A migrated database."""
    database = Database(tmp_path / "rixin.db")
    await database.migrate()
    yield database
    await database.aclose()
