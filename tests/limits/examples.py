"""How many examples Hypothesis makes up where each of them asks a store, on a machine that may be busy."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("RIXIN_TEST_EXAMPLES", "1"))
"""Times as many as there are by default."""


def examples(count: int, *, steps: int = 50) -> settings:
    """Settings for so many examples, each of so many steps at most where it is a state machine."""
    return settings(
        max_examples=count * TIMES,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
