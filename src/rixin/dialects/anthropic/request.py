"""A client's body, read: `POST /v1/messages` and `POST /v1/messages/count_tokens`.

Sources: Anthropic's Messages reference; the SenseNova token platform's Messages route; what Claude Code sends.

Decisions where the sources leave one:

- null is absent, and `max_tokens` may be absent, as on the token platform.
- A field that no struct describes rides along in `extra`.
- Tools that only Anthropic's servers can run are kept aside and reported as dropped: no other model is shown them.
- The conversation is known by Claude Code's session header, else by what `metadata.user_id` holds.
"""

import re

import msgspec

from rixin.core.cards import ModelCard
from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Change, Count, Generate, Origin, Sampling
from rixin.core.tools import ResponseFormat
from rixin.dialects.anthropic.billing import drop_billing
from rixin.dialects.anthropic.messages import read_conversation
from rixin.dialects.anthropic.reasoning import read_reasoning
from rixin.dialects.anthropic.tools import SERVER_TOOLS, read_tool_choice, read_tools
from rixin.dialects.anthropic.wire import NAME, CountBody, MessagesBody, OutputFormat, WireBlock
from rixin.dialects.base import Call, CardOf
from rixin.dialects.chat_models import check_chats
from rixin.dialects.decoding import check_depth, decode, decode_any, decode_fields, decode_object
from rixin.dialects.openai_chat.bounds import check_number
from rixin.dialects.openai_chat.request import read_extra, read_stop
from rixin.errors import RixinError, invalid

_MESSAGES = msgspec.json.Decoder(MessagesBody)

FIELDS = frozenset(MessagesBody.__struct_fields__)
"""The fields that are known."""

SESSION_HEADERS = ("x-claude-code-session-id", "session_id", "x-session-id")
_SESSION = re.compile(r"_session_([0-9A-Za-z-]+)$")


def parse_messages(call: Call, card_of: CardOf) -> Generate:
    """Reads a request for an answer.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
    """
    fields = decode_fields(call.body)
    body = decode(_MESSAGES, call.body)
    card = _card(body, card_of)
    extra, changes = read_extra(fields, FIELDS), list[Change]()
    peculiar = tuple(extra)
    system = _system(body, changes)
    conversation = read_conversation(system, body.messages)
    tools = body.tools or []
    offer = read_tools(tools, conversation.references, body.tool_choice)
    changes += offer.changes
    if offer.server:
        extra[SERVER_TOOLS] = _pick(call.body, offer.server)
    choice, parallel = None, None
    if body.tool_choice is not None:
        choice, dropped = read_tool_choice(body.tool_choice, tools, offer)
        if dropped:
            changes.append(Change("drop_tool_choice", "tool_choice"))
        if offer.tools and body.tool_choice.disable_parallel_tool_use is not None:
            parallel = not body.tool_choice.disable_parallel_tool_use
    user = None if body.metadata is None else body.metadata.user_id
    check_number(card, "max_tokens", body.max_tokens)
    return Generate(
        model=body.model,
        card=card,
        messages=conversation.messages,
        tools=offer.tools,
        tool_choice=choice,
        parallel_tool_calls=parallel,
        sampling=_sampling(body, card),
        max_tokens=body.max_tokens,
        stop=read_stop(body.stop_sequences, "stop_sequences"),
        response_format=_response_format(body),
        reasoning=read_reasoning(body),
        stream=bool(body.stream),
        include_usage=True,
        user=user,
        session=_session(call, user),
        extra=extra,
        peculiar=peculiar,
        changes=tuple(changes),
        origin=Origin(NAME, call.body),
    )


def parse_count(call: Call, card_of: CardOf) -> Count:
    """Reads a request for the number of its prompt's tokens. Raises as `parse_messages` does."""
    return Count(request=parse_messages(call, card_of))


def _card(body: CountBody, card_of: CardOf) -> ModelCard:
    if not body.model:
        raise invalid("invalid model, it should not be empty.", "model")
    card = card_of(body.model)
    check_chats(card, "model")
    return card


def _system(body: CountBody, changes: list[Change]) -> str | list[WireBlock] | None:
    """The system prompt, without the line of attribution at its head."""
    holder: dict[str, JsonValue] = {"system": body.system}  # pyright: ignore[reportAssignmentType] - blocks are JSON
    drop_billing(holder)
    plain: str | list[WireBlock] | None = holder.get("system")  # pyright: ignore[reportAssignmentType] - as above
    if (plain or None) != (body.system or None):
        changes.append(Change("drop_billing_header", "system"))
    return plain


def _pick(body: bytes, positions: tuple[int, ...]) -> list[JsonValue]:
    """Some tools, as the client wrote them."""
    tools = decode_object(body)["tools"]
    picked = [tools[position] for position in positions] if isinstance(tools, list) else []
    check_depth(picked, "tools")
    return picked


def _sampling(body: MessagesBody, card: ModelCard) -> Sampling:
    for name in ("temperature", "top_p", "top_k"):
        check_number(card, name, getattr(body, name))
    return Sampling(temperature=body.temperature, top_p=body.top_p, top_k=body.top_k)


def _response_format(body: CountBody) -> ResponseFormat | None:
    form: OutputFormat | None = body.output_format
    if body.output_config is not None and body.output_config.format is not None:
        form = body.output_config.format
    if form is None:
        return None
    path = "output_config.format"
    if form.type != "json_schema":
        raise invalid(f"invalid {path}.type, should be one of: json_schema.", f"{path}.type")
    if form.schema is None:
        raise invalid(f"invalid {path}.schema, it is required.", f"{path}.schema")
    schema: JsonObject = form.schema  # pyright: ignore[reportAssignmentType] - decoded from JSON
    check_depth(schema, f"{path}.schema")
    return ResponseFormat(kind="json_schema", schema=schema, strict=True)


def _session(call: Call, user: str | None) -> str | None:
    named = next((value for header in SESSION_HEADERS if (value := call.headers.get(header))), None)
    if named or not user:
        return named
    if match := _SESSION.search(user):
        return match[1]
    try:
        value = decode_any(user.encode("utf-8", "surrogatepass"))
    except RixinError:
        return user
    match value:
        case {"session_id": str(session)} if session:
            return session
        case _:
            return user
