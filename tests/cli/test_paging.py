"""Lists that come page by page."""

import asyncio
from dataclasses import dataclass

import pytest

from rixin.cli.paging import every


@dataclass(frozen=True)
class Entry:
    """Something that is listed."""

    id: str


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
def test_every_page_is_asked_for(number: int) -> None:
    """All that there is comes once and in order, whether the last page is full or not."""
    entries = [Entry(str(place)) for place in range(number)]

    async def pages(*, after: str | None = None) -> list[Entry]:
        first = 0 if after is None else int(after) + 1
        return entries[first : first + 2]

    assert asyncio.run(every(pages)) == entries
