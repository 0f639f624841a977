"""The published plans' file."""

from pathlib import Path

import pytest

import rixin.profiles
from rixin.errors import Kind, RixinError
from rixin.profiles.cards import load_models
from rixin.profiles.plans import load_plans

PROFILES = Path(rixin.profiles.__file__).parent


def test_every_plan_that_a_model_names_is_published() -> None:
    """A card never points to a plan that nobody can be given."""
    plans = load_plans((PROFILES / "plans.toml").read_bytes())
    named = {card.plan for card in load_models((PROFILES / "models.toml").read_bytes()).cards.values()} - {None}
    assert named == plans.keys()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"plans = 3", "Expected `object`"),
        (b"\xff", "decode"),
        (b"[plans.a", "table of plans"),
        (b"[plans.a]\nlimits = [{ unit = 'words', amount = 1 }]", "words"),
        (b"[plans.a]\nlimits = [{ unit = 'tokens', amount = 1, per = 60 }]", "per"),
    ],
)
def test_a_broken_file_is_refused_naming_what_is_wrong(data: bytes, what: str) -> None:
    """What cannot be read is a configuration error of this file."""
    with pytest.raises(RixinError, match=what) as caught:
        load_plans(data)
    assert caught.value.kind is Kind.CONFIGURATION
