"""What a profile does to requests, in words, and who says so."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from rixin.core.cards import FieldRule
from rixin.core.json import JsonValue
from rixin.profiles.phrases import PHRASES, Phrase
from rixin.profiles.profile import JOINED, NOTHING, Profile, layered


class Layer(Struct, frozen=True):
    """What one source says of an upstream."""

    source: str
    profile: Profile


class Fact(Struct, frozen=True, kw_only=True):
    """One field of a profile."""

    field: str
    value: JsonValue
    sources: tuple[str, ...]
    """Whose word it is: one, or all whose parts count."""
    phrase: Phrase
    """What it does to requests or answers, as a sentence."""
    meaning: str
    """The same in English."""


def facts(layers: Iterable[Layer]) -> list[Fact]:
    """What layers come to, later ones winning, in the order of the profile's fields."""
    layers = tuple(layers)
    profile = layered(layer.profile for layer in layers)
    found: list[Fact] = []
    for name in Profile.__struct_fields__:
        value = getattr(profile, name)
        if value == getattr(NOTHING, name):
            continue
        sources = [layer.source for layer in layers if getattr(layer.profile, name) != getattr(NOTHING, name)]
        found.append(
            Fact(
                field=name,
                value=_plain(value),
                sources=tuple(sources if name in JOINED or name == "clamp" else sources[-1:]),
                phrase=(told := phrase(name, value)),
                meaning=told.text,
            )
        )
    return found


def phrase(field: str, value: Any) -> Phrase:  # noqa: ANN401 - fields of many types, told apart by name
    """What one field of a profile does, as a sentence without a full stop."""
    parameters = _PARAMETERS.get(field)
    if parameters is not None:
        return Phrase(field, parameters(value))
    code = f"{field}_{str(value).lower()}"
    return Phrase(code if code in PHRASES else _USUAL[value])


class Choice(Struct, frozen=True):
    """A value that a field of a profile may have."""

    value: JsonValue
    phrase: Phrase
    """As of a `Fact`."""
    meaning: str


class ProfileField(Struct, frozen=True):
    """A field of a profile, for whoever fills one in."""

    name: str
    kind: Literal["choice", "names", "table", "text", "number"]
    choices: tuple[Choice, ...] = ()
    """All that it may be, where it is a choice."""


def profile_fields() -> list[ProfileField]:
    """All fields of a profile, in their order, but for the headers, which hold secrets."""
    described = msgspec.inspect.type_info(Profile)
    assert isinstance(described, msgspec.inspect.StructType)  # noqa: S101 - it is one
    return [_profile_field(field) for field in described.fields if field.name != "extra_headers"]


def _profile_field(field: msgspec.inspect.Field) -> ProfileField:
    name, types = field.name, field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
    if name not in _PARAMETERS:
        return ProfileField(
            name, "choice", tuple(_choice(name, value) for value in _values(get_type_hints(Profile)[name]))
        )
    for kind in types:
        match kind:
            case msgspec.inspect.FrozenSetType() | msgspec.inspect.VarTupleType():
                return ProfileField(name, "names")
            case msgspec.inspect.DictType():
                return ProfileField(name, "table")
            case msgspec.inspect.IntType():
                return ProfileField(name, "number")
            case _:
                pass
    return ProfileField(name, "text")


def _choice(field: str, value: JsonValue) -> Choice:
    told = phrase(field, value)
    return Choice(value, told, told.text)


def _values(hint: object) -> Iterator[JsonValue]:
    """All values of a type that has a few, in the order in which they are declared."""
    if hint is bool:
        yield from (True, False)
    elif get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for part in get_args(hint):
            yield from _values(part)


def _plain(value: object) -> JsonValue:
    if isinstance(value, frozenset):
        return [*sorted(msgspec.convert(value, set[str]))]
    plain: JsonValue = msgspec.to_builtins(value)
    return plain


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _names(names: Iterable[str]) -> dict[str, str]:
    return {"names": _list(names)}


def _ranges(rules: dict[str, FieldRule]) -> dict[str, str]:
    return {"ranges": ", ".join(f"{name} {rule.range_text()}" for name, rule in sorted(rules.items()))}


def _pairs(table: dict[str, str]) -> dict[str, str]:
    return {"pairs": ", ".join(f"{name} → {value}" for name, value in table.items())}


_PARAMETERS: dict[str, Callable[[Any], dict[str, str]]] = {
    "allowed_fields": _names,
    "drop_params": _names,
    "keep_params": _names,
    "drop_defaults": _names,
    "clamp": _ranges,
    "extra_body": _names,
    "extra_headers": _names,
    "drop_message_fields": _names,
    "efforts": lambda words: {"names": ", ".join(words)},
    "effort_map": _pairs,
    "reasoning_placeholder": lambda text: {"text": text},
    "allowed_tool_types": _names,
    "tool_name_length": lambda length: {"length": str(length)},
    "stream_quirks": _names,
}
"""What the phrases of fields with values of all kinds say of one; other fields have a phrase for each value."""

_USUAL: dict[object, str] = {"keep": "untouched", "off": "untouched", False: "switched_off"}
"""What values mean in most fields."""
