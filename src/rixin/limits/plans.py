"""Named plans, the server's own limits, and what they mean for one request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, TypeAlias

from rixin.errors import Kind, RixinError
from rixin.limits.base import Limit
from rixin.settings import Plan, PlanLimit

CACHED: Final = 4096
"""Answers that are remembered."""


Bearer: TypeAlias = tuple[str, str | None]
"""Whom a plan binds, such as `key:7f3a`, and the plan's name; None means no limit."""


class Plans:
    """All plans that keys, users and teams can be given, and the limits of the whole server.

    Args:
        configured: The plans of the settings.
        published: Plans that model makers publish; a configured one of the same name wins.
        of_all: What all together may have.

    Raises:
        RixinError: `CONFIGURATION`, naming the plan whose limit makes no sense.
    """

    def __init__(
        self, configured: Mapping[str, Plan], published: Mapping[str, Plan], of_all: Sequence[PlanLimit] = ()
    ) -> None:
        self._plans = {**published, **configured}
        self._of_all = of_all
        self._configured = frozenset(configured)
        self._cache: dict[tuple[tuple[Bearer, ...], str, str | None], tuple[Limit, ...]] = {}
        for name, plan in self._plans.items():
            for limit in plan.limits:
                _check(f"plan {name!r}", limit)
        for limit in of_all:
            _check("limits", limit)

    @property
    def all(self) -> Mapping[str, Plan]:
        """The plans by name."""
        return self._plans

    def is_configured(self, name: str) -> bool:
        """Whether the operator wrote the plan, rather than a model's maker."""
        return name in self._configured

    @property
    def of_all(self) -> Sequence[PlanLimit]:
        """What all together may have."""
        return self._of_all

    def limits_for(self, bearers: tuple[Bearer, ...], model: str, *, asked: str | None = None) -> tuple[Limit, ...]:
        """The limits that bind a request: those of all whose request it is, and the server's.

        A limit for some models counts each true model apart. Where it names not that but the name that was asked for,
        it counts all names that it fits together: clients may invent such names, and an alias is no way around a limit.

        Args:
            bearers: The key, and its user and team, where it has them.
            model: The true model.
            asked: The name that the client asked for, where it differs.

        Raises:
            RixinError: `CONFIGURATION` when there is no such plan: an account whose plan was taken out of the
                settings is not served without limits.
        """
        wanted = (bearers, model, asked)
        limits = self._cache.get(wanted)
        if limits is None:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            limits = self._cache[wanted] = tuple(self._resolve(bearers, model, asked))
        return limits

    def _resolve(self, bearers: tuple[Bearer, ...], model: str, asked: str | None) -> Iterator[Limit]:
        for bearer, plan in bearers:
            if plan is None:
                continue
            found = self._plans.get(plan)
            if found is None:
                raise RixinError(
                    Kind.CONFIGURATION,
                    f"The plan {plan!r} of this credential does not exist.",
                    detail=f"known plans: {', '.join(sorted(self._plans))}",
                )
            yield from _limits(bearer, found.limits, model, asked)
        yield from _limits("all", self._of_all, model, asked)


def limits_of(bearer: str, rules: Sequence[PlanLimit], models: Iterable[str]) -> list[Limit]:
    """All limits that rules mean for somebody, by whatever model is asked.

    Args:
        bearer: Whom they bind, such as `key:7f3a`, or `all`.
        rules: Of a plan, or of the server.
        models: The true models that there are. A limit that is for none of them counts under its own name for them.
    """
    models = tuple(models)
    limits: dict[str, Limit] = {}
    for rule in rules:
        fitting = [model for model in models if rule.model is not None and fnmatchcase(model, rule.model)]
        for model in fitting or [""]:
            for limit in _limits(bearer, (rule,), model, rule.model):
                limits.setdefault(limit.counter, limit)
    return list(limits.values())


def _limits(bearer: str, rules: Sequence[PlanLimit], model: str, asked: str | None) -> Iterator[Limit]:
    for rule in rules:
        if rule.model is None:
            yield Limit(bearer, rule.unit, rule.amount, rule.window)
        elif fnmatchcase(model, rule.model):
            yield Limit(f"{bearer}/model:{model}", rule.unit, rule.amount, rule.window)
        elif asked is not None and fnmatchcase(asked, rule.model):
            yield Limit(f"{bearer}/model:{rule.model}", rule.unit, rule.amount, rule.window)


def _check(where: str, rule: PlanLimit) -> None:
    try:
        Limit("", rule.unit, rule.amount, rule.window)
    except ValueError as error:
        raise RixinError(Kind.CONFIGURATION, f"{where}: {error}") from None
