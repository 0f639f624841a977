"""What a process did not come to write when it was killed, written by another one in its place, and once.

Each process numbers its steps, and the store remembers the latest: so it is known what of the dead process's ends was
written. It remembers as well whom that step admitted, some of whom the process may not even have taken down. Whoever
writes the rest deletes both in the same step, and nobody does it a second time.
"""

from functools import partial

from rixin.limits.admission import withdrawal
from rixin.limits.page import PROCESS, PROCESSES, CounterStore, Page, ProcessRecord
from rixin.limits.steps import Changes
from rixin.limits.trail import Legacy


async def take_over(store: CounterStore, legacy: Legacy) -> None:
    """Writes what a process that is no more has left.

    Args:
        store: Of the counters.
        legacy: As its journal tells it.

    Raises:
        RixinError: As `CounterStore.step`. What was not written yet can be asked for again.
    """
    name = PROCESS + legacy.process
    # Until all is written, or was too long ago. What the dead process had sent may be written even now.
    while (known := await store.step([name], partial(_known, legacy.process))).step:
        changes = _unwritten(legacy, known)
        names = {name, PROCESSES, *(counter for counter, _ in changes)}
        await store.step(names, partial(_write, legacy.process, known.step, changes))


def _known(process: str, page: Page) -> ProcessRecord:
    return page.process(process)


def _unwritten(legacy: Legacy, known: ProcessRecord) -> Changes:
    """What is still to be written, by what the store knows of the process."""
    entries = [
        entry for trail in legacy.trails if trail.step is None or trail.step > known.step for entry in trail.entries
    ]
    for admission, held in known.admitted.items():
        if legacy.told is not None and admission not in legacy.told:
            entries += withdrawal(held)  # its client has heard nothing, and nobody was asked for it
    changes: Changes = {}
    for entry in entries:
        slot = entry.counter, entry.slot
        changes[slot] = changes.get(slot, 0) + entry.amount
    return changes


def _write(process: str, latest: int, changes: Changes, page: Page) -> None:
    own = page.process(process)
    if own.step != latest:
        return  # somebody else was faster, or it was itself
    for (name, slot), amount in changes.items():
        # Whatever else it held of what runs at the same time is nobody's either.
        counter = page.counter(name, holder=process, expiry=page.now)
        counter.change(counter.advance(page.now) if slot is None else slot, amount)
    page.processes.pop(process, None)
    own.step, own.admitted, own.ends_at, own.recalled = 0, {}, 0, []
