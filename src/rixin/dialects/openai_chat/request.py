"""A client's body, read: `POST /v1/chat/completions` and `POST /v1/completions`.

Sources: SenseNova token platform guide and parameter table; OpenAI's Chat Completions and Completions references.

Decisions where the sources leave one:

- null is absent, for every field.
- `max_completion_tokens` is the newer name of `max_tokens`; both with different numbers are refused.
- A field that no struct describes rides along in `extra`; so do tools of other types and unknown forms of
  `tool_choice`. Nothing is dropped here, so nothing is reported as ignored here.
- In strict mode a field outside the model's table is refused by name, or in the platform's own opaque words.
"""

from operator import attrgetter
from typing import Literal

import msgspec
from msgspec import Raw

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Generate, Origin, Sampling
from rixin.dialects.base import Call, CardOf
from rixin.dialects.chat_models import check_chats
from rixin.dialects.decoding import check_depth, decode, decode_any, decode_fields, decode_object, is_null
from rixin.dialects.media_parts import have_media_parts
from rixin.dialects.openai_chat.bounds import (
    MAX_FIELDS,
    MAX_LOGIT_BIAS,
    MAX_NAME,
    MAX_STOPS,
    check_number,
    check_size,
    unlisted,
)
from rixin.dialects.openai_chat.messages import read_messages
from rixin.dialects.openai_chat.reasoning import read_reasoning
from rixin.dialects.openai_chat.tools import read_response_format, read_tool_choice, read_tools
from rixin.dialects.openai_chat.wire import NAME, ChatBody, CommonBody, CompletionBody
from rixin.errors import invalid


class _KnownChatBody(ChatBody, frozen=True, forbid_unknown_fields=True):
    """A body without fields of its own, as most are: one look at it is enough."""


_CHAT = msgspec.json.Decoder(ChatBody)
_KNOWN_CHAT = msgspec.json.Decoder(_KnownChatBody)
_COMPLETION = msgspec.json.Decoder(CompletionBody)

_CHAT_FIELDS = frozenset(ChatBody.__struct_fields__)
_COMPLETION_FIELDS = frozenset(CompletionBody.__struct_fields__)

_SAMPLING = Sampling.__struct_fields__
"""The sampling fields; body and core call them the same."""
_NUMBERS = tuple(name for name in _SAMPLING if name not in ("logit_bias", "do_sample"))
"""Those that are numbers."""

_sampling_of = attrgetter(*_SAMPLING)
_NO_SAMPLING = Sampling()

STRICT_HEADER = "x-rixin-strict"
STRICT_WORDS: dict[str, bool | Literal["opaque"]] = {"1": True, "true": True, "opaque": "opaque"}

OPAQUE_REFUSAL = "Errors in message queue response"
"""All that the token platform says of a field outside a model's table."""

SESSION_FIELD = "prompt_cache_key"
SESSION_HEADERS = ("session_id", "x-session-id", "conversation_id")
"""Where agents say which conversation a request belongs to."""


class _Plain:
    """A body as plain JSON, decoded once it is asked for."""

    __slots__ = ("_body", "_decoded")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._decoded: JsonObject | None = None

    def __call__(self) -> JsonObject:
        if self._decoded is None:
            self._decoded = decode_object(self._body)
        return self._decoded


def parse_chat(call: Call, card_of: CardOf) -> Generate:
    """Reads a chat request.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    fields: dict[str, Raw] | None = None
    try:
        body = _KNOWN_CHAT.decode(call.body)
    except (ValueError, RecursionError):  # something is wrong with it, or it has fields that are not ours
        fields = decode_fields(call.body)
        body = decode(_CHAT, call.body)
    card = _card(body, card_of)
    _check_strict(call, card, fields)
    extra = {} if fields is None else read_extra(fields, _CHAT_FIELDS)
    plain = _Plain(call.body)
    messages = read_messages(body.messages, plain)
    tools, unknown_tools = read_tools(body.tools or [])
    if unknown_tools:
        extra["tools"] = _pick(plain(), "tools", unknown_tools)
    choice = None
    if body.tool_choice is not None:
        choice = read_tool_choice(body.tool_choice, tools, others=bool(unknown_tools))
        if choice is None:
            extra["tool_choice"] = plain()["tool_choice"]
    if body.top_logprobs and not body.logprobs:
        raise invalid("invalid top_logprobs, it needs logprobs to be true.", "top_logprobs")
    check_number(card, "top_logprobs", body.top_logprobs)
    return Generate(
        model=body.model,
        card=card,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=body.parallel_tool_calls,
        sampling=_sampling(body, card),
        max_tokens=_max_tokens(body, card),
        stop=read_stop(body.stop),
        n=_count(body, card),
        logprobs=bool(body.logprobs),
        top_logprobs=body.top_logprobs,
        response_format=None if body.response_format is None else read_response_format(body.response_format),
        reasoning=read_reasoning(body, card),
        stream=bool(body.stream),
        include_usage=None if body.stream_options is None else body.stream_options.include_usage,
        user=body.user,
        session=_session(call, extra),
        extra=extra,
        peculiar=tuple(name for name in extra if name != SESSION_FIELD),
        origin=Origin(NAME, call.body),
        # Upstreams of this dialect have no such parts, and are sent what they have.
        edited=frozenset({"messages"}) if have_media_parts(messages) else frozenset(),
    )


def parse_completion(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for a bare prompt's continuation.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    fields = decode_fields(call.body)
    body = decode(_COMPLETION, call.body)
    card = _card(body, card_of)
    extra = read_extra(fields, _COMPLETION_FIELDS)
    prompts = [body.prompt] if isinstance(body.prompt, str) else body.prompt
    if len(prompts) != 1:
        raise invalid(f"invalid prompt, should be one text, has {len(prompts)}.", "prompt")
    check_number(card, "max_tokens", body.max_tokens)
    check_number(card, "top_logprobs", body.logprobs, "logprobs")
    return Generate(
        model=body.model,
        card=card,
        prompt=prompts[0],
        sampling=_sampling(body, card),
        max_tokens=body.max_tokens,
        stop=read_stop(body.stop),
        n=_count(body, card),
        logprobs=body.logprobs is not None,
        top_logprobs=body.logprobs,
        stream=bool(body.stream),
        include_usage=None if body.stream_options is None else body.stream_options.include_usage,
        user=body.user,
        session=_session(call, extra),
        extra=extra,
        peculiar=tuple(name for name in extra if name != SESSION_FIELD),
        origin=Origin(NAME, call.body),
    )


def _card(body: CommonBody, card_of: CardOf) -> ModelCard:
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    card = card_of(body.model)
    check_chats(card)
    return card


def _check_strict(call: Call, card: ModelCard, fields: dict[str, Raw] | None) -> None:
    asked = call.headers.get(STRICT_HEADER)
    strict = card.strict or (asked is not None and STRICT_WORDS.get(asked.lower(), False))
    if not strict:
        return
    fields = decode_fields(call.body) if fields is None else fields
    field = unlisted(card, (name for name, raw in fields.items() if not is_null(raw)))
    if field is None:
        return
    if strict == "opaque":
        raise invalid(OPAQUE_REFUSAL)
    field = field[:MAX_NAME]
    raise invalid(f"invalid {field}, it is not a parameter of {card.name}.", field)


def read_extra(fields: dict[str, Raw], known: frozenset[str]) -> JsonObject:
    """The fields that no struct describes; `known` are those that one does."""
    check_size(len(fields), MAX_FIELDS, "arguments", "fields")
    extra: JsonObject = {}
    for name, raw in fields.items():
        if name not in known and not is_null(raw):
            extra[name] = value = decode_any(raw)
            check_depth(value, name[:MAX_NAME])
    return extra


def _pick(body: JsonObject, field: str, positions: tuple[int, ...]) -> list[JsonValue]:
    """Some entries of a field that is a list, as the client sent them."""
    entries = body[field]
    picked = [entries[position] for position in positions] if isinstance(entries, list) else []
    check_depth(picked, field)
    return picked


def _session(call: Call, extra: JsonObject) -> str | None:
    named = extra.get(SESSION_FIELD)
    if isinstance(named, str) and named:
        return named
    for header in SESSION_HEADERS:
        if header in call.headers and (value := call.headers[header]):
            return value
    return None


def _sampling(body: CommonBody, card: ModelCard) -> Sampling:
    given = {name: value for name, value in zip(_SAMPLING, _sampling_of(body), strict=True) if value is not None}
    if not given:
        return _NO_SAMPLING
    for name in _NUMBERS:
        if name in given:
            check_number(card, name, given[name])
    if body.logit_bias is not None:
        check_size(len(body.logit_bias), MAX_LOGIT_BIAS, "logit_bias", "entries")
        for token, bias in body.logit_bias.items():
            if not (token.isascii() and token.isdigit()):
                raise invalid("invalid logit_bias, its keys should be token ids.", "logit_bias")
            check_number(card, "logit_bias", bias, f"logit_bias.{token[:MAX_NAME]}")
    return Sampling(**given)


def _max_tokens(body: ChatBody, card: ModelCard) -> int | None:
    older, newer = body.max_tokens, body.max_completion_tokens
    check_number(card, "max_tokens", older)
    check_number(card, "max_completion_tokens", newer)
    if older is not None and newer is not None and older != newer:
        text = f"invalid max_tokens, it should equal max_completion_tokens ({newer}) or be left out."
        raise invalid(text, "max_tokens")
    return older if newer is None else newer


def read_stop(stop: str | list[str] | None, field: str = "stop") -> tuple[str, ...]:
    """The texts that end an answer. Raises `INVALID_REQUEST` for too many of them, or an empty one, naming `field`."""
    if stop is None:
        return ()
    stops = [stop] if isinstance(stop, str) else stop
    check_size(len(stops), MAX_STOPS, field, "entries")
    if not all(stops):
        raise invalid(f"invalid {field}, its entries should not be empty.", field)
    return tuple(stops)


def _count(body: CommonBody, card: ModelCard) -> int:
    check_number(card, "n", body.n)
    return 1 if body.n is None else body.n
