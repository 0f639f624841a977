"""The providers: those of the configuration file, which is read only here, and those that were stored.

What is wrong with a stored provider, or one of a name that the file has too, is told and keeps nobody else from being
served. Every process has a book of its own; a revision that every change raises makes a change count in all of them.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable

import msgspec
import structlog

from rixin.clock import Clock
from rixin.errors import Kind, RixinError, invalid
from rixin.profiles.presets import Preset, Presets
from rixin.routing.known_provider import KnownProvider, Rules, known_provider
from rixin.settings import Provider
from rixin.store.polling import poll_always
from rixin.store.providers import ProviderTable, StoredProvider

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class ProviderBook:
    """All providers, as one process knows them.

    Args:
        configured: Those of the configuration file.
        table: Where the others are stored.
        rules: What they are checked against.
        clock: Time.

    Raises:
        RixinError: `CONFIGURATION`, naming the configured provider that cannot be served, and why.
    """

    def __init__(self, configured: Iterable[Provider], table: ProviderTable, rules: Rules, clock: Clock) -> None:
        self.rules = rules
        self._table = table
        self._clock = clock
        self._configured = self._checked(configured)
        self._stored: tuple[KnownProvider, ...] = ()
        self._revision = -1
        self._listeners: list[Callable[[], None]] = []
        self._changing = asyncio.Lock()

    @property
    def all(self) -> tuple[KnownProvider, ...]:
        """Configured ones first, in the file's order, then stored ones in the order of their making."""
        names = {entry.name for entry in self._configured}
        return (*self._configured, *(_shadowed(entry, names) for entry in self._stored))

    @property
    def served(self) -> tuple[KnownProvider, ...]:
        """Those that requests can be sent to."""
        return tuple(entry for entry in self.all if entry.is_served)

    def find(self, name: str) -> KnownProvider:
        """The provider of a name.

        Raises:
            RixinError: `NOT_FOUND`, naming those that there are.
        """
        for entry in self.all:
            if entry.name == name:
                return entry
        names = ", ".join(entry.name for entry in self.all) or "none"
        raise RixinError(Kind.NOT_FOUND, f"There is no provider named {name[:100]}; those that there are: {names}.")

    def address_of(self, name: str) -> str:
        """Where a provider that is served is; empty where there is none."""
        return next((entry.provider.base_url for entry in self.served if entry.name == name), "")

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every change."""
        self._listeners.append(listener)

    def check(self, providers: Iterable[Provider]) -> None:
        """Makes sure that the configuration file may say this. Raises as `configure`."""
        self._checked(providers)

    def configure(self, providers: Iterable[Provider]) -> None:
        """Takes what the configuration file says by now.

        Raises:
            RixinError: `CONFIGURATION`, as of the constructor; all stays as it was.
        """
        configured = self._checked(providers)
        if configured != self._configured:
            self._configured = configured
            self._tell()

    async def add(self, provider: Provider) -> KnownProvider:
        """Stores a new provider. Other processes serve it within seconds.

        Raises:
            RixinError: `INVALID_REQUEST` naming what is wrong with it; `CONFLICT` when the name is taken.
        """
        entry = self._accepted(provider)
        self._refuse_configured(provider.name)
        await self._table.add(entry.provider, self._clock.now())
        await self.poll()
        return self.find(provider.name)

    async def replace(self, provider: Provider) -> KnownProvider:
        """Stores a provider in place of the stored one of its name.

        Raises:
            RixinError: `INVALID_REQUEST` naming what is wrong with it; `NOT_FOUND`; `CONFLICT` when the file has it.
        """
        entry = self._accepted(provider)
        self._refuse_configured(provider.name)
        if not await self._table.replace(entry.provider, self._clock.now()):
            raise self._missing(provider.name)
        await self.poll()
        return self.find(provider.name)

    async def remove(self, name: str) -> None:
        """Removes a stored provider. Raises as `replace`."""
        stored = await self._table.remove(name)
        if not stored:
            self._refuse_configured(name)
            raise self._missing(name)
        await self.poll()

    async def poll(self) -> None:
        """Asks the store whether any provider has changed, in whatever process.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        async with self._changing:
            if await self._table.revision() <= self._revision:
                return
            rows, self._revision = await self._table.list()
            stored = tuple(self._from_store(row) for row in rows)
            if stored == self._stored:
                return
            self._stored = stored
        for entry in stored:
            if entry.problem is not None:
                log.error("a provider cannot be served", provider=entry.name, reason=entry.problem)
        self._tell()

    async def run(self) -> None:
        """Polls each second until it is cancelled."""
        await poll_always(self.poll, "providers")

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _checked(self, providers: Iterable[Provider]) -> tuple[KnownProvider, ...]:
        return tuple(known_provider(provider, self.rules, source="configured") for provider in providers)

    def _accepted(self, provider: Provider) -> KnownProvider:
        """A provider that may be stored.

        JSON holds no number that is none, and one that cannot be served is refused rather than kept.
        """
        for name, value in msgspec.structs.asdict(provider).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise invalid(f"{name} must be a number", name)
        if "extra_headers" in provider.profile:
            raise invalid("profile: put headers into headers, where they are kept secret", "profile")
        try:
            return known_provider(provider, self.rules, source="stored")
        except RixinError as error:
            raise invalid(error.message) from None

    def _refuse_configured(self, name: str) -> None:
        if any(entry.name == name for entry in self._configured):
            raise RixinError(
                Kind.CONFLICT, f"The provider {name} is in the configuration file; change it there.", param="name"
            )

    def _missing(self, name: str) -> RixinError:
        try:
            self.find(name)
        except RixinError as error:
            return error
        return RixinError(Kind.NOT_FOUND, f"There is no provider named {name} any more.")

    def _from_store(self, row: StoredProvider) -> KnownProvider:
        try:
            if row.unreadable is not None:
                raise row.unreadable
            return known_provider(row.provider, self.rules, source="stored", updated_at=row.updated_at)
        except RixinError as error:
            return KnownProvider(
                provider=row.provider,
                preset=_preset_of(row.provider, self.rules.presets),
                source="stored",
                problem=error.message,
                updated_at=row.updated_at,
            )


def _preset_of(provider: Provider, presets: Presets) -> Preset:
    """The preset of a provider with which something is wrong, perhaps just that."""
    try:
        return presets.named(provider.preset) if provider.preset else presets.preset_for(provider.base_url)
    except RixinError:
        return presets.named("generic")


def _shadowed(entry: KnownProvider, configured: Collection[str]) -> KnownProvider:
    if entry.name not in configured:
        return entry
    problem = f"the configuration file has a provider named {entry.name} too, which is served in its place"
    return msgspec.structs.replace(entry, problem=entry.problem or problem)
