"""How far limits are used up: of keys, users and teams by their plans, of providers, and of the whole server."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from pydantic import BaseModel

from rixin.accounts.account import Account
from rixin.limits.base import Cost, Limit, Standing
from rixin.limits.plans import limits_of
from rixin.routing.provider_view import shown_key
from rixin.settings import Plan, PlanLimit, Unit
from rixin.store.keys import Reach
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, Caller, Services

router = guarded_router("quotas")

BearerKind: TypeAlias = Literal["key", "user", "team", "provider", "provider_key", "server"]

MOST_BEARERS = 200
"""Keys, users and teams, of each the earliest, that are looked at."""


class QuotaView(BaseModel):
    """A limit, and how it stands."""

    kind: BearerKind
    """Whom it binds."""
    id: str
    """Of the key, user or team; the provider's name."""
    name: str
    plan: str | None
    """Absent for limits of a provider and of the server."""
    model: str | None
    """The one that it counts; absent where it counts all together."""
    unit: Unit
    amount: int
    """Of `money` in millionths of a unit of currency."""
    window: float | None
    """Seconds; absent for what runs at a time."""
    used: int
    remaining: int
    reset: float | None
    """When more remains, in seconds since the epoch; absent where nothing is used, and for what runs at a time."""
    text: str
    """The limit as people say it, such as `1500 requests per 5 hours`."""


class QuotaList(BaseModel):
    """Limits: those that are used up the most first."""

    data: list[QuotaView]
    complete: bool
    """Whether nobody was left out, however many keys, users and teams there are."""


class _Bearer(NamedTuple):
    kind: BearerKind
    id: str
    name: str
    plan: str | None
    counter: str
    """Whom the limits are counted for."""
    rules: Sequence[PlanLimit]


@router.get("/quotas")
async def list_quotas(services: Services, caller: Caller) -> QuotaList:
    """Tells how far limits are used up; to a member, those of their keys, of themselves and of their teams.

    Limits that are for single models are told of the models that they are used for.
    """
    people, complete = await _people(services, caller)
    bearers = people if caller.role == "member" else [*people, *_upstreams(services), _server(services)]
    models = list(dict.fromkeys(card.target for card in services.models()))
    bound: dict[str, tuple[_Bearer, Limit]] = {}
    for bearer in bearers:
        for limit in limits_of(bearer.counter, bearer.rules, models):
            bound.setdefault(limit.counter, (bearer, limit))
    now, ahead = services.clock.monotonic(), services.clock.now() - services.clock.monotonic()
    standings = await services.limiter.inspect([limit for _, limit in bound.values()], Cost()) if bound else ()
    views = [_view(bound[standing.limit.counter][0], standing, now, ahead) for standing in standings]
    told = [view for view in views if view.used or view.model is None]
    return QuotaList(data=sorted(told, key=lambda view: -view.used / max(view.amount, 1)), complete=complete)


async def _people(services: AdminServices, caller: Account) -> tuple[list[_Bearer], bool]:
    member = caller.role == "member"
    who = caller.user or caller.id
    keys = await services.keys.list(limit=MOST_BEARERS, reach=Reach(who) if member else None)
    users = [] if member else await services.people.users.list(limit=MOST_BEARERS)
    if member and caller.user is not None:
        users = [await services.people.users.find(caller.user)]
    teams = await services.people.teams.list(caller, limit=MOST_BEARERS)
    plans = services.plans.all
    found = [
        *(_bearer("team", team.id, team.name, team.plan, plans.get(team.plan or "")) for team in teams),
        *(_bearer("user", user.id, user.name, user.plan, plans.get(user.plan or "")) for user in users),
        *(_bearer("key", key.id, key.name, key.plan, plans.get(key.plan or "")) for key in keys),
    ]
    complete = max(len(keys), len(users), len(teams)) < MOST_BEARERS
    return [bearer for bearer in found if bearer.rules], complete


def _bearer(kind: BearerKind, name_id: str, name: str, plan: str | None, known: Plan | None) -> _Bearer:
    return _Bearer(kind, name_id, name, plan, f"{kind}:{name_id}", () if known is None else known.limits)


def _upstreams(services: AdminServices) -> Iterable[_Bearer]:
    for entry in services.providers.served:
        gate, provider = services.gate_of(entry.name), entry.provider
        counter = f"provider:{entry.name}"
        if provider.limits:
            yield _Bearer("provider", entry.name, entry.name, None, counter, provider.limits)
        if provider.key_limits and gate is not None:
            for key in gate.pool.keys:
                name = f"{entry.name} {shown_key(key.secret or '')}"
                yield _Bearer(
                    "provider_key", entry.name, name, None, f"{counter}/key:{key.digest}", provider.key_limits
                )


def _server(services: AdminServices) -> _Bearer:
    return _Bearer("server", "", "", None, "all", services.plans.of_all)


def _view(bearer: _Bearer, standing: Standing, now: float, ahead: float) -> QuotaView:
    limit = standing.limit
    used = limit.amount - standing.remaining
    _, marked, model = limit.key.removeprefix(bearer.counter).partition("/model:")
    return QuotaView(
        kind=bearer.kind,
        id=bearer.id,
        name=bearer.name,
        plan=bearer.plan,
        model=model if marked else None,
        unit=limit.unit,
        amount=limit.amount,
        window=limit.window,
        used=used,
        remaining=standing.remaining,
        reset=standing.reset + ahead if used and limit.window is not None and standing.reset > now else None,
        text=str(limit),
    )
