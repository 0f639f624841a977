"""The decision that all back ends share: may a request pass, and what do its start and its end write.

A back end fetches the counters of a request, calls `admit` and stores what it changed, as one step that nobody else
can come between. At the end of the request, which `Held` tells, it stores what `settlement` or `withdrawal` says.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from rixin.core.prices import decimal_text
from rixin.errors import Kind
from rixin.limits.base import CONCURRENCY_RETRY, SETTLED_LATER, Cost, Limit, LimitError, Standing, duration
from rixin.limits.trail import Entry, Trail
from rixin.limits.window import MICROSECONDS, Claims, Window
from rixin.settings import Unit


class Admission(Struct, frozen=True):
    """What admitting a request wrote, and how its limits stand since."""

    entries: tuple[Entry, ...]
    standings: tuple[Standing, ...]


class Held:
    """The `Reservation` of a request that was admitted.

    Args:
        admission: What admitting it wrote.
        write: Writes what its end changes, and tells what of that outlives the process.
        number: As `Trail.admission`.
        outlives: Whether what it counts outlives the process.
    """

    __slots__ = ("_end", "_entries", "_number", "_outlives", "_write", "standings")

    def __init__(
        self,
        admission: Admission,
        write: Callable[[Sequence[Entry]], Trail | None],
        number: int = 0,
        *,
        outlives: bool = False,
    ) -> None:
        self._entries = admission.entries
        self._write = write
        self._number = number
        self._outlives = outlives
        self._end: Trail | None = None
        self.standings = admission.standings

    @property
    def trail(self) -> Trail | None:
        """As `Reservation.trail`."""
        return Trail(self._entries, admission=self._number) if self._outlives and self._entries else self._end

    def settle(self, cost: Cost) -> None:
        """As `Reservation.settle`."""
        if self._entries:
            entries, self._entries = self._entries, ()
            self._end = self._write(settlement(entries, cost))

    def release(self) -> None:
        """As `Reservation.release`."""
        if self._entries:
            entries, self._entries = self._entries, ()
            self._end = self._write(withdrawal(entries))
            held = zip(self.standings, entries, strict=True)
            self.standings = tuple([standing.without(entry.amount) for standing, entry in held])


def binding(limits: Sequence[Limit]) -> dict[str, Limit]:
    """The limits by counter, in the order given; of several with one counter that with the smallest amount."""
    smallest: dict[str, Limit] = {}
    for limit in limits:
        name = limit.counter
        known = smallest.get(name)
        if known is None or limit.amount < known.amount:
            smallest[name] = limit
    return smallest


def admit(
    limits: Mapping[str, Limit], counters: Mapping[str, Window | Claims], cost: Cost, *, now: int, reading: int
) -> Admission:
    """Writes a request into all counters of its limits, or into none.

    Args:
        limits: As `binding` gives them.
        counters: Those of the limits, `Claims` for concurrency and a `Window` for every other unit.
        cost: What the request will presumably cost.
        now: The instant, in microseconds of the counters' timeline.
        reading: What the monotonic clock says at that instant, in microseconds.

    Raises:
        LimitError: As `Limiter.acquire` says. No counter holds anything of the request then.
    """
    entries: list[Entry] = []
    for name, limit in limits.items():
        counter = counters[name]
        entry = Entry(name, limit.unit, counter.advance(now), cost.of(limit.unit))
        # What costs nothing passes even where the limit is used up.
        if entry.amount and counter.used + entry.amount > limit.amount:
            raise refusal(survey(limits, counters, cost, now=now, reading=reading), cost, reading)
        entries.append(entry)
    for entry in entries:
        counters[entry.counter].change(entry.slot or 0, entry.amount)
    standings = [standing_of(limit, counters[name], 1, now, reading) for name, limit in limits.items()]
    return Admission(tuple(entries), tuple(standings))


def settlement(entries: Iterable[Entry], cost: Cost) -> list[Entry]:
    """What the end of a request writes whose cost is known.

    What was reserved too much leaves the slot that it was written into. What was reserved too little is consumed at
    the end, so it is written into the slot of that instant: otherwise a request longer than its window would cost
    nothing. Shares of what runs at the same time are given back.
    """
    changes: list[Entry] = []
    for entry in entries:
        if entry.unit == "concurrency":
            changes.append(_taken_back(entry))
        elif entry.unit in SETTLED_LATER:
            # That a token is reserved at least keeps refusals simple; none need have been used.
            spent = 0 if entry.unit == "tokens" and cost.tokens <= 0 else cost.of(entry.unit)
            missing = spent - entry.amount
            if missing:
                slot = entry.slot if missing < 0 else None
                changes.append(Entry(entry.counter, entry.unit, slot, missing))
    return changes


def withdrawal(entries: Iterable[Entry]) -> list[Entry]:
    """What the end of a request that failed writes: all of it taken back."""
    return [_taken_back(entry) for entry in entries]


def interrupted(holds: Trail, cost: Cost) -> Trail:
    """The end of a request whose process was killed: what it used by then is counted, and its call is spent.

    Args:
        holds: What it held.
        cost: What it came to.
    """
    return Trail(tuple(settlement(holds.entries, cost)))


def survey(
    limits: Mapping[str, Limit], counters: Mapping[str, Window | Claims], cost: Cost, *, now: int, reading: int
) -> tuple[Standing, ...]:
    """How the limits stand for a request, without admitting it. Arguments as for `admit`."""
    standings: list[Standing] = []
    for name, limit in limits.items():
        counter = counters[name]
        counter.advance(now)
        standings.append(standing_of(limit, counter, min(cost.of(limit.unit), limit.amount), now, reading))
    return tuple(standings)


def refusal(standings: tuple[Standing, ...], cost: Cost, reading: int) -> LimitError:
    """The error of a request that some limits do not admit; it names the one that makes the client wait longest.

    Args:
        standings: As `survey` gives them; one at least has less left than the request costs.
        cost: What the request will presumably cost.
        reading: What the monotonic clock says, in microseconds.
    """
    waits: list[tuple[float, Standing]] = []
    for standing in standings:
        limit = standing.limit
        if cost.of(limit.unit) > limit.amount:
            return _never(limit, cost, standings)
        if cost.of(limit.unit) > standing.remaining:
            seconds = CONCURRENCY_RETRY if limit.window is None else standing.reset - reading / MICROSECONDS
            waits.append((seconds, standing))
    wait, standing = max(waits, key=lambda pair: pair[0])
    limit = standing.limit
    amounts = limit.unit not in ("requests", "concurrency")
    left = f" leaves {_text(limit.unit, standing.remaining)}, and this request needs about" if amounts else ""
    left = f"{left} {_text(limit.unit, cost.of(limit.unit))}" if amounts else ""
    if limit.is_rate:
        kind, message = Kind.RATE_LIMITED, f"The limit of {limit}{left or ' is reached'}"
    else:
        kind, message = Kind.QUOTA_EXHAUSTED, f"The quota of {limit}{left or ' is used up'}"
    message = f"{message}; try again in {duration(wait)}."
    return LimitError(kind, message, standings=standings, retry_after=wait)


def standing_of(limit: Limit, counter: Window | Claims, need: int, now: int, reading: int) -> Standing:
    """How a limit stands: what remains, and when there is more, and `need` at least. Arguments as for `admit`."""
    remaining = limit.amount - counter.used
    if isinstance(counter, Window):
        reading += counter.wait(now, limit.amount, max(need, remaining + 1))
    return Standing(limit, max(0, remaining), reading / MICROSECONDS)


def _taken_back(entry: Entry) -> Entry:
    return Entry(entry.counter, entry.unit, entry.slot, -entry.amount)


def _text(unit: Unit, amount: int) -> str:
    return decimal_text(amount) if unit == "money" else str(amount)


def _never(limit: Limit, cost: Cost, standings: tuple[Standing, ...]) -> LimitError:
    """The error of a request that no waiting helps."""
    if limit.amount == 0:
        kind, message = Kind.PERMISSION_DENIED, f"This credential is not allowed any {limit.unit} here."
        return LimitError(kind, message, standings=standings)
    match limit.unit:
        case "tokens":
            needs = f"needs about {cost.tokens} tokens"
            help_ = "Shorten the prompt or ask for a shorter answer."
        case "money":
            needs = f"may cost up to {decimal_text(cost.money)}"
            help_ = "Shorten the prompt, or ask for a shorter answer with `max_tokens`."
        case _:
            needs = f"needs {cost.of(limit.unit)} {limit.unit}"
            help_ = "Ask for another model."
    message = f"This request {needs}, which is more than the limit of {limit}. {help_}"
    return LimitError(Kind.TOO_LARGE, message, standings=standings)
