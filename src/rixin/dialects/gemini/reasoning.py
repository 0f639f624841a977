"""How much a model shall think: `thinkingConfig`, read."""

from rixin.core.requests import ReasoningWish
from rixin.dialects.gemini.wire import WireThinking
from rixin.dialects.openai_chat.bounds import MAX_NAME, check_size

_UNSPECIFIED = "THINKING_LEVEL_UNSPECIFIED"


def read_reasoning(config: WireThinking | None) -> ReasoningWish:
    """The wish that the fields amount to. A budget of 0 is not to think; of less, to leave it to the model."""
    if config is None:
        return ReasoningWish()
    level, budget = config.thinking_level, config.thinking_budget
    if level is not None:
        check_size(len(level), MAX_NAME, "generationConfig.thinkingConfig.thinkingLevel", "characters")
    effort = None if level in (None, "", _UNSPECIFIED) else level.lower()
    if budget is None or budget < 0:
        return ReasoningWish(effort=effort)
    return ReasoningWish(effort=effort, enabled=bool(budget), budget=budget or None)
