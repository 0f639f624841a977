"""Lists that a store gives out page by page, as a whole."""

from typing import Protocol, TypeVar


class Listed(Protocol):
    """What a page holds."""

    @property
    def id(self) -> str:
        """By which the page after it is asked for."""
        ...


T = TypeVar("T", bound=Listed)


class Pages(Protocol[T]):
    """Gives one page at a time."""

    async def __call__(self, *, after: str | None = None) -> list[T]:
        """What comes after the one with this id; from the beginning unless given. An empty page is the end."""
        ...


async def every(pages: Pages[T]) -> list[T]:
    """All that there is, in order. Raises as `pages` does."""
    found: list[T] = []
    while page := await pages(after=found[-1].id if found else None):
        found += page
    return found
