"""How much a model shall think: `thinking` and `output_config.effort`, read and rendered."""

from rixin.core.json import JsonObject
from rixin.core.requests import Generate, ReasoningWish
from rixin.dialects.anthropic.wire import CountBody
from rixin.dialects.openai_chat.bounds import MAX_NAME, check_size, check_word
from rixin.errors import invalid

SWITCH: dict[str, bool | None] = {"enabled": True, "adaptive": None, "disabled": False}
"""`adaptive` leaves it to the model, as saying nothing does."""

EFFORTS = {"minimal": "low", "ultra": "max"}
"""Effort words that this wire does not know, and the nearest that it does."""

LEAST_BUDGET = 1024


def read_reasoning(body: CountBody) -> ReasoningWish:
    """The wish that a body's fields amount to. Which efforts a model knows is for its profile to say."""
    effort = None if body.output_config is None else body.output_config.effort
    if effort is not None:
        check_size(len(effort), MAX_NAME, "output_config.effort", "characters")
    if body.thinking is None:
        return ReasoningWish(effort=effort)
    check_word(body.thinking.type, tuple(SWITCH), "thinking.type")
    budget = body.thinking.budget_tokens
    if budget is not None and budget < 1:
        raise invalid("invalid thinking.budget_tokens, should in [1,inf).", "thinking.budget_tokens")
    return ReasoningWish(effort=effort, enabled=SWITCH[body.thinking.type], budget=budget)


def render_thinking(request: Generate, max_tokens: int) -> JsonObject:
    """The field `thinking`. A budget leaves something of `max_tokens` for the answer, or is left out."""
    wish = request.reasoning
    if wish.wanted is None:
        return {}
    if not wish.wanted:
        return {"thinking": {"type": "disabled"}}
    budget = None if wish.budget is None else min(max(wish.budget, LEAST_BUDGET), max_tokens - 1)
    if budget is None or budget < LEAST_BUDGET:
        return {"thinking": {"type": "adaptive"}}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def render_effort(request: Generate) -> str | None:
    """The effort in this wire's words; not to think at all is said by `thinking`."""
    effort = request.reasoning.effort
    return None if effort in (None, "none") else EFFORTS.get(effort, effort)
