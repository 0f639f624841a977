"""What to expect of an agent on a model that is small, or that the server runs itself."""

from rixin.clients.connect.agent import Agent
from rixin.clients.connect.connection import Model, tokens_of

SMALL_WINDOW = 64_000
"""Tokens below which an agent is soon out of room."""
EMBEDDED = "rixin"
"""Who owns the models that a Rixin server runs itself."""


def needs_advice(model: Model) -> bool:
    """Whether somebody should know more before an agent asks this model."""
    window = model.context_length
    return model.owned_by == EMBEDDED or (window is not None and window < SMALL_WINDOW)


def advice(agent: Agent, model: Model, speed: float) -> list[str]:
    """Sentences to read before an agent is wired to such a model.

    Args:
        agent: The agent.
        model: The model.
        speed: Prompt tokens a second that it reads.
    """
    tokens, window = tokens_of(agent.first_turn), model.context_length
    whose = "a model that this server runs itself" if model.owned_by == EMBEDDED else "a small model"
    room = "" if window is None else f", with a window of {window:,} tokens"
    wait = _duration(tokens / speed)
    said = [
        f"{model.name} is {whose}{room}.",
        f"It reads {speed:,.0f} prompt tokens/s, measured just now.",
        f"{agent.title}'s first turn has about {tokens:,} tokens, so the answer begins after about {wait}.",
    ]
    if window is not None and window <= tokens:
        said.append("That does not fit the window: it cannot work with this model.")
    elif window is not None and window < agent.least_window:
        said.append(f"{agent.title} refuses models with a window under {agent.least_window:,} tokens.")
    elif window is not None and window < SMALL_WINDOW:
        said.append(f"What is left of the window, {window - tokens:,} tokens, is soon full.")
    said.append("A provider's model does better: `rixin providers add sensenova`, then --model NAME.")
    return said


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
