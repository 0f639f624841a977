"""Where a repair of refused requests plugs into the loop.

The loop decides whether and when something is sent; a healer only says what. It is asked when an engine that satisfies
`Sends` refused a request as invalid, and each version that it gives costs one more call, under the same limits.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol, TypeAlias

from rixin.core.requests import Generate
from rixin.engines.base import Batch, Prepared
from rixin.errors import RixinError
from rixin.routing.catalog import Candidate


class Healing(Protocol):
    """The repair of one request at one candidate."""

    @property
    def held(self) -> Sequence[Batch]:
        """A whole answer that was held back for a better one: given where no other comes."""
        ...

    def refused(self, error: RixinError) -> Prepared | RixinError:
        """The last version was refused: the next one to send, or what the client is told."""
        ...

    def hindered(self, obstacle: RixinError) -> RixinError:
        """The version that was given last cannot be sent in time: what the client is told."""
        ...

    @property
    def checks(self) -> bool:
        """Whether the answer to the last version must be looked at; else `checked` gives it as it is."""
        ...

    def checked(self, answer: AsyncGenerator[Batch, None]) -> AsyncGenerator[Batch, None]:
        """The answer to the last version, as it is given to the client.

        It may be held back until it is known to be good, with batches without events meanwhile; an `INVALID_REQUEST`
        that it raises before its first event is one for `refused`, as the upstream's own are.
        """
        ...

    def answered(self) -> None:
        """The last version was accepted: its answer has begun."""
        ...

    def close(self) -> None:
        """It is over, whichever way; comes last, and once."""
        ...


Healer: TypeAlias = Callable[[Candidate, Generate, Prepared], Healing]
"""Begins the care for a request before it is sent for the first time. Nothing is sent or waited for here."""
