"""Examines providers by their names, and keeps what was found as their operator's word."""

import re
from collections.abc import Callable, Mapping

import msgspec

from rixin.clock import Clock
from rixin.core.cards import ModelCard
from rixin.errors import Kind, RixinError, invalid
from rixin.profiles.diagnosis import Diagnosis, Finding, plain_profile
from rixin.profiles.error_rules import ErrorRules
from rixin.profiles.profile import Profile, merge
from rixin.routing.gate import Gate
from rixin.routing.known_provider import KnownProvider
from rixin.routing.providers import ProviderBook
from rixin.service.doctor import BUDGET, LEAST_BUDGET, MOST_BUDGET, examine
from rixin.service.prober import GateProber
from rixin.settings import ModelOverride

DIALECT = "openai_chat"
"""The dialect whose upstreams differ in what they take."""

_NO_CHAT = re.compile(r"embed|rerank|image|draw|dall|tts|asr|audio|speech|whisper|ocr|moderation|u1-", re.IGNORECASE)
"""Names of models that answer no chats."""


class Examiner:
    """Examines providers, each once at a time.

    Args:
        providers: All that there are.
        gate_of: Finds the way to one of them by its name.
        documented: What is documented of models, by name.
        error_rules: What upstreams' words mean.
        clock: Time.
    """

    def __init__(
        self,
        providers: ProviderBook,
        gate_of: Callable[[str], Gate | None],
        documented: Mapping[str, ModelCard],
        error_rules: ErrorRules,
        clock: Clock,
    ) -> None:
        self._providers = providers
        self._gate_of = gate_of
        self._documented = documented
        self.error_rules = error_rules
        self._clock = clock
        self._busy: set[str] = set()

    async def examine(
        self,
        name: str,
        *,
        model: str | None = None,
        budget: int = BUDGET,
        tell: Callable[[Finding], None] = lambda _finding: None,
        image_url: str | None = None,
    ) -> Diagnosis:
        """Examines one model of a provider, against what is known of it otherwise.

        Args:
            name: The provider's.
            model: The provider's name for it; the first that answers chats unless given.
            budget: The most calls.
            tell: Called with each finding as it is made.
            image_url: An image that the upstream can fetch, by which images by address are tried.

        Raises:
            RixinError: `NOT_FOUND` for a provider that there is not, `CONFIGURATION` for one that is not served,
                `NOT_IMPLEMENTED` for one that speaks no chat, `CONFLICT` while it is examined already, and
                `INVALID_REQUEST` naming what is wrong with the wish.
        """
        if not LEAST_BUDGET <= budget <= MOST_BUDGET:
            raise invalid(f"calls must lie between {LEAST_BUDGET} and {MOST_BUDGET}", "calls")
        if image_url is not None and not image_url.startswith(("http://", "https://")):
            raise invalid("image_url must begin with http:// or https://", "image_url")
        entry = self._providers.find(name)
        if name in self._busy:
            raise RixinError(Kind.CONFLICT, f"{name} is being examined already.")
        self._busy.add(name)
        try:
            made = 0
            if model is None:
                made = 0 if entry.provider.models else 1
                model = await self._chat_model(entry)
            return await examine(
                self._prober(entry, model),
                entry.profile_for(model, self._documented.get(model)),
                self.error_rules,
                preset=entry.preset.name,
                budget=budget,
                tell=tell,
                image_url=image_url,
                made=made,
            )
        finally:
            self._busy.discard(name)

    def prober_of(self, name: str, model: str) -> GateProber:
        """Somebody who asks a provider's model. Raises as `examine`."""
        return self._prober(self._providers.find(name), model)

    def preset_of(self, name: str) -> str:
        """The name of a provider's preset; empty for one that has gone."""
        return next((entry.preset.name for entry in self._providers.all if entry.name == name), "")

    async def keep(self, name: str, found: ModelOverride) -> KnownProvider:
        """Stores what was found beyond what was known, as the operator's word on a model.

        Args:
            name: The provider's.
            found: What a `Diagnosis` has as its `override`, or a part of that.

        Raises:
            RixinError: `CONFLICT` for a provider of the configuration file, `NOT_FOUND` where it has gone meanwhile,
                `INVALID_REQUEST` naming what is wrong with what was found.
        """
        provider = self._providers.find(name).provider
        override = next((known for known in provider.overrides if known.name == found.name), None)
        before = msgspec.convert({} if override is None else override.profile, Profile)
        try:
            profile = plain_profile(merge(before, msgspec.convert(found.profile, Profile)))
        except msgspec.ValidationError as error:
            raise invalid(f"profile: {error}", "profile") from None
        changed = msgspec.structs.replace(override or ModelOverride(name=found.name), profile=profile)
        if found.context_length is not None:
            changed = msgspec.structs.replace(changed, context_length=found.context_length)
        others = tuple(known for known in provider.overrides if known.name != found.name)
        return await self._providers.replace(msgspec.structs.replace(provider, overrides=(*others, changed)))

    def _prober(self, entry: KnownProvider, model: str) -> GateProber:
        gate = self._gate_of(entry.name)
        if entry.problem is not None or gate is None:
            reason = entry.problem or ("it has no engine" if entry.provider.enabled else "it is disabled")
            raise RixinError(Kind.CONFIGURATION, f"{entry.name} is not served: {reason}")
        if entry.provider.dialect != DIALECT:
            raise RixinError(
                Kind.NOT_IMPLEMENTED, f"{entry.name} speaks {entry.provider.dialect}, of which there is nothing to ask."
            )
        return GateProber(gate, model, self._clock)

    async def _chat_model(self, entry: KnownProvider) -> str:
        """The first of a provider's models that answers chats.

        Raises:
            RixinError: `INVALID_REQUEST` when there is none by its name, or why it lists none.
        """
        names = entry.provider.models or [model.name for model in await self._prober(entry, "").models()]
        for name in names:
            card = self._documented.get(name)
            if card.supports("generate") if card is not None else not _NO_CHAT.search(name):
                return name
        known = f"it lists {', '.join(names[:5])}" if names else "it lists none"
        raise invalid(f"Name a model of {entry.name} that answers chats: {known}.", "model")
