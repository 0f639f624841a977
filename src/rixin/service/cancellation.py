"""Why a request was given up."""

import asyncio

from rixin.errors import Kind, RixinError


def reason(end: asyncio.CancelledError | GeneratorExit) -> RixinError:
    """The error that whoever cancelled a request gave as the cancellation's message, else that its client left."""
    given = next((argument for argument in end.args if isinstance(argument, RixinError)), None)
    return given or RixinError(Kind.CANCELLED, "The client left before the answer was complete.")
