"""Envelopes of a server, its database, and time."""

import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.conversations.envelope import PURPOSE, Envelopes
from tests.conversations.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    """Time that stands still."""
    return ManualClock()


@pytest.fixture
def envelopes(clock: ManualClock) -> Envelopes:
    """With the real encryption, and a secret of all zeros."""
    return Envelopes(SealedBox(RootSecret(bytes(32)), PURPOSE), clock)
