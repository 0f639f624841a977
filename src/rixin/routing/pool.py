"""A provider's keys: which of them may be sent now, and which one is best.

No clock and no waiting: every method that needs the time is given an instant, in seconds of one clock that never jumps.
What upstreams refuse they refuse to a key for one model, so that is what cools; only a dead key is so for all models.
A dead key is tried again after a while, like any other that was refused.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from rixin.errors import Kind
from rixin.limits.window import Window, microseconds
from rixin.routing.breaker import Breaker, Pass
from rixin.routing.classify import Fate

LEAST_USED_OVER: Final = 5 * 3600.0
"""Seconds over which a key's use is compared with the others': the window of the quotas that are the scarcest."""

UNFIT_FOR: Final = 600.0
"""Seconds for which a key that may not use a model is taken only where no other is left."""

MODELS: Final = 4096
"""Models of which a key remembers something; those that have nothing to remember are forgotten first."""

REASONS: Final[dict[Fate, Kind]] = {
    Fate.COOLED: Kind.RATE_LIMITED,
    Fate.EXHAUSTED: Kind.QUOTA_EXHAUSTED,
    Fate.DEAD: Kind.UPSTREAM_CREDENTIAL,
}
"""As which kind of error the rest of a key is told."""


class Grant(Struct, frozen=True, gc=False):
    """A key's consent to one request: of the key as a whole, and of it for the model."""

    whole: Pass
    part: Pass

    @property
    def trial(self) -> bool:
        """Whether others wait for its outcome."""
        return self.whole.trial or self.part.trial


class Key:
    """One key. Its secret is never shown; logs and limits call it by its digest.

    Args:
        secret: The key itself; None for an upstream that asks for none, which is treated like one key.
    """

    def __init__(self, secret: str | None) -> None:
        self.secret = secret
        self.digest = hashlib.blake2b((secret or "").encode(), digest_size=8).hexdigest()
        self._whole = Breaker()
        self._parts: dict[str, Breaker] = {}
        self._reasons: dict[str | None, Kind] = {}
        self._unfit: dict[str, float] = {}
        self._used = Window(LEAST_USED_OVER)

    def used(self, now: float) -> int:
        """How often it was sent of late."""
        self._used.advance(microseconds(now))
        return self._used.used

    def is_unfit(self, model: str, now: float) -> bool:
        """Whether it was refused a model of late that others may be allowed."""
        return now < self._unfit.get(model, now)

    def free_at(self, model: str, now: float) -> float:
        """When it may be sent for a model: `now`, or a later instant."""
        return max(self._whole.free_at(now), self._part(model).free_at(now))

    def is_free(self, model: str, now: float) -> bool:
        """Whether it may be sent for a model now."""
        part = self._parts.get(model)
        return self._whole.is_free(now) and (part is None or part.is_free(now))

    def reason(self, model: str, now: float) -> Kind:
        """Why it may not be sent for a model now."""
        whole, part = self._whole.free_at(now), self._part(model).free_at(now)
        return self._reasons.get(None if whole > part else model, Kind.RATE_LIMITED)

    def admit(self, model: str, now: float) -> Grant | None:
        """Takes the right to send it for a model; its outcome must be told."""
        whole = self._whole.admit(now)
        if whole is None:
            return None
        part = self._part(model).admit(now)
        if part is None:
            self._whole.abandoned(whole)
            return None
        self._used.change(self._used.advance(microseconds(now)), 1)
        return Grant(whole, part)

    def breakers(self) -> Iterator[tuple[str | None, Breaker, Kind]]:
        """What it has breakers for, a model or None for all of them, and why these are open where they are."""
        yield None, self._whole, self._reasons.get(None, Kind.RATE_LIMITED)
        for model, part in self._parts.items():
            yield model, part, self._reasons.get(model, Kind.RATE_LIMITED)

    def rest(self, model: str | None, until: float, step: int, reason: Kind) -> None:
        """Another process was refused it: it is not sent before an instant, for a model or, with None, for any."""
        self._reasons[model] = reason
        (self._whole if model is None else self._part(model)).rest_until(until, step)

    def succeeded(self, model: str, grant: Grant) -> None:
        """The upstream took it."""
        self._whole.succeeded(grant.whole)
        self._part(model).succeeded(grant.part)
        if self._unfit:
            self._unfit.pop(model, None)

    def refused(self, model: str, grant: Grant, now: float, fate: Fate, rest: Callable[[int], float]) -> bool:
        """The upstream refused it: it cools for the model, or is dead.

        Args:
            model: For which it was sent.
            grant: Of the request.
            now: The instant.
            fate: `COOLED`, `EXHAUSTED` or `DEAD`.
            rest: The seconds that it rests, by how often it was refused in a row.

        Returns:
            Whether that is news: it was free before.
        """
        if fate is Fate.DEAD:
            self._reasons[None] = REASONS[fate]
            self._part(model).abandoned(grant.part)
            return self._whole.failed(grant.whole, now, rest)
        self._reasons[model] = REASONS[fate]
        self._whole.succeeded(grant.whole)
        return self._part(model).failed(grant.part, now, rest)

    def refused_model(self, model: str, grant: Grant, now: float) -> None:
        """The upstream took it, but not for this model."""
        self._whole.succeeded(grant.whole)
        self._part(model).abandoned(grant.part)
        self._unfit = {name: until for name, until in self._unfit.items() if now < until} | {model: now + UNFIT_FOR}

    def abandoned(self, model: str, grant: Grant, *, sent: bool) -> None:
        """The request ended without a word about the key; `sent` tells whether the upstream will have counted it."""
        self._whole.abandoned(grant.whole)
        self._part(model).abandoned(grant.part)
        if not sent and self._used.slots:
            self._used.change(next(reversed(self._used.slots)), -1)

    def _part(self, model: str) -> Breaker:
        part = self._parts.get(model)
        if part is None:
            if len(self._parts) >= MODELS:
                self._parts = {name: kept for name, kept in self._parts.items() if kept.step}
            part = self._parts[model] = Breaker()
        return part


class Pool:
    """A provider's keys.

    Args:
        secrets: The keys; one that comes twice is one.
        known: Keys of an earlier pool: those that are still here keep what was learned of them.
    """

    def __init__(self, secrets: Sequence[str], known: Iterable[Key] = ()) -> None:
        unique: list[str | None] = [*dict.fromkeys(secrets)] or [None]
        kept = {key.secret: key for key in known}
        self.keys = tuple(kept.get(secret) or Key(secret) for secret in unique)

    def __len__(self) -> int:
        return len(self.keys)

    def order(self, model: str, now: float, *, favourite: str | None, avoid: Collection[str]) -> list[Key]:
        """The keys that may be sent for a model now, the best one first.

        Args:
            model: Which model, by the provider's name for it.
            now: The instant.
            favourite: The digest of the key that is taken wherever it may be, for the cache that the upstream keeps.
            avoid: Digests of keys that are not to be taken.
        """
        free = [key for key in self.keys if key.is_free(model, now) and key.digest not in avoid]
        if len(free) > 1:
            free.sort(key=lambda key: (key.is_unfit(model, now), key.digest != favourite, key.used(now)))
        return free

    def soonest(self, model: str, now: float, *, avoid: Collection[str]) -> tuple[float, Kind] | None:
        """When the first of the keys may be sent for a model, and why not earlier; None where none is left."""
        waits = [(key.free_at(model, now), key) for key in self.keys if key.digest not in avoid]
        if not waits:
            return None
        at, key = min(waits, key=lambda pair: pair[0])
        return at, key.reason(model, now)
