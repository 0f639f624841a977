"""How the providers are: which of their keys rest and why, which models are left alone, who waits."""

from fastapi import Query
from pydantic import BaseModel

from rixin.routing.gate import Gate
from rixin.routing.known_provider import KnownProvider
from rixin.routing.open_rests import OpenRest, open_rests
from rixin.routing.provider_view import shown_key
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("providers")


class RestView(BaseModel):
    """What is not asked before an instant."""

    model: str | None
    """The provider's name for a model; absent where it holds for all."""
    until: float
    """Seconds since the epoch."""
    reason: str
    """The kind of error that brought it about."""
    times: int
    """How often in a row."""


class PooledKey(BaseModel):
    """A key of a provider."""

    key: str | None
    """Its last four characters; absent where the provider asks for none."""
    calls: int
    """How often this process sent it in the last five hours."""
    rests: list[RestView]
    """Empty where it may be sent for whatever model."""


class PoolView(BaseModel):
    """A provider that is served, as this process of the server sees it. Rests are shared by all processes."""

    provider: str
    waiting: int
    """Requests that stand in line for it."""
    rests: list[RestView]
    """Models that fail too often, whatever the key."""
    keys: list[PooledKey]


class PoolList(BaseModel):
    """All providers that are served."""

    data: list[PoolView]


@router.get("/pools")
async def list_pools(services: Services, provider: str | None = Query(None, max_length=200)) -> PoolList:
    """Tells of each provider which keys may be sent, and what rests until when and why; of one where it is named."""
    served = [entry for entry in services.providers.served if provider in (None, entry.name)]
    gates = [(entry, services.gate_of(entry.name)) for entry in served]
    return PoolList(data=[_view(services, entry, gate) for entry, gate in gates if gate is not None])


def _view(services: AdminServices, entry: KnownProvider, gate: Gate) -> PoolView:
    now = services.clock.monotonic()
    ahead = services.clock.now() - now
    rests = list(open_rests(gate, now))
    return PoolView(
        provider=entry.name,
        waiting=gate.waiting,
        rests=[_rest(rest, ahead) for rest in rests if rest.key is None],
        keys=[
            PooledKey(
                key=None if key.secret is None else shown_key(key.secret),
                calls=key.used(now),
                rests=[_rest(rest, ahead) for rest in rests if rest.key is key],
            )
            for key in gate.pool.keys
        ],
    )


def _rest(rest: OpenRest, ahead: float) -> RestView:
    return RestView(model=rest.model, until=rest.until + ahead, reason=rest.kind.value, times=rest.step)
