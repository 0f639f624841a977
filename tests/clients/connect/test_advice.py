"""What is said before an agent meets a small model."""

import pytest

from rixin.clients.connect.advice import advice, needs_advice
from rixin.clients.connect.agents import AGENTS
from rixin.clients.connect.connection import Model


@pytest.mark.parametrize(
    ("model", "needed"),
    [
        (Model(name="m", owned_by="rixin", context_length=131072), True),
        (Model(name="m", owned_by="rixin"), True),
        (Model(name="m", owned_by="someone", context_length=32768), True),
        (Model(name="m", owned_by="someone", context_length=64000), False),
        (Model(name="m", owned_by="someone"), False),
    ],
)
def test_only_embedded_and_small_models_need_a_word(model: Model, needed: bool) -> None:
    """A provider's model whose window is unknown is trusted."""
    assert needs_advice(model) is needed


@pytest.mark.parametrize(
    ("name", "window", "speed", "said"),
    [
        ("claude", 32768, 100.0, "about 12,250 tokens, so the answer begins after about 2 min."),
        ("claude", 32768, 1000.0, "the answer begins after about 12 s."),
        ("claude", 32768, 100.0, "What is left of the window, 20,518 tokens, is soon full."),
        ("claude", 12250, 100.0, "it cannot work with this model."),
        ("hermes", 32768, 100.0, "Hermes Agent refuses models with a window under 64,000 tokens."),
        ("codex", None, 100.0, "local is a model that this server runs itself.\n"),
    ],
)
def test_the_wait_and_the_room_are_told(name: str, window: int | None, speed: float, said: str) -> None:
    """For the agent that asks, at the speed that was measured."""
    model = Model(name="local", owned_by="rixin", context_length=window)
    assert said in "\n".join(advice(AGENTS[name], model, speed))
