"""Examines an upstream: what it takes, what it refuses, how its answers look; within a bounded number of calls.

Each probe is one request, sent once as it is. What can be asked together is asked together; nobody is found guilty but
by a request that holds that fact alone, or by the upstream's own words. In the end one request holds all that was
refused, mended by what was found: it passes, or the report says that it did not.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rixin.profiles.diagnosis import Diagnosis, Finding
from rixin.profiles.error_rules import ErrorRules
from rixin.profiles.profile import Profile
from rixin.service.doctor import basics, extras, ranges, suspects, window
from rixin.service.doctor.examination import Examination, NoCallsLeftError, StoppedError
from rixin.service.prober import Prober

__all__ = ["BUDGET", "LEAST_BUDGET", "MOST_BUDGET", "examine"]

BUDGET = 60
"""Calls of one examination, unless it is told otherwise."""
LEAST_BUDGET = 4
MOST_BUDGET = 500

Phase: TypeAlias = Callable[[Examination], Awaitable[None]]

PHASES: tuple[Phase, ...] = (
    basics.models,
    basics.baseline,
    basics.streams,
    basics.tools,
    suspects.fields,
    suspects.shapes,
    ranges.ranges,
    extras.strange_field,
    suspects.rarities,
    extras.images,
    ranges.edges,
    ranges.counts,
    basics.parallel_tools,
    basics.tool_choices,
    extras.efforts,
    extras.toggles,
    extras.formats,
    suspects.verification,
    window.window,
)
"""What is looked at, in order: what requests fail for most comes first, while there are calls."""


async def examine(
    prober: Prober,
    known: Profile,
    error_rules: ErrorRules,
    *,
    preset: str = "",
    budget: int = BUDGET,
    tell: Callable[[Finding], None] = lambda _finding: None,
    image_url: str | None = None,
    made: int = 0,
) -> Diagnosis:
    """Examines one model of one upstream.

    Args:
        prober: Asks it.
        known: What is known of it already.
        error_rules: What its words mean.
        preset: The name of the provider's preset.
        budget: The most calls.
        tell: Called with each finding as it is made.
        image_url: An image that the upstream can fetch.
        made: Calls that were made before.
    """
    examination = Examination(prober, known, error_rules, preset=preset, budget=budget, tell=tell, image_url=image_url)
    examination.calls = made
    try:
        for phase in PHASES:
            try:
                await phase(examination)
            except NoCallsLeftError:
                continue
    except StoppedError as error:
        examination.stopped = error.reason
    return examination.diagnosis
