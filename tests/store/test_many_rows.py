"""A great many rows."""

import os

import pytest

from rixin.store.database import Database
from tests.support.ledger_runs import fill, measure

ROWS = 1_000_000 if os.environ.get("RIXIN_TEST_ALL") else 100_000
"""A million takes minutes to make."""
SLOWEST = 10_000.0
"""Milliseconds: ten times what the slowest question about a million rows takes beside other tests on two cores."""


@pytest.mark.timeout(900)
async def test_questions_about_a_million_requests_are_answered_at_once(database: Database) -> None:
    """Every list and every sum comes from an index; the times are shown, and bound by a hang limit only."""
    await fill(database, ROWS)
    took = await measure(database, ROWS)
    for name, milliseconds in took.items():
        print(f"{name}: {milliseconds:.1f} ms")  # noqa: T201 - figures to read, not to assert
    assert max(took.values()) < SLOWEST
