"""How much a model shall think: `reasoning_effort`, `thinking` and `enable_thinking`, read and rendered.

Sources: SenseNova token platform (effort words by model; `thinking` as an object), Qwen (`enable_thinking`).
"""

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.core.requests import Generate, ReasoningWish
from rixin.dialects.openai_chat.bounds import check_effort, check_word
from rixin.dialects.openai_chat.wire import ChatBody, Thinking

_SWITCH = {"enabled": True, "disabled": False}


def read_reasoning(body: ChatBody, card: ModelCard) -> ReasoningWish:
    """The wish that a body's fields amount to. `thinking` is the newer switch and wins over `enable_thinking`."""
    if body.reasoning_effort is not None:
        check_effort(card, body.reasoning_effort)
    enabled, budget = body.enable_thinking, None
    if body.thinking is not None:
        switch = read_switch(body.thinking)
        enabled, budget = enabled if switch is None else switch, body.thinking.budget_tokens
    return ReasoningWish(effort=body.reasoning_effort, enabled=enabled, budget=budget)


def render_reasoning(request: Generate) -> JsonObject:
    """The fields that say a wish to an upstream."""
    wish, fields = request.reasoning, JsonObject()
    if wish.effort is not None:
        fields["reasoning_effort"] = wish.effort
    if wish.enabled is not None:
        thinking: JsonObject = {"type": "enabled" if wish.enabled else "disabled"}
        if wish.budget is not None:
            thinking["budget_tokens"] = wish.budget
        fields["thinking"] = thinking
    return fields


def read_switch(thinking: Thinking) -> bool | None:
    """Whether thinking is on or off; None where nothing is said. Raises `INVALID_REQUEST` for another word."""
    if thinking.type is None:
        return thinking.enabled
    check_word(thinking.type, tuple(_SWITCH), "thinking.type")
    return _SWITCH[thinking.type]
