"""What all connections of a server have in common."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from rixin.server.limits import Limits
from rixin.server.refusal import Refusal
from rixin.server.request import Request, Serve

Refuse: TypeAlias = Callable[[Request, Refusal], Awaitable[None]]
"""Tells a client why its request is not taken."""


class Member(Protocol):
    """A connection, as its server sees it."""

    def check(self, now: float) -> None:
        """Ends what has taken too long, by the event loop's clock."""
        ...

    def finish(self) -> None:
        """The server goes: the connection ends with what is under way."""
        ...

    def abort(self) -> None:
        """Ends it at once."""
        ...


class Shared:
    """What all connections of a server have in common.

    Attributes:
        date: The header line that says when an answer was made, to the second.
        now: The instant of the last look at the deadlines, by the event loop's clock: exact enough for them.
        draining: Whether connections end with the answers that are under way.
        connections: Those that stand.
        running: Those who work on answers.
    """

    def __init__(self, serve: Serve, refuse: Refuse, limits: Limits) -> None:
        self.serve = serve
        self.refuse = refuse
        self.limits = limits
        self.date = b""
        self.now = 0.0
        self.draining = False
        self.connections: set[Member] = set()
        self.running: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    def look(self) -> None:
        """Something has ended while draining."""
        if not self.connections and not self.running:
            self._empty.set()

    async def empty(self) -> None:
        """Waits until there is neither a connection nor somebody at work. `look` has to be called."""
        while self.connections or self.running:
            self._empty.clear()
            await self._empty.wait()
