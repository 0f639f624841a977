"""How the stores of a server are."""

import asyncio

import pytest

from rixin.clock import SystemClock
from rixin.errors import Kind, RixinError
from rixin.service.store_watch import FRESH_FOR, StoreWatch
from tests.accounts.manual_clock import ManualClock


class Store:
    """Counts how often it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.was_asked = asyncio.Event()
        self.answers = asyncio.Event()
        self.answers.set()

    async def ask(self) -> None:
        """Something small."""
        self.asked += 1
        self.was_asked.set()
        await self.answers.wait()
        if self.away:
            raise RixinError(Kind.OVERLOADED, "No.")


@pytest.fixture
def stores() -> tuple[Store, Store]:
    """Two of them."""
    return Store(), Store()


def watch_of(stores: tuple[Store, Store], clock: ManualClock | SystemClock) -> StoreWatch:
    """Looks after two stores."""
    first, second = stores
    return StoreWatch({"database": first.ask, "redis": second.ask}, clock)


async def test_however_many_ask_at_once_each_store_is_asked_once(stores: tuple[Store, Store]) -> None:
    """Whoever asks while the stores are asked waits for the same answers."""
    watch = watch_of(stores, SystemClock())
    stores[1].answers.clear()
    asking = [asyncio.create_task(watch.obstacle()) for _ in range(100)]
    await stores[1].was_asked.wait()
    stores[1].answers.set()
    assert await asyncio.gather(*asking) == [None] * 100
    assert [store.asked for store in stores] == [1, 1]


async def test_an_answer_counts_for_a_second(stores: tuple[Store, Store]) -> None:
    """Until it is over nobody is asked, and afterwards what has changed is seen."""
    clock = ManualClock()
    watch = watch_of(stores, clock)
    assert await watch.obstacle() is None
    stores[0].away = True
    clock.advance(FRESH_FOR / 2)
    assert await watch.obstacle() is None
    assert stores[0].asked == 1
    clock.advance(FRESH_FOR / 2)
    assert await watch.obstacle() is not None
    stores[0].away = False
    clock.advance(FRESH_FOR)
    assert await watch.obstacle() is None


@pytest.mark.parametrize(
    ("away", "says"), [((True, False), "its database at"), ((True, True), "its database and its redis at")]
)
async def test_what_is_away_is_named(stores: tuple[Store, Store], away: tuple[bool, bool], says: str) -> None:
    """And when to ask again."""
    for store, is_away in zip(stores, away, strict=True):
        store.away = is_away
    error = await watch_of(stores, ManualClock()).obstacle()
    assert error is not None
    assert (error.status, error.retry_after) == (503, FRESH_FOR)
    assert says in error.message


async def test_a_store_that_says_nothing_is_away(stores: tuple[Store, Store]) -> None:
    """Nobody waits for it forever, and the other one is known to be there."""
    stores[0].answers.clear()
    assert {name: seconds is None for name, seconds in (await watch_of(stores, SystemClock()).look()).items()} == {
        "database": True,
        "redis": False,
    }
