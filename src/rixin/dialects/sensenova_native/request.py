"""A client's body, read: `POST /v1/llm/chat-completions` and `POST /v1/llm/completions`.

Source: SenseNova V6 API documentation, section on image-text chat.

Decisions where the source leaves one:

- null is absent, for every field.
- What an absent field means is part of this API, so its defaults hold whatever model answers.
- A `max_new_tokens` that the client sent is a promise: where it does not fit into the window, the request is refused
  instead of being answered with less.
- A field that no struct describes (`know_ids`, `plugins`) rides along in `extra`.
"""

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.core.requests import Generate, Origin, ReasoningWish, Sampling
from rixin.dialects.base import Call, CardOf
from rixin.dialects.chat_models import check_chats
from rixin.dialects.decoding import decode, decode_fields
from rixin.dialects.openai_chat.reasoning import read_switch
from rixin.dialects.openai_chat.request import read_extra, read_stop
from rixin.dialects.openai_chat.wire import Thinking
from rixin.dialects.sensenova_native.bounds import CHAT, COMPLETION, Bounds, check_number
from rixin.dialects.sensenova_native.messages import read_messages
from rixin.dialects.sensenova_native.wire import NAME, ChatBody, CommonBody, CompletionBody
from rixin.errors import invalid

_CHAT = msgspec.json.Decoder(ChatBody)
_COMPLETION = msgspec.json.Decoder(CompletionBody)

_CHAT_FIELDS = frozenset(ChatBody.__struct_fields__)
_COMPLETION_FIELDS = frozenset(CompletionBody.__struct_fields__)


def parse_chat(call: Call, card_of: CardOf) -> Generate:
    """Reads a chat request.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    fields = decode_fields(call.body)
    body = decode(_CHAT, call.body)
    request = read_common(call, body, card_of, read_extra(fields, _CHAT_FIELDS), CHAT)
    return msgspec.structs.replace(
        request, messages=read_messages(body.messages), reasoning=read_thinking(body.thinking)
    )


def parse_completion(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for a bare prompt's continuation. Raises as `parse_chat` does."""
    fields = decode_fields(call.body)
    body = decode(_COMPLETION, call.body)
    request = read_common(call, body, card_of, read_extra(fields, _COMPLETION_FIELDS), COMPLETION)
    return msgspec.structs.replace(request, prompt=body.prompt, stop=read_stop(body.stop))


def read_common(call: Call, body: CommonBody, card_of: CardOf, extra: JsonObject, bounds: Bounds) -> Generate:
    """What all kinds of request have, and neither a conversation nor a prompt yet. Raises as `parse_chat` does."""
    card = _card(body, card_of)
    for field in bounds.rules:
        check_number(bounds, field, getattr(body, field))
    wanted, penalty = body.max_new_tokens, body.repetition_penalty
    return Generate(
        model=body.model,
        card=card,
        sampling=Sampling(
            temperature=bounds.temperature if body.temperature is None else body.temperature,
            top_p=bounds.top_p if body.top_p is None else body.top_p,
            repetition_penalty=bounds.repetition_penalty if penalty is None else penalty,
        ),
        max_tokens=bounds.max_new_tokens if wanted is None else wanted,
        max_tokens_binding=wanted is not None,
        n=1 if body.n is None else body.n,
        stream=bool(body.stream),
        include_usage=True,
        user=body.user,
        extra=extra,
        origin=Origin(NAME, call.body),
    )


def read_thinking(thinking: Thinking | None) -> ReasoningWish:
    """Whether the model shall think. Raises `INVALID_REQUEST` for a word that does not say."""
    return ReasoningWish(enabled=None if thinking is None else read_switch(thinking))


def _card(body: CommonBody, card_of: CardOf) -> ModelCard:
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    card = card_of(body.model)
    check_chats(card, "model not found")
    return card
