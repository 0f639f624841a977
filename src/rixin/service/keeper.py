"""Whoever keeps conversations between the requests of a client."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rixin.core.requests import Generate
from rixin.dialects.base import Call


class Keeper(Protocol):
    """Puts what is kept in front of what a client sends, and keeps what it was answered."""

    async def prepare(self, call: Call, owner: str) -> Call:
        """A call with everything that it refers to.

        Raises:
            RixinError: `NOT_FOUND` for what the owner does not have, or what is wrong with the reference.
        """
        ...

    def held(self, request: Generate, owner: str) -> AbstractAsyncContextManager[object]:
        """Has what a request goes on with to itself while it is answered.

        Raises:
            RixinError: `CONCURRENT`, on entering, where another request has it.
        """
        ...

    def wants(self, request: Generate) -> bool:
        """Whether the answer to a request is to be kept."""
        ...

    async def keep(self, request: Generate, owner: str, answer: bytes) -> None:
        """Keeps an answer, if it is wanted; it may be gone on with at once.

        Args:
            request: What was answered.
            owner: Who asked.
            answer: As the client is told it, whole or cut short.

        Raises:
            RixinError: The client has to know that its answer was not kept.
        """
        ...
