"""A real database, a root secret, and time that the test owns."""

from collections.abc import AsyncIterator

import pytest

from rixin.accounts.keys import KeyRing
from rixin.accounts.root_secret import RootSecret
from rixin.store.database import Database
from tests.accounts.manual_clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Time."""
    return ManualClock()


@pytest.fixture
def root_secret() -> RootSecret:
    """A root secret."""
    return RootSecret(bytes(range(32)))


@pytest.fixture
async def ring(database: Database, root_secret: RootSecret, clock: ManualClock) -> AsyncIterator[KeyRing]:
    """The key ring of one process."""
    ring = KeyRing(database, root_secret, clock)
    yield ring
    await ring.aclose()


@pytest.fixture
async def other_ring(database: Database, root_secret: RootSecret, clock: ManualClock) -> AsyncIterator[KeyRing]:
    """The key ring of another process, with connections of its own to the same file."""
    other = Database(database.place)
    ring = KeyRing(other, root_secret, clock)
    yield ring
    await ring.aclose()
    await other.aclose()
