"""What was learned of a provider's models: rules that hold for every request until they are forgotten."""

from typing import Annotated, Any

import msgspec
from fastapi import Query
from pydantic import BaseModel

from rixin.profiles.explanation import Layer, facts
from rixin.store.learned import LearnedRule
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.phrases import PhraseView
from rixin.web.admin.services import Services

router = guarded_router("providers")


class LearnedView(BaseModel):
    """One rule. Instants are seconds since the epoch."""

    model: str
    """The provider's name for it."""
    part: str
    """What the model was proved to refuse."""
    kind: str
    """`free`, `convertible` or `preference`: what it means for the answer that it is not sent as it was."""
    does: list[str]
    """What is done to requests, in words."""
    phrases: list[PhraseView]
    """The same."""
    rule: dict[str, Any]
    """The same, as fields of a profile."""
    learned_at: float
    tested_at: float
    """When a test proved it last."""
    expires_at: float
    """When it is to be tested again."""


class LearnedList(BaseModel):
    """The rules of a provider in the order in which they were learned."""

    data: list[LearnedView]


class Forgotten(BaseModel):
    """What was removed."""

    count: int


@router.get("/providers/{name}/learned")
async def list_learned(
    services: Services,
    name: str,
    model: Annotated[str | None, Query(description="The provider's name for a model.")] = None,
) -> LearnedList:
    """Lists what was learned of a provider's models, or of one of them."""
    return LearnedList(data=[_view(rule) for rule in services.learned.rules(name, model)])


@router.delete("/providers/{name}/learned")
async def forget_learned(
    services: Services,
    name: str,
    model: Annotated[str | None, Query(description="The provider's name for a model, all unless given.")] = None,
    part: Annotated[str | None, Query(description="What one rule is about, all unless given.")] = None,
) -> Forgotten:
    """Forgets what was learned. What is still true is learned again when a request is refused."""
    return Forgotten(count=await services.learned.forget(name, model, part))


def _view(rule: LearnedRule) -> LearnedView:
    found = facts([Layer("learned", rule.rule)])
    return LearnedView(
        model=rule.model,
        part=rule.part,
        kind=rule.kind.value,
        does=[fact.meaning for fact in found],
        phrases=[PhraseView.model_validate(fact.phrase) for fact in found],
        rule=msgspec.to_builtins(rule.rule),
        learned_at=rule.learned_at,
        tested_at=rule.tested_at,
        expires_at=rule.expires_at,
    )
