"""A client's body, read: `POST /v1/responses` and `POST /v1/responses/input_tokens`.

Sources: OpenAI's Responses reference; the Open Responses specification; what Codex and other agents were seen to send.

Decisions where the sources leave one:

- null is absent, for every field.
- A request without any input is none that is wrong: agents send it to see whether anybody answers.
- Fields that do not shape the answer (`store`, `previous_response_id`, `metadata`, `include`, ...) ride along in
  `extra` under their own names, for the service that honours them and for the answer that repeats them.
- `extra["compaction_trigger"]` is true where the input ends in such an item.
- Numbers are held to this API's ranges; those of the model are for a profile to see to, because an agent does not know
  them.
"""

from typing import TYPE_CHECKING, cast

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.requests import Count, Generate, Origin, ReasoningWish, Sampling
from rixin.dialects.base import Call, CardOf
from rixin.dialects.chat_models import check_chats
from rixin.dialects.decoding import decode, decode_fields
from rixin.dialects.openai_chat.bounds import BOUNDS, MAX_NAME, check_size
from rixin.dialects.openai_chat.request import read_extra, read_stop
from rixin.dialects.openai_responses.items import COMPACTION_TRIGGER, Conversation, read_content
from rixin.dialects.openai_responses.tools import Toolbox, read_format, read_tool_choice
from rixin.dialects.openai_responses.wire import NAME, ResponsesBody
from rixin.errors import invalid

if TYPE_CHECKING:
    from rixin.core.json import JsonObject, JsonValue

LOGPROBS = "message.output_text.logprobs"
"""The entry of `include` that asks for log probabilities."""

SESSION_HEADERS = ("session-id", "session_id", "thread-id", "x-session-id", "conversation_id")

_DECODER = msgspec.json.Decoder(ResponsesBody)
_SAMPLING = tuple(name for name in Sampling.__struct_fields__ if name in ResponsesBody.__struct_fields__)
_TOOLS = ("tools", "tool_choice", "parallel_tool_calls")
_READ = frozenset(
    {"model", "input", "stream", "user", "max_output_tokens", *_SAMPLING, "stop", "top_logprobs", *_TOOLS}
)
"""Fields that need not ride along, because the core has a word for each."""
_HEEDED = frozenset({
    "store", "previous_response_id", "conversation", "include", "prompt_cache_key", "safety_identifier", "reasoning",
    "metadata", "client_metadata", "stream_options", "text",
})  # fmt: skip
"""Fields that count whoever answers: this server sees to them, or they are none of the answer's business."""
_IDLE: dict[str, tuple["JsonValue", ...]] = {
    "background": (False,),
    "truncation": ("disabled",),
    "service_tier": ("auto", "default"),
}
"""Values that ask for what happens anyway."""


def parse_response_request(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for a response.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    body = decode(_DECODER, call.body)
    card = _card(body, card_of)
    extra = read_extra(decode_fields(call.body), _READ)
    peculiar = _peculiar(extra)
    toolbox = Toolbox()
    toolbox.add(cast("JsonValue", body.tools), "tools")
    conversation = _conversation(body, toolbox)
    if conversation.compaction:
        extra[COMPACTION_TRIGGER] = True
    chosen = read_tool_choice(cast("JsonValue", body.tool_choice), toolbox)
    changes = tuple(toolbox.changes) if chosen.change is None else (*toolbox.changes, chosen.change)
    text, include = body.text, body.include or []
    return Generate(
        model=body.model,
        card=card,
        messages=conversation.messages,
        tools=chosen.tools,
        tool_choice=chosen.choice,
        parallel_tool_calls=body.parallel_tool_calls if chosen.tools else None,
        sampling=_sampling(body),
        max_tokens=_checked("max_tokens", body.max_output_tokens, "max_output_tokens"),
        stop=read_stop(body.stop),
        logprobs=LOGPROBS in include or bool(body.top_logprobs),
        top_logprobs=_checked("top_logprobs", body.top_logprobs),
        response_format=None if text is None or text.format is None else read_format(text.format),
        reasoning=_reasoning(body),
        stream=bool(body.stream),
        include_usage=True,
        user=body.user or body.safety_identifier,
        session=_session(call, body),
        extra=extra,
        peculiar=peculiar,
        changes=changes,
        origin=Origin(NAME, call.body),
        edited=frozenset({"tools", "tool_choice"}) if changes else frozenset(),
    )


def parse_input_tokens(call: Call, card_of: CardOf) -> Count:
    """Reads a request for the number of its input's tokens. Raises as `parse_response_request` does."""
    return Count(request=parse_response_request(call, card_of))


def _card(body: ResponsesBody, card_of: CardOf) -> ModelCard:
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    card = card_of(body.model)
    check_chats(card)
    return card


def _conversation(body: ResponsesBody, toolbox: Toolbox) -> Conversation:
    conversation = Conversation(toolbox)
    conversation.say("system", read_content(cast("JsonValue", body.instructions), "instructions"))
    if isinstance(body.input, str):
        conversation.say("user", read_content(body.input, "input"))
    elif body.input is not None:
        conversation.read(cast("list[JsonObject]", body.input))
    return conversation


def _checked(field: str, value: int | None, param: str | None = None) -> int | None:
    _check(field, value, param or field)
    return value


def _check(field: str, value: float | None, param: str) -> None:
    if value is not None and not BOUNDS[field].admits(value):
        raise invalid(f"invalid {param}, should in {BOUNDS[field].range_text()}.", param)


def _sampling(body: ResponsesBody) -> Sampling:
    values: dict[str, float | None] = {name: getattr(body, name) for name in _SAMPLING}
    for name, value in values.items():
        _check(name, value, name)
    return msgspec.convert(values, Sampling)


def _peculiar(extra: "JsonObject") -> tuple[str, ...]:
    """The fields that are lost on who speaks another dialect; of `text` that is all but the format."""
    text = extra.get("text")
    manner = [f"text.{name}" for name in text if name != "format"] if isinstance(text, dict) else []
    return (
        *(name for name, value in extra.items() if name not in _HEEDED and value not in _IDLE.get(name, ())),
        *manner,
    )


def _reasoning(body: ResponsesBody) -> ReasoningWish:
    effort = None if body.reasoning is None else body.reasoning.effort
    check_size(len(effort or ""), MAX_NAME, "reasoning.effort", "characters")
    return ReasoningWish(effort=effort or None)


def _session(call: Call, body: ResponsesBody) -> str | None:
    named = body.prompt_cache_key or None
    return named or next((value for header in SESSION_HEADERS if (value := call.headers.get(header))), None)
