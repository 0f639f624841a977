"""An engine whose answers a test writes down."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from rixin.core.events import Event
from rixin.core.requests import Change, Generate
from rixin.engines.base import Batch, Sign
from rixin.errors import RixinError

Step = Sequence[Event] | Sign | asyncio.Event | RixinError | Exception


class ScriptedEngine:
    """Plays steps: events and signs are sent, an `asyncio.Event` is waited for, an error is raised."""

    def __init__(self, name: str, script: Sequence[Step] | Callable[[Generate], Sequence[Step]] = ()) -> None:
        self.name = name
        self.script = script
        self.requests: list[Generate] = []
        self.changes: tuple[Change, ...] = ()
        self.running = 0
        self.left = asyncio.Event()
        """Set when a stream ended, however it ended."""

    async def ready(self) -> None:
        """Is always ready."""

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Plays the script."""
        self.requests.append(request)
        self.running += 1
        try:
            if self.changes:
                yield Batch([], changes=self.changes)
            for step in self.script(request) if callable(self.script) else self.script:
                if isinstance(step, asyncio.Event):
                    yield Batch([])
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                elif isinstance(step, Sign):
                    yield Batch([], sign=step)
                else:
                    yield Batch(list(step))
        finally:
            self.running -= 1
            self.left.set()

    async def aclose(self) -> None:
        """Holds nothing."""
