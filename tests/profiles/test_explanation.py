"""What profiles do, in words."""

import typing
from pathlib import Path

import pytest

from rixin.core.cards import FieldRule
from rixin.profiles import presets
from rixin.profiles.cards import load_models
from rixin.profiles.explanation import Fact, Layer, facts, phrase, profile_fields
from rixin.profiles.phrases import Phrase
from rixin.profiles.presets import load_presets
from rixin.profiles.profile import NOTHING, Profile, layered

ROOM = Path(presets.__file__).parent
HINTS = typing.get_type_hints(Profile)


def words() -> list[tuple[str, object]]:
    """Every value that a field with a fixed vocabulary can have."""
    found: list[tuple[str, object]] = []
    for name, hint in HINTS.items():
        for part in typing.get_args(hint):
            if typing.get_origin(part) is typing.Literal:
                found += [(name, value) for value in typing.get_args(part)]
            elif part is bool:
                found += [(name, True), (name, False)]
    return found


@pytest.mark.parametrize(("field", "value"), words())
def test_every_word_has_a_meaning(field: str, value: object) -> None:
    """No value of a profile is left unexplained, and whoever fills one in is told of it."""
    told = phrase(field, value)
    assert told.text
    if told.code not in Profile.__struct_fields__:
        choices = next(known.choices for known in profile_fields() if known.name == field)
        assert [choice.phrase for choice in choices if choice.value is value] == [told]


def test_every_field_has_a_meaning() -> None:
    """Sets, tables and numbers name what they hold."""
    profile = Profile(
        allowed_fields=frozenset({"model", "seed"}),
        clamp={"temperature": FieldRule(minimum=0, maximum=2)},
        effort_map={"xhigh": "high"},
        efforts=("low", "high"),
        tool_name_length=40,
    )
    told = {fact.field: fact.meaning for fact in facts([Layer("me", profile)])}
    assert told["allowed_fields"] == "sends no other fields than model, seed"
    assert told["clamp"] == "brings numbers into their range: temperature [0,2]"
    assert told["effort_map"] == "calls efforts by other names: xhigh → high"
    assert told["efforts"].endswith("low, high")
    assert "40" in told["tool_name_length"]
    assert facts([]) == []


def test_who_says_what() -> None:
    """The last word counts and its source is named; of what is joined, all sources are."""
    low = Layer("low", Profile(drop_params=frozenset({"user"}), null_content="omit"))
    high = Layer("high", Profile(drop_params=frozenset({"seed"}), null_content="empty"))
    assert facts([low, high]) == [
        Fact(
            field="drop_params",
            value=["seed", "user"],
            sources=("low", "high"),
            phrase=Phrase("drop_params", {"names": "seed, user"}),
            meaning="never sends seed, user",
        ),
        Fact(
            field="null_content",
            value="empty",
            sources=("high",),
            phrase=Phrase("null_content_empty"),
            meaning="sends an empty text for the null or missing content of assistant messages",
        ),
    ]


def test_all_presets_can_be_explained() -> None:
    """Each fact of each known provider, for any model and for those it names, is told with a source."""
    cards = load_models((ROOM / "models.toml").read_bytes()).cards
    for preset in load_presets((ROOM / "presets.toml").read_bytes()).all:
        for model in ("any", *cards, *(rule.name for rule in preset.models)):
            layers = preset.layers(model, cards.get(model))
            told = facts(layers)
            profile = layered(layer.profile for layer in layers)
            wanted = [name for name in Profile.__struct_fields__ if getattr(profile, name) != getattr(NOTHING, name)]
            assert [fact.field for fact in told] == wanted
            assert all(fact.sources for fact in told)
