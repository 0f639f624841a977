"""A client's body, read: `:generateContent`, `:streamGenerateContent` and `:countTokens` of `/v1beta/models/{model}`.

Sources: Google's Gemini API reference; what Gemini CLI and Google's SDKs send.

Decisions where the sources leave one:

- null is absent, and names may be in snake case.
- What no model here can be told (`safetySettings`, `cachedContent`, kinds of answers that are no text) is named among
  the changes. There is no upstream half for which it could ride along.
- A thought is shown to who asks for it by `includeThoughts`, and sealed for everybody.
"""

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject
from rixin.core.requests import Change, Count, Generate, Origin, Sampling
from rixin.core.tools import ResponseFormat
from rixin.dialects.base import Call, CardOf
from rixin.dialects.chat_models import check_chats
from rixin.dialects.gemini.contents import read_contents
from rixin.dialects.gemini.reasoning import read_reasoning
from rixin.dialects.gemini.schemas import json_schema
from rixin.dialects.gemini.tools import dropped_tools, read_choice, read_tools
from rixin.dialects.gemini.wire import (
    EVENTS,
    NAME,
    THOUGHTS,
    WireConfig,
    read_body,
    read_fields,
    server_tools,
    unknown_fields,
)
from rixin.dialects.openai_chat.bounds import check_number, check_word
from rixin.dialects.openai_chat.request import read_stop

_NUMBERS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "frequency_penalty": "frequencyPenalty",
    "presence_penalty": "presencePenalty",
    "seed": "seed",
}
"""Sampling parameters, and their names on this wire."""
_FORMATS = ("text/plain", "application/json", "text/x.enum")


def parse_generate(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for a whole answer.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    return _read(call, read_fields(call.body), card_of)


def parse_stream(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for a streamed answer. Raises as `parse_generate` does."""
    request = _read(call, read_fields(call.body), card_of)
    form = request.form | {EVENTS} if call.query.get("alt") == "sse" else request.form
    return msgspec.structs.replace(request, stream=True, form=form)


def parse_count(call: Call, card_of: CardOf) -> Count:
    """Reads a request for the number of its prompt's tokens: contents, or the whole request that is to be counted.

    Raises as `parse_generate` does.
    """
    fields = read_fields(call.body)
    inner = fields.get("generateContentRequest")
    return Count(request=_read(call, inner if isinstance(inner, dict) else fields, card_of))


def _read(call: Call, fields: JsonObject, card_of: CardOf) -> Generate:
    body = read_body(fields)
    model = call.path_params.get("model", "")
    card = _card(model, card_of)
    config = body.generation_config or WireConfig()
    changes = [Change("ignored", name) for name in unknown_fields(fields)]
    tools, choice = read_tools(body.tools or []), None
    if body.tool_config is not None and body.tool_config.function_calling_config is not None:
        choice, tools = read_choice(body.tool_config.function_calling_config, tools)
    thinking = config.thinking_config
    return Generate(
        model=model,
        card=card,
        messages=read_contents(body.system_instruction, body.contents),
        tools=tools,
        tool_choice=choice,
        sampling=_sampling(config, card),
        max_tokens=_checked(card, "max_tokens", config.max_output_tokens, "maxOutputTokens"),
        n=_checked(card, "n", config.candidate_count, "candidateCount") or 1,
        stop=read_stop(config.stop_sequences, "generationConfig.stopSequences"),
        response_format=_response_format(config, changes),
        reasoning=read_reasoning(thinking),
        form=frozenset({THOUGHTS}) if thinking is not None and thinking.include_thoughts else frozenset(),
        include_usage=True,
        changes=(*changes, *dropped_tools(server_tools(fields))),
        origin=Origin(NAME, call.body),
    )


def _card(model: str, card_of: CardOf) -> ModelCard:
    card = card_of(model)
    check_chats(card)
    return card


def _checked(card: ModelCard, field: str, value: int | None, name: str) -> int | None:
    check_number(card, field, value, f"generationConfig.{name}")
    return value


def _sampling(config: WireConfig, card: ModelCard) -> Sampling:
    given = {field: getattr(config, field) for field in _NUMBERS}
    for field, value in given.items():
        check_number(card, field, value, f"generationConfig.{_NUMBERS[field]}")
    return Sampling(**given)


def _response_format(config: WireConfig, changes: list[Change]) -> ResponseFormat | None:
    kind, path = config.response_mime_type or "text/plain", "generationConfig.responseMimeType"
    check_word(kind, _FORMATS, path)
    if kind == "text/x.enum":
        changes.append(Change("ignored", path))
        return None
    schema: JsonObject | None = config.response_json_schema  # pyright: ignore[reportAssignmentType] - decoded from JSON
    if schema is None and config.response_schema is not None:
        schema = json_schema(config.response_schema)  # pyright: ignore[reportArgumentType] - as above
    if schema is not None:
        return ResponseFormat(kind="json_schema", schema=schema)
    return ResponseFormat(kind="json_object") if kind == "application/json" else None
