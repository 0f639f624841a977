"""What a failed attempt means: for the key it was sent with, for the provider's health, and for what comes next.

The dialect has said of which kind the error is; here is what each kind is worth. Waits where an upstream names none are
those that were measured on SenseNova's token platform, which never names any.
"""

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from rixin.errors import Kind, RixinError


class Fate(Enum):
    """What becomes of the key."""

    KEPT = auto()
    """It had no part in it."""
    COOLED = auto()
    """It is too fast for this model; soon over."""
    EXHAUSTED = auto()
    """Its quota for this model is used up."""
    DEAD = auto()
    """It is no key any more, for whichever model."""
    UNFIT = auto()
    """It may not use this model; said of one request, so that nobody else's is kept from it."""


class Then(Enum):
    """What may come next for the request. Nothing, once its answer has begun."""

    STOP = auto()
    """The client is told."""
    REPAIR = auto()
    """Another version of the request may pass where this was refused; else the client is told."""
    ANOTHER_KEY = auto()
    """The same provider with another key, or with this one when it has cooled."""
    AGAIN = auto()
    """Another candidate, or the same one a little later."""
    ELSEWHERE = auto()
    """Another candidate; this one would say the same again, or is not to be asked twice."""


class Verdict(NamedTuple):
    """What an error is worth."""

    then: Then
    fate: Fate = Fate.KEPT
    healthy: bool | None = None
    """Whether the provider works, as far as this tells; None where it tells nothing."""
    counted: bool = True
    """Whether the upstream will have counted the call."""


VERDICTS: Final[dict[Kind, Verdict]] = {
    # the request's own fault
    Kind.INVALID_REQUEST: Verdict(Then.REPAIR, healthy=True),
    Kind.CONTEXT_OVERFLOW: Verdict(Then.ELSEWHERE, healthy=True),
    Kind.CONTENT_POLICY: Verdict(Then.STOP, healthy=True),
    Kind.TOO_LARGE: Verdict(Then.ELSEWHERE, healthy=True),
    Kind.UNSUPPORTED_MEDIA_TYPE: Verdict(Then.STOP, healthy=True),
    Kind.CONFLICT: Verdict(Then.STOP, healthy=True),
    Kind.CONCURRENT: Verdict(Then.STOP, healthy=True),
    Kind.NOT_IMPLEMENTED: Verdict(Then.ELSEWHERE, healthy=True),
    # the key's
    Kind.RATE_LIMITED: Verdict(Then.ANOTHER_KEY, Fate.COOLED, healthy=True),
    Kind.QUOTA_EXHAUSTED: Verdict(Then.ANOTHER_KEY, Fate.EXHAUSTED, healthy=True),
    Kind.UPSTREAM_CREDENTIAL: Verdict(Then.ANOTHER_KEY, Fate.DEAD, healthy=True),
    Kind.PERMISSION_DENIED: Verdict(Then.ANOTHER_KEY, Fate.UNFIT, healthy=True),
    # the provider's
    Kind.MODEL_NOT_FOUND: Verdict(Then.ELSEWHERE, healthy=True),
    Kind.CONFIGURATION: Verdict(Then.ELSEWHERE),
    Kind.OVERLOADED: Verdict(Then.AGAIN, healthy=False),
    Kind.UPSTREAM_INVALID: Verdict(Then.AGAIN, healthy=False),
    Kind.UPSTREAM_INTERRUPTED: Verdict(Then.AGAIN, healthy=False),
    Kind.UPSTREAM_UNREACHABLE: Verdict(Then.AGAIN, healthy=False, counted=False),
    # It may be at work on the request still, and a long prompt would take as long again.
    Kind.UPSTREAM_TIMEOUT: Verdict(Then.ELSEWHERE, healthy=False),
    # our own engine's, which has a queue and a supervisor of its own
    Kind.QUEUE_FULL: Verdict(Then.ELSEWHERE),
    Kind.STARTING: Verdict(Then.ELSEWHERE),
    Kind.SHUTTING_DOWN: Verdict(Then.ELSEWHERE),
    # nobody's upstream
    Kind.UNAUTHENTICATED: Verdict(Then.STOP),
    Kind.NOT_FOUND: Verdict(Then.STOP),
    Kind.METHOD_NOT_ALLOWED: Verdict(Then.STOP),
    Kind.CANCELLED: Verdict(Then.STOP),
    Kind.REQUEST_TIMEOUT: Verdict(Then.STOP),
    Kind.INTERNAL: Verdict(Then.STOP),
}
"""By kind, all of them."""

PER_SECOND: Final = (1.0, 2.0, 3.0, 5.0, 10.0)
PER_MINUTE: Final = (15.0, 30.0, 60.0, 120.0)
STEPS: Final = (3.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
"""Seconds to wait after the first refusal, the second, and so on, until a call succeeds; the last one holds on."""

RATES: Final[tuple[tuple[re.Pattern[str], tuple[float, ...]], ...]] = (
    (re.compile(r"\btpm\b|tokens? per min", re.IGNORECASE), STEPS),
    (re.compile(r"\b[rq]ps\b|per second", re.IGNORECASE), PER_SECOND),
    (re.compile(r"\b[rq]pm\b|per minute", re.IGNORECASE), PER_MINUTE),
)
"""Which waits a refused rate has, by the words of its error; `STEPS` where they do not tell.

Calls a minute come back one in about fourteen seconds, and a call that comes too early takes one of them.
"""

LADDERS: Final[dict[Fate, tuple[float, ...]]] = {
    Fate.COOLED: STEPS,
    Fate.EXHAUSTED: (300.0, 900.0, 1800.0, 3600.0),
    Fate.DEAD: (60.0, 300.0, 900.0, 3600.0),
}
"""Waits by what became of the key. Windows of hours slide, so something comes back before they are over."""

LONGEST: Final[dict[Fate, float]] = {Fate.COOLED: 300.0, Fate.EXHAUSTED: 6 * 3600.0, Fate.DEAD: 3600.0}
"""Beyond this no upstream is believed: it is asked again."""

SHORTEST: Final = 0.1
"""An upstream that says to come back at once is given this much time."""

OUTAGES: Final = (2.0, 5.0, 10.0, 20.0, 30.0)
"""Seconds for which a failing provider is left alone."""

PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0)
"""Seconds between two tries of one request at one provider."""


def key_rest(error: RixinError, fate: Fate, step: int) -> tuple[float, bool]:
    """How long a key rests.

    Args:
        error: What it was told.
        fate: `COOLED`, `EXHAUSTED` or `DEAD`.
        step: How often it was told so since it last succeeded.

    Returns:
        Seconds, and whether the upstream itself named them.
    """
    if error.retry_after is not None:
        return min(max(error.retry_after, SHORTEST), LONGEST[fate]), True
    ladder = LADDERS[fate]
    if fate is Fate.COOLED:
        ladder = next((waits for words, waits in RATES if words.search(error.message)), ladder)
    return rung(ladder, step), False


def outage(error: RixinError, step: int) -> float:
    """Seconds for which a provider that failed too often is left alone; longer where it asks for that."""
    return min(max(rung(OUTAGES, step), error.retry_after or 0.0), OUTAGES[-1])


def rung(ladder: tuple[float, ...], step: int) -> float:
    """The wait at a step, the last one for all steps beyond."""
    return ladder[min(step, len(ladder) - 1)]
