"""How often one may try to log in: what stands between a guesser and people's passwords."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from rixin.accounts.miss_limit import network_of
from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit, LimitError

WINDOW: Final = 900.0
"""Seconds."""
BY_BOTH: Final = 5
"""Failures that one address may have with one name."""
BY_ADDRESS: Final = 50
"""Failures that one address may have in all; IPv6 addresses count by their /64 network."""
BY_NAME: Final = 100
"""Failures that one name may have from everywhere: a crowd of guessers gets no further, and few people are kept out."""

Forgive: TypeAlias = Callable[[], None]
Admit: TypeAlias = Callable[[tuple[Limit, ...]], Awaitable[Forgive]]
"""Counts once against limits, or raises `LimitError`; gives what takes it back."""


class LoginThrottle:
    """Counts every try before it is looked at, so that a thousand at once are not more than one after the other.

    Args:
        admit: The counter, which all processes of a server share.
    """

    def __init__(self, admit: Admit) -> None:
        self._admit = admit

    async def take(self, name: str, address: str | None) -> Forgive:
        """Counts a try, for a quarter of an hour.

        Args:
            name: Whom somebody says to be.
            address: Where they are.

        Returns:
            What takes it back, for a try that was right.

        Raises:
            RixinError: `RATE_LIMITED` when it is one too many.
        """
        # What is counted is kept, and nobody's name or mistyped password belongs there.
        who = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        where = network_of(address)
        limits = (
            Limit(f"login:{who}@{where}", "requests", BY_BOTH, WINDOW, lasting=True),
            Limit(f"login:@{where}", "requests", BY_ADDRESS, WINDOW, lasting=True),
            Limit(f"login:{who}", "requests", BY_NAME, WINDOW, lasting=True),
        )
        try:
            return await self._admit(limits)
        except LimitError as error:
            raise RixinError(
                Kind.RATE_LIMITED,
                "Too many logins have failed. Wait before you try again.",
                retry_after=error.retry_after,
            ) from None
