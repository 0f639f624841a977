"""What a process knows of the keys in the store, for as long as the store confirms it.

Once a second it asks for the revision that every change raises, in whatever process. When the store cannot be asked,
what is known counts for 5 seconds more, and then nobody is let in.
"""

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from rixin.accounts.account import Account
from rixin.accounts.key_account import account_of, refusal_of
from rixin.accounts.miss_limit import MissLimit
from rixin.accounts.remembered import Remembered
from rixin.accounts.sealed_box import SealedBox
from rixin.accounts.single_flight import SingleFlight
from rixin.clock import Clock
from rixin.errors import Kind, RixinError
from rixin.store.keys import KeyTable
from rixin.store.polling import POLL_INTERVAL

FRESH_FOR = 5.0
"""Seconds that what the store said counts."""
MAX_KNOWN = 20_000
MAX_UNKNOWN = 10_000

_ATTEMPTS = 3

Found = TypeVar("Found")


class KnownKey(Struct, frozen=True):
    """A key that the store has, whether or not it counts."""

    account: Account
    refusal: str | None
    """Why it does not count; None where it does."""
    secret: bytes | None
    """An access key's."""


class KnownKeys:
    """The keys of one database that this process was asked for.

    Args:
        table: Where they are stored.
        box: Opens the secrets of access keys.
        clock: Time.
    """

    def __init__(self, table: KeyTable, box: SealedBox, clock: Clock) -> None:
        self._table = table
        self._box = box
        self._clock = clock
        self._misses = MissLimit(clock)
        self._known: Remembered[KnownKey] = Remembered(MAX_KNOWN)
        self._unknown: Remembered[None] = Remembered(MAX_UNKNOWN)
        self._revision = 0
        self._confirmed = -math.inf  # the instant as of which the store confirmed what is known
        self._changed = -math.inf  # the instant before which it cannot have, since we changed a key
        self._polls: SingleFlight[None, None] = SingleFlight()
        self._look_ups: SingleFlight[bytes, KnownKey | None] = SingleFlight()

    @property
    def stale(self) -> bool:
        """Whether the store must confirm what is known before it counts."""
        return self._clock.monotonic() - self._confirmed > FRESH_FOR

    async def find(self, digest: bytes, address: str | None) -> KnownKey | None:
        """The key with a digest; None where there is none. Waits for nothing where that is known.

        Args:
            digest: The key's.
            address: Of the client, who may not ask for too many that are not there.

        Raises:
            RixinError: `RATE_LIMITED` when too many unknown ones came from the address; `OVERLOADED` when the store
                must be asked and cannot be.
        """
        known = self._known.get(digest)
        if known is not None or digest in self._unknown:
            return known
        if self._look_ups.running(digest):
            return await self._look_ups.run(digest, lambda: self.learn(digest))
        self._misses.take(address)
        try:
            known = await self._look_ups.run(digest, lambda: self.learn(digest))
        except RixinError:
            self._misses.give_back(address)
            raise
        if known is not None:
            self._misses.give_back(address)
        return known

    async def learn(self, digest: bytes) -> KnownKey | None:
        """As `find`, from the store itself.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        found = await self._ask(lambda: self._table.find(digest))
        if found is None:
            self._unknown[digest] = None
            return None
        secret = None if found.sealed is None else self._box.open(found.sealed, found.key.prefix)
        known = KnownKey(account_of(found), refusal_of(found), secret)
        self._known[digest] = known
        return known

    async def poll(self) -> None:
        """Asks the store whether any key has changed, in whatever process.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        await self._polls.run(None, lambda: self._ask(self._read_revision))

    def distrust(self) -> None:
        """A key was changed here: that counts in this process at once, and what was read before confirms nothing."""
        self._changed = self._clock.monotonic()
        self._confirmed = -math.inf

    async def settle(self) -> None:
        """Ends what is under way in the store."""
        await self._polls.settle()
        await self._look_ups.settle()

    async def _read_revision(self) -> tuple[None, int]:
        return None, await self._table.revision()

    async def _ask(self, read: Callable[[], Awaitable[tuple[Found, int]]]) -> Found:
        # An answer says as of which revision it is true. One that a later answer or a change of ours has overtaken is
        # asked for again: taken in now, it would bring a dead key back to life.
        for _ in range(_ATTEMPTS):
            asked = self._clock.monotonic()
            found, revision = await read()
            if revision < self._revision or asked < self._changed:
                continue
            if revision > self._revision:
                self._known.clear()
                self._unknown.clear()
                self._revision = revision
            self._confirmed = max(self._confirmed, asked)
            return found
        raise RixinError(
            Kind.OVERLOADED,
            "The server cannot check API keys at the moment. Try again shortly.",
            retry_after=POLL_INTERVAL,
            detail=f"the store's revision of the keys is behind {self._revision}, or keys change without pause",
        )
