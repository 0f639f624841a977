"""Who watches what becomes of a request: the request log, recordings and the debug log see engines' calls through this.

A request carries its observer, so that engines need not know whose request it is, and whoever sends one of its own
carries none.
"""

from collections.abc import Mapping
from typing import Final, Protocol

QUEUE: Final = "queue"
"""The phase in which a request waits for its turn."""


class AttemptObserver(Protocol):
    """Watches one call to an upstream."""

    @property
    def carried(self) -> Mapping[str, str]:
        """Headers that the call carries, so that who receives it can tell what it is part of; names in lower case."""
        ...

    def on_answer(self, status: int, headers: Mapping[str, str]) -> bool:
        """The head of the answer has come; header names are in lower case. Returns whether the rest shall be shown."""
        ...

    def on_data(self, data: bytes) -> None:
        """Some of the answer's body, as it came."""
        ...

    def on_end(self, error: BaseException | None) -> None:
        """The call is over: its answer was read to the end, or `error` ended it. Comes last, and once."""
        ...


class Observer(Protocol):
    """Watches one request's way through its engines."""

    def on_attempt(self, engine: str, dialect: str, model: str, body: bytes) -> AttemptObserver:
        """An engine is about to be called, in a dialect, for a model by its name there, with exactly this body."""
        ...

    def on_phase(self, name: str, began: float, ended: float) -> None:
        """The request has waited for something that is no call, between two instants of the monotonic clock."""
        ...
