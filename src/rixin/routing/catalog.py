"""From a model's name to the card that describes it and the candidates that can answer.

A name is resolved in one order: `provider/model`; a configured route; a model that a provider lists; a local model; a
configured route or alias that is a glob, or an alias; a built-in alias, which is answered by the default model; else an
error that names the nearest names.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import reduce

import msgspec
from msgspec import Struct

from rixin.core.cards import ModelCard, Operation, Pricing
from rixin.core.prices import PriceList
from rixin.engines.base import ListedModel
from rixin.errors import Kind, RixinError
from rixin.profiles.cards import KnownModels, alias_card, presumed_operations, smaller_card
from rixin.settings import LOCAL, RouteTarget

BUILTIN_PATTERNS: dict[str, Operation] = {
    "nova-embedding-stable": "embed",
    "nova-embedding-v1": "embed",
    "text-embedding-*": "embed",
    "dall-e-*": "draw",
    "gpt-image-*": "draw",
    "claude-*": "generate",
    "opus": "generate",
    "sonnet": "generate",
    "haiku": "generate",
    "gpt-*": "generate",
    "chatgpt-*": "generate",
    "codex-*": "generate",
    "o[1-9]": "generate",
    "o[1-9]-*": "generate",
    "gemini-*": "generate",
}
"""Names that clients ask for by habit, and the operation whose default model answers them; the first that fits counts.

Agents ask for more names than their user chose: Claude Code for `claude-haiku-*` beside the chosen model, Codex for
`codex-auto-review` and `gpt-*-mini`, Gemini CLI for `gemini-*-flash-lite`.
"""

_WINDOW_SUFFIX = "[1m]"
_SILENT_RETRY = 2.0


class Candidate(Struct, frozen=True, kw_only=True):
    """One way to answer: an engine, and the model it is asked for."""

    engine: str
    model: str
    priority: int = 0
    """The lowest number is asked first."""
    weight: float = 1.0
    """The share of requests among candidates of one priority."""

    @property
    def provider(self) -> str:
        """The provider's name; `local` for every local model, each of which has an engine of its own."""
        return LOCAL if self.engine.startswith(f"{LOCAL}/") else self.engine


class Preference(Struct, frozen=True, kw_only=True):
    """How a provider ranks among those that serve the same model."""

    priority: int = 0
    weight: float = 1.0


_EQUAL = Preference()


class Resolution(Struct, frozen=True, kw_only=True):
    """What a name stands for."""

    card: ModelCard
    candidates: tuple[Candidate, ...]


class Catalog:
    """All models that can be asked for. Providers' and local models' lists are replaced as they are learned.

    Args:
        known: What is documented of models.
        aliases: The configured aliases, in file order; names may be globs, targets are names.
        providers: Provider names in configured order; the first one that lists a model for an operation has the
            default.
        routes: The configured routes, in file order; names may be globs.
        preferences: How providers rank; those that are not here have the defaults.
        prices: What models cost; what is documented of them unless given.
    """

    def __init__(
        self,
        known: KnownModels,
        aliases: Mapping[str, str],
        providers: Iterable[str] = (),
        *,
        routes: Mapping[str, Sequence[RouteTarget]] | None = None,
        preferences: Mapping[str, Preference] | None = None,
        prices: PriceList | None = None,
    ) -> None:
        self._known = known
        self._prices = prices or PriceList({}, known.cards)
        self._remote: dict[str, dict[str, ModelCard]] = {}
        self._silent: set[str] = set()
        """Providers that have not told their models yet."""
        self._local: dict[str, ModelCard] = {}
        self._resolved: dict[str, Resolution] = {}
        self.configure(aliases, providers, routes=routes, preferences=preferences)

    def configure(
        self,
        aliases: Mapping[str, str],
        providers: Iterable[str],
        *,
        routes: Mapping[str, Sequence[RouteTarget]] | None = None,
        preferences: Mapping[str, Preference] | None = None,
    ) -> None:
        """Replaces what is configured; arguments as of the class. What the remaining providers list stays known."""
        self._aliases = dict(aliases)
        self._routes = dict(routes or {})
        self._preferences = dict(preferences or {})
        before = self._remote
        self._remote = {provider: before.get(provider, {}) for provider in providers}
        self._silent = {provider for provider in self._remote if provider not in before or provider in self._silent}
        self._resolved.clear()

    def set_provider_models(self, provider: str, models: Iterable[ListedModel]) -> None:
        """Replaces what a provider lists."""
        self._silent.discard(provider)
        self._remote[provider] = {model.name: self._provider_card(provider, model) for model in models}
        self._resolved.clear()

    def set_local_models(self, cards: Iterable[ModelCard]) -> None:
        """Replaces the local models; the first one is the default."""
        self._local = {
            card.name: msgspec.structs.replace(card, pricing=self._pricing(LOCAL, card.target)) for card in cards
        }
        self._resolved.clear()

    def resolve(self, name: str) -> Resolution:
        """What a name stands for.

        Raises:
            RixinError: `MODEL_NOT_FOUND`, naming the three nearest names; `STARTING` while a provider that may have it
                has not told its models.
        """
        found = self._find(name)
        if found is None:
            raise RixinError(Kind.MODEL_NOT_FOUND, self._not_found(name), param="model")
        return found

    def cards(self) -> list[ModelCard]:
        """The cards of every name that can be listed."""
        return [found.card for found in self.resolutions()]

    def resolutions(self) -> list[Resolution]:
        """What every name that can be listed stands for: providers' models, local ones, aliases that are no globs."""
        names: dict[str, None] = {}
        for models in self._remote.values():
            names.update(dict.fromkeys(models))
        names.update(dict.fromkeys(self._local))
        names.update(dict.fromkeys(name for name in (*self._routes, *self._aliases) if not _is_glob(name)))
        names.update(dict.fromkeys(self._known.aliases))
        resolutions: list[Resolution] = []
        for name in names:
            try:
                found = self._find(name)
            except RixinError:
                continue
            if found is not None:
                resolutions.append(found)
        return resolutions

    def default(self, operation: Operation) -> Resolution | None:
        """The model that answers where nobody chose one: the first provider's first, else the first local one.

        Raises:
            RixinError: `STARTING` while a provider that would come first has not told its models.
        """
        for provider, models in self._remote.items():
            if provider in self._silent:
                raise _still_silent(provider)
            for card in models.values():
                if card.supports(operation):
                    return Resolution(card=card, candidates=(self._candidate(provider, card.target),))
        for card in self._local.values():
            if card.supports(operation):
                return _local_resolution(card)
        return None

    def _find(self, name: str) -> Resolution | None:
        found = self._resolved.get(name)
        if found is None and (found := self._look_up(name)) is not None:
            if len(self._resolved) >= 4096:
                self._resolved.clear()
            self._resolved[name] = found
        return found

    def _look_up(self, name: str) -> Resolution | None:
        found = self._listed(name)
        if found is None:
            plain = name.removesuffix(_WINDOW_SUFFIX)
            found = (plain != name and self._listed(plain)) or self._configured(plain) or self._builtin(plain)
        if not found and self._silent:
            raise _still_silent(min(self._silent))
        if not found or found.card.name == name:
            return found or None
        card = alias_card(name, self._known.cards.get(name.removesuffix(_WINDOW_SUFFIX)), found.card)
        return Resolution(card=msgspec.structs.replace(card, name=name), candidates=found.candidates)

    def _listed(self, name: str) -> Resolution | None:
        provider, slash, model = name.partition("/")
        if slash and model in self._remote.get(provider, {}):
            return Resolution(
                card=msgspec.structs.replace(self._remote[provider][model], name=name),
                candidates=(self._candidate(provider, model),),
            )
        if name in self._routes:
            return self._routed(name)
        return self._served(name)

    def _served(self, name: str) -> Resolution | None:
        """Who lists a name, or `local/name`."""
        provider, slash, model = name.partition("/")
        serving = [self._candidate(provider, name) for provider, models in self._remote.items() if name in models]
        if serving:
            first = min(serving, key=lambda candidate: candidate.priority)
            return Resolution(card=self._remote[first.engine][name], candidates=tuple(serving))
        card = self._local.get(name) or (self._local.get(model) if provider == LOCAL and slash else None)
        return None if card is None else _local_resolution(card)

    def _routed(self, route: str) -> Resolution:
        """The models of a route that are served now; the card says what all of the most preferred ones can do."""
        candidates: dict[tuple[str, str], Candidate] = {}
        for target in self._routes[route]:
            for candidate in self._targets(target.model):
                ranked = msgspec.structs.replace(
                    candidate,
                    priority=candidate.priority if target.priority is None else target.priority,
                    weight=candidate.weight if target.weight is None else target.weight,
                )
                candidates.setdefault((ranked.engine, ranked.model), ranked)
        if not candidates:
            raise RixinError(Kind.MODEL_NOT_FOUND, f"nobody serves any model of the route `{route}` now", param="model")
        best = min(candidate.priority for candidate in candidates.values())
        cards = [
            self._remote[engine][model] if engine in self._remote else self._local[model]
            for (engine, model), candidate in candidates.items()
            if candidate.priority == best
        ]
        return Resolution(card=reduce(smaller_card, cards), candidates=tuple(candidates.values()))

    def _targets(self, name: str) -> tuple[Candidate, ...]:
        """Who serves the target of a route; none where nobody does now."""
        provider, slash, model = name.partition("/")
        if slash and model in self._remote.get(provider, {}):
            return (self._candidate(provider, model),)
        served = self._served(name)
        return () if served is None else served.candidates

    def _configured(self, name: str) -> Resolution | None:
        for route in self._routes:
            if _is_glob(route) and fnmatchcase(name, route):
                return self._routed(route)
        for alias, target in self._aliases.items():
            if alias == name or (_is_glob(alias) and fnmatchcase(name, alias)):
                found = self._listed(target)
                if found is None:
                    raise RixinError(
                        Kind.MODEL_NOT_FOUND,
                        f"the alias `{alias}` points to `{target}`, which no provider and no local model serves",
                        param="model",
                    )
                return found
        return None

    def _builtin(self, name: str) -> Resolution | None:
        if name in self._known.aliases:
            operation: Operation | None = self._known.cards[name].operations[0]
        else:
            operation = next((op for pattern, op in BUILTIN_PATTERNS.items() if fnmatchcase(name, pattern)), None)
        return None if operation is None else self.default(operation)

    def _candidate(self, provider: str, model: str) -> Candidate:
        preference = self._preferences.get(provider, _EQUAL)
        return Candidate(engine=provider, model=model, priority=preference.priority, weight=preference.weight)

    def _provider_card(self, provider: str, model: ListedModel) -> ModelCard:
        unknown = ModelCard(
            name=model.name,
            target=model.name,
            owned_by="",
            operations=presumed_operations(model.name, model.output_modalities),
        )
        known = self._known.cards.get(model.name, unknown)
        return msgspec.structs.replace(
            known,
            provider=provider,
            owned_by=model.owned_by or known.owned_by or provider,
            created=model.created or known.created,
            context_length=model.context_length or known.context_length,
            max_output_length=model.max_output_length or known.max_output_length,
            input_modalities=model.input_modalities or known.input_modalities,
            output_modalities=model.output_modalities or known.output_modalities,
            pricing=self._pricing(provider, model.name),
        )

    def _pricing(self, provider: str, model: str) -> Pricing:
        return self._prices.of(provider, model).pricing(self._prices.currency)

    def _not_found(self, name: str) -> str:
        nearest = difflib.get_close_matches(name, [card.name for card in self.cards()], n=3, cutoff=0.0)
        hint = f" The nearest names are {', '.join(nearest)}." if nearest else " No model is configured."
        return f"model is not found: `{name[:100]}`.{hint}"


def _still_silent(provider: str) -> RixinError:
    return RixinError(
        Kind.STARTING, f"The provider {provider} has not told its models yet.", retry_after=_SILENT_RETRY, param="model"
    )


def _local_resolution(card: ModelCard) -> Resolution:
    return Resolution(card=card, candidates=(Candidate(engine=f"{LOCAL}/{card.target}", model=card.target),))


def _is_glob(name: str) -> bool:
    return any(character in name for character in "*?[")
