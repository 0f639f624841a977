"""The phrases: all that is said has one, and all that there are is said."""

import re
import tomllib
from pathlib import Path

import rixin
from rixin.profiles import error_rules
from rixin.profiles.explanation import phrase, profile_fields
from rixin.profiles.phrases import PHRASES
from rixin.profiles.probes import EDGES, SUBJECTS
from rixin.profiles.profile import Profile

SOURCES = Path(rixin.__file__).parent
SAID = ("service/doctor", "service/explain.py", "profiles/stream_facts.py")
"""Where phrases are said by their codes, or by what comes behind these:"""
PREFIXES = ("probe_", "usage_")


def said_by_profiles() -> set[str]:
    """The codes of all that a profile may do."""
    fields = profile_fields()
    return {choice.phrase.code for field in fields for choice in field.choices} | {
        name for name in Profile.__struct_fields__ if name in PHRASES
    }


def test_all_that_is_asked_about_has_a_name() -> None:
    """Every subject and every edge of the doctor's."""
    for asked in (*SUBJECTS, *EDGES):
        assert asked.about.text


def test_no_phrase_is_left_over() -> None:
    """Each is that of a profile's field, of something that is asked about, or is said by its code."""
    names = {asked.about.code for asked in (*SUBJECTS, *EDGES)} | said_by_profiles()
    files = [path for place in SAID for path in (SOURCES / place).rglob("*.py")] + [
        SOURCES / place for place in SAID if place.endswith(".py")
    ]
    words = set(re.findall(r"[\"']([a-z_]+)[\"']", "".join(path.read_text(encoding="utf-8") for path in files)))
    for code in PHRASES.keys() - names:
        assert {code, *(code.removeprefix(prefix) for prefix in PREFIXES)} & words, code


def test_fields_with_values_of_all_kinds_say_them() -> None:
    """None is told without what it holds."""
    assert phrase("drop_params", frozenset({"b", "a"})).parameters == {"names": "a, b"}
    for field in profile_fields():
        if field.kind != "choice":
            assert re.search(r"\{\w+\}", PHRASES[field.name])


def test_hints_are_in_both_languages() -> None:
    """Every rule about upstreams' words says what it means in English and in Chinese, with the same parts of them."""
    rules = tomllib.loads((Path(error_rules.__file__).parent / "error_rules.toml").read_text(encoding="utf-8"))["rules"]
    assert rules
    for rule in rules:
        assert rule["en"]
        assert re.search(r"[\u4e00-\u9fff]", rule["zh"])
        assert set(re.findall(r"\{\w+\}", rule["en"])) == set(re.findall(r"\{\w+\}", rule["zh"])), rule["name"]
