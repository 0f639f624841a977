"""What was found, against what was known."""

import msgspec

from rixin.core.cards import FieldRule
from rixin.profiles.diagnosis import Difference, differences, news, plain_profile
from rixin.profiles.phrases import Phrase
from rixin.profiles.profile import NOTHING, Profile, merge

KNOWN = Profile(
    drop_params=frozenset({"seed"}),
    clamp={"temperature": FieldRule(minimum=0, maximum=2)},
    system_policy="merge_head",
    effort_map={"max": "high"},
)


def test_only_what_is_new_is_told() -> None:
    """What is known already is no difference; what goes beyond it is, and by no more than it does."""
    found = Profile(
        drop_params=frozenset({"seed", "store"}),
        clamp={"temperature": FieldRule(maximum=1), "max_tokens": FieldRule(maximum=8192)},
        system_policy="merge_head",
        null_content="omit",
        effort_map={"max": "high", "ultra": "high"},
    )
    new = news(KNOWN, found)
    assert new == Profile(
        drop_params=frozenset({"store"}),
        clamp={"temperature": FieldRule(maximum=1), "max_tokens": FieldRule(maximum=8192)},
        null_content="omit",
        effort_map={"ultra": "high"},
    )
    assert merge(KNOWN, new) == merge(KNOWN, found)
    assert differences(KNOWN, found)[0] == Difference(
        field="drop_params",
        known=["seed"],
        found=["store"],
        phrase=Phrase("drop_params", {"names": "store"}),
        meaning="never sends store",
    )


def test_nothing_new_is_nothing() -> None:
    """An upstream that is as it is known has no differences."""
    assert news(KNOWN, KNOWN) == NOTHING
    assert differences(KNOWN, NOTHING) == ()
    assert plain_profile(NOTHING) == {}


def test_a_layer_is_written_as_settings_hold_it() -> None:
    """Without what says nothing, and read again it is the same."""
    profile = Profile(clamp={"top_p": FieldRule(minimum=0, minimum_open=True)}, drop_params=frozenset({"b", "a"}))
    plain = plain_profile(profile)
    assert plain == {"clamp": {"top_p": {"minimum": 0, "minimum_open": True}}, "drop_params": ["a", "b"]}
    assert msgspec.convert(plain, Profile) == profile
