"""The plans that keys can be given."""

from pydantic import BaseModel

from rixin.errors import invalid
from rixin.limits.base import Limit
from rixin.settings import PlanLimit, Unit
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, Services

router = guarded_router("plans")


class PlanLimitView(BaseModel):
    """One limit of a plan."""

    unit: Unit
    amount: int
    """Of `money` in millionths of a unit of currency."""
    window: float | None
    """Seconds; absent for concurrency."""
    model: str | None
    """The model or glob that it is for, each model counted apart; absent where it counts all together."""
    text: str
    """As people say it, such as `60 requests per minute`."""


class PlanView(BaseModel):
    """A named set of limits."""

    name: str
    configured: bool
    """Whether it is from the settings, and not one that a model's maker publishes."""
    limits: list[PlanLimitView]


class PlanList(BaseModel):
    """All plans, by name."""

    data: list[PlanView]


@router.get("/plans")
async def list_plans(services: Services) -> PlanList:
    """Lists the plans that keys can be given."""
    plans = services.plans
    return PlanList(
        data=[
            PlanView(name=name, configured=plans.is_configured(name), limits=[_view(rule) for rule in plan.limits])
            for name, plan in sorted(plans.all.items())
        ]
    )


def check_plan(services: AdminServices, plan: str | None) -> None:
    """Raises `INVALID_REQUEST` unless there is such a plan, or none is wished for."""
    if plan is not None and plan not in services.plans.all:
        raise invalid("There is no such plan.", "plan")


def _view(rule: PlanLimit) -> PlanLimitView:
    text = str(Limit("", rule.unit, rule.amount, rule.window))
    return PlanLimitView(unit=rule.unit, amount=rule.amount, window=rule.window, model=rule.model, text=text)
