"""What was found out about an upstream, and how it differs from what was known."""

from typing import Any, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from rixin.core.json import JsonValue
from rixin.profiles.explanation import phrase
from rixin.profiles.phrases import Phrase
from rixin.profiles.profile import JOINED, NOTHING, Profile, layered, merge

Verdict: TypeAlias = Literal["yes", "no", "unknown", "note"]


class Finding(Struct, frozen=True, kw_only=True):
    """The outcome of one probe."""

    name: str
    about: str
    """What was asked, as it stands in a table."""
    about_phrase: Phrase
    verdict: Verdict
    """Whether the upstream takes it; `note` for what is neither taken nor refused."""
    detail: str = ""
    detail_phrase: Phrase | None = None
    """The detail where it is in words of ours; else it is the upstream's, or names."""
    rule: Profile = NOTHING
    """What it means for requests and answers."""


class Difference(Struct, frozen=True, kw_only=True):
    """A field of the profile in which what was found goes beyond what was known."""

    field: str
    known: JsonValue
    found: JsonValue
    phrase: Phrase
    """What the found value does, as a sentence."""
    meaning: str
    """The same in English."""


class Diagnosis(Struct, frozen=True, kw_only=True):
    """All that one examination found."""

    provider: str
    model: str
    preset: str
    calls: int
    """Calls that were made."""
    budget: int
    """Calls that were allowed."""
    findings: tuple[Finding, ...]
    differences: tuple[Difference, ...]
    profile: dict[str, Any]
    """The differences, as a layer over what was known."""
    context_length: int | None
    """The window, as far as the upstream told it."""
    context_told: bool = False
    """Whether it did so in a refusal, so that its list of models need not be right about it."""
    verified: bool | None
    """Whether a request with all that was refused passes once it is mended; None where nothing was to be tried."""
    stopped: str | None
    """Why the examination ended before its end."""
    stopped_phrase: Phrase | None = None

    @property
    def override(self) -> dict[str, Any]:
        """What there is to keep, as what a provider's settings say of the model; empty where nothing is."""
        kept: dict[str, Any] = {"profile": self.profile} if self.profile else {}
        if self.context_told:
            kept["context_length"] = self.context_length
        return {"name": self.model, **kept} if kept else {}


def found_profile(findings: "list[Finding]") -> Profile:
    """What all findings ask for together."""
    return layered(finding.rule for finding in findings)


def news(known: Profile, found: Profile) -> Profile:
    """The part of what was found that what was known does not say already."""
    fields: dict[str, object] = {}
    for name in Profile.__struct_fields__:
        value = getattr(found, name)
        alone = msgspec.structs.replace(NOTHING, **{name: value})
        if value == getattr(NOTHING, name) or merge(known, alone) == known:
            continue
        fields[name] = _beyond(name, getattr(known, name), value)
    return msgspec.structs.replace(NOTHING, **fields)


def _beyond(name: str, known: Any, value: Any) -> object:  # noqa: ANN401 - fields of many types, told apart by name
    if name in JOINED and isinstance(value, frozenset):
        return cast("frozenset[str]", value) - known
    if name in JOINED or name == "clamp":
        return {key: item for key, item in value.items() if known.get(key) != item}
    return value


def differences(known: Profile, found: Profile) -> tuple[Difference, ...]:
    """The same, field by field."""
    new = news(known, found)
    return tuple(
        Difference(
            field=name,
            known=_plain(getattr(known, name)),
            found=_plain(value),
            phrase=(told := phrase(name, value)),
            meaning=told.text,
        )
        for name in Profile.__struct_fields__
        if (value := getattr(new, name)) != getattr(NOTHING, name)
    )


def plain_profile(profile: Profile) -> dict[str, Any]:
    """A profile as settings hold it, without what says nothing."""
    return {name: _plain(getattr(profile, name)) for name in msgspec.to_builtins(profile)}


def _plain(value: object) -> JsonValue:
    if isinstance(value, frozenset):
        return [*sorted(cast("frozenset[str]", value))]
    return _without_nothing(msgspec.json.decode(msgspec.json.encode(value)))


def _without_nothing(value: JsonValue) -> JsonValue:
    """Without the fields of ranges that say nothing."""
    if not isinstance(value, dict):
        return value
    return {key: _without_nothing(item) for key, item in value.items() if item is not None and item is not False}
