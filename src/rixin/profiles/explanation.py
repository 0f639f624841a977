"""What a profile does to requests, in words, and who says so."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from rixin.core.cards import FieldRule
from rixin.core.json import JsonValue
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
    meaning: str
    """What it does to requests or answers, as a sentence."""


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
                meaning=meaning(name, value),
            )
        )
    return found


def meaning(field: str, value: Any) -> str:  # noqa: ANN401 - fields of many types, told apart by name
    """What one field of a profile does, as a sentence without a full stop."""
    told = _MEANINGS[field]
    return told(value) if callable(told) else told[value]


class Choice(Struct, frozen=True):
    """A value that a field of a profile may have."""

    value: JsonValue
    meaning: str
    """As of a `Fact`."""


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
    told = _MEANINGS[field.name]
    if not callable(told):
        return ProfileField(field.name, "choice", tuple(Choice(_plain(value), text) for value, text in told.items()))
    types = field.type.types if isinstance(field.type, msgspec.inspect.UnionType) else (field.type,)
    for kind in types:
        match kind:
            case msgspec.inspect.LiteralType(values=values):
                return ProfileField(field.name, "choice", tuple(Choice(value, told(value)) for value in values))
            case msgspec.inspect.FrozenSetType() | msgspec.inspect.VarTupleType():
                return ProfileField(field.name, "names")
            case msgspec.inspect.DictType():
                return ProfileField(field.name, "table")
            case msgspec.inspect.IntType():
                return ProfileField(field.name, "number")
            case _:
                pass
    return ProfileField(field.name, "text")


def _plain(value: object) -> JsonValue:
    if isinstance(value, frozenset):
        return [*sorted(msgspec.convert(value, set[str]))]
    plain: JsonValue = msgspec.to_builtins(value)
    return plain


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _ranges(rules: dict[str, FieldRule]) -> str:
    return ", ".join(f"{name} within {rule.range_text()}" for name, rule in sorted(rules.items()))


def _pairs(table: dict[str, str]) -> str:
    return ", ".join(f"{name} as {value}" for name, value in table.items())


_UNTOUCHED = "sends it as the client wrote it"
_SWITCH_OFF = "leaves it as it is"

_MEANINGS: dict[str, Mapping[object, str] | Callable[[Any], str]] = {
    "allowed_fields": lambda names: f"sends no other fields than {_list(names)}",
    "drop_params": lambda names: f"never sends {_list(names)}",
    "keep_params": lambda names: f"sends {_list(names)} all the same",
    "drop_defaults": lambda names: f"leaves out {_list(names)} where it says what its absence means",
    "drop_nulls": {True: "leaves out fields that are null", False: "sends fields that are null"},
    "clamp": lambda rules: f"brings numbers into their range: {_ranges(rules)}",
    "max_tokens_field": {
        "both": "sends the output limit as max_tokens and as max_completion_tokens",
        "max_tokens": "sends the output limit as max_tokens",
        "max_completion_tokens": "sends the output limit as max_completion_tokens",
    },
    "response_format": {
        "keep": _UNTOUCHED,
        "instruct": "asks for the form of the answer in the system prompt instead of response_format",
        "drop": "leaves out response_format",
    },
    "stream_usage": {
        "keep": _UNTOUCHED,
        "ask": "asks for the usage of every stream",
        "drop": "never sends stream_options",
    },
    "extra_body": lambda fields: f"adds {_list(fields)} to every request",
    "extra_headers": lambda headers: f"adds the headers {_list(headers)} to every request",
    "system_policy": {
        "keep": _UNTOUCHED,
        "merge_head": "makes one system message of all and puts it first",
        "first_only_rest_user": "keeps the system messages at the head, and makes user messages of later ones",
    },
    "developer_role": {"keep": _UNTOUCHED, "system": "makes system messages of developer messages"},
    "content_policy": {
        "keep": _UNTOUCHED,
        "string": "joins the text parts of a message",
        "parts": "sends every text as a list of parts",
    },
    "null_content": {
        "keep": _UNTOUCHED,
        "omit": "leaves out the null content of assistant messages",
        "empty": "sends an empty text for the null or missing content of assistant messages",
    },
    "drop_empty_assistant": {True: "leaves out assistant messages that hold nothing", False: _SWITCH_OFF},
    "drop_message_nulls": {True: "leaves out fields of messages that are null or empty lists", False: _SWITCH_OFF},
    "drop_message_fields": lambda names: f"leaves out {_list(names)} of messages",
    "cache_control": {"keep": _UNTOUCHED, "drop": "leaves out cache marks"},
    "tool_history": {"keep": _UNTOUCHED, "repair": "pairs and orders the calls and results of the conversation"},
    "tool_call_id_policy": {
        "keep": _UNTOUCHED,
        "openai": "gives tool calls ids in OpenAI's form",
        "alnum9": "gives tool calls ids of nine letters and digits",
        "max40": "shortens the ids of tool calls to 40 characters",
        "kimi": "gives tool calls ids in Kimi's form",
    },
    "call_fields": {"keep": _UNTOUCHED, "documented": "leaves out undocumented fields of replayed tool calls"},
    "image_policy": {
        "pass": "sends images as they are",
        "url_only": "sends images by their address only",
        "data_only": "sends images as data only",
        "placeholder": "says in words where an image was",
    },
    "document_policy": {"text": "sends documents as their words", "data": "sends documents as data"},
    "image_needs_text": {True: "adds a text to messages that hold only images", False: _SWITCH_OFF},
    "image_detail": {"keep": _UNTOUCHED, "drop": "leaves out the detail of images"},
    "tool_images": {"keep": _UNTOUCHED, "move": "moves images out of tool results, into a user message after them"},
    "reasoning_style": {
        "effort": "says how much to think in reasoning_effort",
        "thinking": "says whether to think in thinking",
        "thinking_and_effort": "says whether and how much to think in thinking and reasoning_effort",
        "enable_thinking": "says whether to think in enable_thinking",
        "chat_template_kwargs": "says whether to think in chat_template_kwargs",
        "reasoning": "says how much to think in reasoning",
        "none": "does not say how much to think",
    },
    "thinking_budget": {
        True: "says how many tokens may be thought",
        False: "does not say how many tokens may be thought",
    },
    "efforts": lambda words: f"says how much to think as the nearest of {', '.join(words)}",
    "effort_map": lambda table: f"calls efforts {_pairs(table)}",
    "reasoning_echo": {
        "never": "leaves out what was thought in earlier turns",
        "tool_calls": "brings back what was thought before tool calls",
        "always": "brings back all that was thought in earlier turns",
    },
    "reasoning_field": lambda name: f"brings back thoughts in the field {name}",
    "reasoning_placeholder": lambda text: f'writes "{text}" where thoughts are lost that may not be missing',
    "allowed_tool_types": lambda types: f"leaves out tools of other types than {_list(types)}",
    "web_search": {
        True: "asks for the upstream's own web_search where a client asks for its vendor's",
        False: "asks for no web_search of the upstream's own",
    },
    "tool_strict": {
        "keep": _UNTOUCHED,
        "drop_null": "leaves out strict of tools where it is null",
        "drop": "leaves out strict of tools",
    },
    "tool_schema": {
        "off": _UNTOUCHED,
        "safe": "rewrites the schemas of tools without changing what they mean",
        "strict": "rewrites the schemas of tools into the common core that strict upstreams take",
    },
    "tool_name_policy": {"keep": _UNTOUCHED, "openai": "shortens the names of tools to letters, digits, - and _"},
    "tool_name_length": lambda length: f"shortens the names of tools to {length} characters",
    "allowed_tools_choice": {"keep": _UNTOUCHED, "filter": "makes a shorter list of tools of a choice of some"},
    "forced_tool_choice": {"keep": _UNTOUCHED, "auto": "leaves it to the model whether a tool is called"},
    "force_parallel_tool_calls": {True: "always asks for parallel tool calls", False: _SWITCH_OFF},
    "think_tags": {
        True: "takes <think> blocks of answers as reasoning",
        "opened": "takes answers as reasoning up to the first </think>",
        False: "takes <think> blocks of answers as text",
    },
    "tool_markup_heal": {True: "takes tool calls that leak into the text as calls", False: _SWITCH_OFF},
    "stream_quirks": lambda quirks: f"expects of streams: {_list(quirks)}",
}
"""By field: the sentence of each value, or what makes one of the value."""
