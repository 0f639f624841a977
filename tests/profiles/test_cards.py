"""The table of documented models."""

from pathlib import Path

import pytest

from rixin.core.cards import ModelCard
from rixin.errors import Kind, RixinError
from rixin.profiles import cards
from rixin.profiles.cards import alias_card, load_models

SHIPPED = Path(cards.__file__).with_name("models.toml").read_bytes()


def test_the_strict_table_is_the_documented_one() -> None:
    """The flash-lite table holds the sixteen documented fields and the three that the guide's examples send."""
    card = load_models(SHIPPED).cards["sensenova-6.7-flash-lite"]
    assert set(card.fields) == {
        *("model", "messages", "stream", "stream_options", "temperature", "top_p", "max_tokens", "n", "stop"),
        *("frequency_penalty", "presence_penalty", "reasoning_effort", "tools", "tool_choice"),
        *("parallel_tool_calls", "seed"),
        *("top_k", "min_p", "repetition_penalty"),
    }


def test_ranges_are_the_documented_ones() -> None:
    """Closed and open bounds are kept apart."""
    fields = load_models(SHIPPED).cards["sensenova-6.7-flash-lite"].fields
    assert fields["temperature"].range_text() == "[0,2]"
    assert fields["top_p"].range_text() == "(0,1]"
    assert fields["seed"].range_text() == "[0,9999999)"
    assert not fields["top_p"].admits(0)
    assert fields["top_p"].admits(1)
    assert not fields["seed"].admits(9999999)


@pytest.mark.parametrize("name", ["SenseNova-V6-Pro", "SenseNova-V6-Turbo", "SenseNova-V6-Reasoner"])
def test_models_of_the_native_platform_have_their_limits(name: str) -> None:
    """A window of 32K tokens, of which an answer takes up to 16384, and the plan of 60 requests a minute."""
    card = load_models(SHIPPED).cards[name]
    assert (card.context_length, card.max_output_length, card.plan) == (32768, 16384, "sensenova-v6")
    assert card.input_modalities == ("text", "image", "video")


def test_u1_fast_draws_the_documented_sizes() -> None:
    """The eleven of its documentation, the first of which is its default, and those that the official skills send."""
    rules = load_models(SHIPPED).cards["sensenova-u1-fast"].drawing
    assert rules is not None
    assert rules.sizes[0] == "2752x1536"
    assert set(rules.sizes) == {
        *("2752x1536", "1536x2752", "2048x2048", "1664x2496", "2496x1664", "1760x2368", "2368x1760", "1824x2272"),
        *("2272x1824", "3072x1376", "1344x3136"),
        *("1344x1344", "1792x992", "992x1792", "1632x1088", "1088x1632", "1536x1152", "1152x1536", "1472x1184"),
        *("1184x1472", "864x2048"),
    }
    assert (rules.most, rules.most_edited, rules.formats) == (4, 0, ("png",))


@pytest.mark.parametrize("name", ["sensenova-u1.5-lite", "sensenova-u1.5-fast"])
def test_u15_draws_within_the_documented_bounds(name: str) -> None:
    """Multiples of 32, from 512 to 4096, one edge up to three times the other; one image, made of up to five."""
    rules = load_models(SHIPPED).cards[name].drawing
    assert rules is not None
    bounds = (rules.multiple, rules.shortest_edge, rules.longest_edge, rules.steepest)
    assert (rules.sizes, bounds) == ((), (32, 512, 4096, 3.0))
    assert (rules.most, rules.most_edited, rules.formats) == (1, 5, ("png", "jpeg", "webp"))


def test_an_alias_keeps_its_table_and_takes_the_limits_of_what_answers() -> None:
    """Window and output are the smaller of both, modalities and features the target's."""
    alias = load_models(SHIPPED).cards["sensenova-6.7-flash-lite"]
    target = ModelCard(name="local", target="local", context_length=32768, max_output_length=8192, features=("tools",))
    card = alias_card("sensenova-6.7-flash-lite", alias, target)
    assert (card.context_length, card.max_output_length) == (32768, 8192)
    assert card.input_modalities == ("text",)
    assert card.features == ("tools",)
    assert card.fields == alias.fields
    assert card.reasoning_field == "reasoning"
    assert card.target == "local"


def test_an_alias_tells_what_is_described_to_its_target() -> None:
    """And how: whoever asks for it may send images, and should know that nobody sees them."""
    alias = load_models(SHIPPED).cards["SenseNova-V6-Pro"]
    target = ModelCard(name="local", target="local", description="Told.", described_modalities=("image",))
    card = alias_card("SenseNova-V6-Pro", alias, target)
    assert (card.input_modalities, card.accepted_modalities) == (("text",), ("text", "image"))
    assert card.description == "Told."


def test_an_undocumented_alias_is_the_target_under_another_name() -> None:
    """`gpt-5` has no row, so its card is that of what answers."""
    target = ModelCard(name="local", target="local", context_length=32768)
    assert alias_card("gpt-5", None, target) == ModelCard(name="gpt-5", target="local", context_length=32768)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[[models]]\nname = 1", "Expected `str`"),
        (b"[[models]]\nname = 'a'\nspeed = 3", "speed"),
        (b"[[models]]\nname = 'a'\ntable = 'none'", "none"),
        (b"not toml", "not valid"),
    ],
)
def test_a_bad_table_is_refused_by_name(data: bytes, says: str) -> None:
    """What is wrong with the file is named."""
    with pytest.raises(RixinError, match=says) as raised:
        load_models(data)
    assert raised.value.kind is Kind.CONFIGURATION
