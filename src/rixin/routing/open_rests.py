"""What is left alone behind a gate: the keys that rest, and the models that fail too often."""

from collections.abc import Iterator
from typing import NamedTuple

from rixin.errors import Kind
from rixin.routing.gate import Gate
from rixin.routing.pool import Key


class OpenRest(NamedTuple):
    """One rest that is not over."""

    key: Key | None
    """The key that rests; None where the provider's model does, whatever the key."""
    model: str | None
    """For which model; None where it is for all."""
    until: float
    """When it ends, on the clock of deadlines."""
    step: int
    """How often it has come to this without being better since."""
    kind: Kind
    """As which kind of error it is told."""


def open_rests(gate: Gate, now: float) -> Iterator[OpenRest]:
    """The rests behind a gate at an instant: those of models, then those of keys."""
    for model, breaker in gate.breakers.items():
        if (until := breaker.open_until(now)) is not None:
            yield OpenRest(None, model, until, breaker.step, Kind.OVERLOADED)
    for key in gate.pool.keys:
        for model, breaker, kind in key.breakers():
            if (until := breaker.open_until(now)) is not None:
                yield OpenRest(key, model, until, breaker.step, kind)
