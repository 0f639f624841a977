"""What a process did not come to write when it was killed, written by another one in its place, and once.

Each process numbers its steps, and the store remembers the latest: so it is known what of the dead process's ends was
written. Whoever writes the rest deletes that number in the same step, and nobody does it a second time.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from rixin.limits.page import PROCESS, PROCESSES, CounterStore, Page
from rixin.limits.steps import Changes
from rixin.limits.trail import Trail


async def take_over(store: CounterStore, trails: Sequence[Trail]) -> None:
    """Writes what processes that are no more have left.

    Args:
        store: Of the counters.
        trails: What the ends of their requests change: the step by which that was to be written, or none.

    Raises:
        RixinError: As `CounterStore.step`. What was not written yet can be asked for again.
    """
    for process in dict.fromkeys(trail.process for trail in trails):
        latest = await store.step([PROCESS + process], partial(_latest_step, process))
        if latest:
            changes = _unwritten((trail for trail in trails if trail.process == process), latest)
            names = {PROCESS + process, PROCESSES, *(counter for counter, _ in changes)}
            await store.step(names, partial(_write, process, latest, changes))


def _latest_step(process: str, page: Page) -> int:
    """The latest step of a process; 0 where nobody knows, since all is written or too long ago."""
    return page.process(process).step


def _unwritten(trails: Iterable[Trail], latest: int) -> Changes:
    changes: Changes = {}
    for trail in trails:
        if trail.step is None or trail.step > latest:
            for entry in trail.entries:
                slot = entry.counter, entry.slot
                changes[slot] = changes.get(slot, 0) + entry.amount
    return changes


def _write(process: str, latest: int, changes: Changes, page: Page) -> None:
    own = page.process(process)
    if own.step != latest:
        return  # somebody else was faster
    for (name, slot), amount in changes.items():
        # Whatever else it held of what runs at the same time is nobody's either.
        counter = page.counter(name, holder=process, expiry=page.now)
        counter.change(counter.advance(page.now) if slot is None else slot, amount)
    page.processes.pop(process, None)
    own.step, own.ends_at, own.recalled = 0, 0, []
