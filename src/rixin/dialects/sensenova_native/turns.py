"""A turn of a session: `POST /v1/llm/chat-conversations`.

Its client sends a question and the session's id. Whoever keeps the session puts in the conversation before it is
parsed, so that what is parsed is the whole of what a model is asked.

Source: the platform's Python SDK, and the chunk of a stream that its command line's code holds.

Decisions where the source leaves one:

- `regeneration` answers the last turn anew, and asks `content` instead where that is sent.
- The id of a turn ends in `_` and the number of its answer.
- What a reasoner thought stands beside the words as it does in a chat.
"""

import msgspec

from rixin.core.events import Event, Refusal, Text
from rixin.core.json import JsonObject
from rixin.core.requests import Generate, Request, Turn
from rixin.core.responses import Response
from rixin.core.usage import Usage
from rixin.dialects.base import Call, CardOf, Stamp
from rixin.dialects.decoding import decode, decode_fields
from rixin.dialects.openai_chat.request import read_extra
from rixin.dialects.sensenova_native.bounds import CHAT
from rixin.dialects.sensenova_native.finish import finish_word
from rixin.dialects.sensenova_native.messages import read_messages
from rixin.dialects.sensenova_native.request import read_common, read_thinking
from rixin.dialects.sensenova_native.response import beside, with_beside, words_of
from rixin.dialects.sensenova_native.usage import render_usage
from rixin.dialects.sensenova_native.wire import TurnBody, WholeTurnBody
from rixin.dialects.sensenova_native.writer import ChunkWriter
from rixin.errors import invalid

_TURN = msgspec.json.Decoder(TurnBody)
_WHOLE = msgspec.json.Decoder(WholeTurnBody)
_FIELDS = frozenset(WholeTurnBody.__struct_fields__)
_TAIL = b',"status":{"code":0,"message":"OK"}}\n\n'

_encode = msgspec.json.Encoder().encode


def read_turn(body: bytes) -> TurnBody:
    """A client's body. Raises `INVALID_REQUEST` naming the field."""
    return decode(_TURN, body)


def parse_turn(call: Call, card_of: CardOf) -> Generate:
    """Reads a body that the conversation was put into.

    Raises:
        RixinError: `INVALID_REQUEST` naming the field, or what `card_of` raises.
        TypeError: The conversation is not there.
    """
    body = decode(_WHOLE, call.body)
    note = body.turn
    if note is None:
        raise TypeError("a turn without its session cannot be asked")
    request = read_common(call, body, card_of, read_extra(decode_fields(call.body), _FIELDS), CHAT)
    if request.n != 1:
        raise invalid("invalid n, a turn of a session has one answer.", "n")
    messages = read_messages(body.messages)
    return msgspec.structs.replace(
        request,
        messages=messages,
        reasoning=read_thinking(body.thinking),
        session=body.session_id,
        turn=Turn(
            session=body.session_id,
            id=note.id,
            claim=note.claim,
            starts=tuple(range(note.before, len(messages), 2)),
            question=messages[-1].text,
        ),
        edited=frozenset({"extra"}),  # so that no upstream is sent fields that only a session has
    )


def render_turn(response: Response, request: Request, stamp: Stamp) -> bytes:  # noqa: ARG001 - a turn has its own id
    """The body of a whole answer."""
    choice = response.choices[0]
    fields: JsonObject = {"message": words_of(choice)}
    if choice.reasoning:
        fields["reasoning_content"] = choice.reasoning
    told = beside(response) | beside(response, choice.index)
    usage = response.usage or Usage()
    finish = finish_word(choice.finish_reason, usage, request)
    return _encode({"data": _data(turn_of(request), fields, finish, usage, told)})


class TurnWriter(ChunkWriter):
    """Writes the chunks of a turn."""

    def __init__(self, request: Generate, stamp: Stamp) -> None:
        super().__init__(request, stamp)
        self._turn = turn_of(request)
        self._said: list[str] = []
        self._whole = False

    def feed(self, events: list[Event]) -> bytes:
        """The chunks of these events, in one piece."""
        self._said += [event.text for event in events if isinstance(event, Text | Refusal)]
        return super().feed(events)

    def close(self) -> bytes:
        """The last chunk, and `[DONE]`."""
        self._whole = True
        return super().close()

    def chunk(self, choice: int, fields: JsonObject, finish: str = "", told: JsonObject | None = None) -> bytes:  # noqa: ARG002 - a turn has one answer
        """A chunk with the usage so far; see `ChunkWriter.chunk`."""
        return b'data:{"data":' + _encode(_data(self._turn, fields, finish, self.usage.now(), told or {})) + _TAIL

    def snapshot(self) -> bytes:
        """The whole answer as it was told; without a finish reason where it was cut short."""
        finish = self.finish(0) if self._whole else ""
        return _encode({"data": _data(self._turn, {"message": "".join(self._said)}, finish, self.usage.now(), {})})


class ToldTurn(msgspec.Struct, frozen=True):
    """What of a turn's answer is kept."""

    message: str
    finish_reason: str


class _Told(msgspec.Struct, frozen=True):
    data: ToldTurn


_TOLD = msgspec.json.Decoder(_Told)


def read_told(answer: bytes) -> ToldTurn:
    """What a client was told, from the body that `render_turn` or `TurnWriter.snapshot` made."""
    return _TOLD.decode(answer).data


def turn_of(request: Request) -> Turn:
    """The turn that a request is.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(request, Generate) or request.turn is None:
        raise TypeError("this is no turn of a session")
    return request.turn


def _data(turn: Turn, fields: JsonObject, finish: str, usage: Usage, told: JsonObject) -> JsonObject:
    counts = render_usage(usage)
    if not usage.knowledge:
        del counts["knowledge_tokens"]
    data: JsonObject = {
        **fields,
        "finish_reason": finish,
        "session_id": turn.session,
        "turn_id": turn.id,
        "usage": counts,
    }
    return with_beside(data, told)
