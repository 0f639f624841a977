"""Sessions that clients begin, and go on with turn by turn.

What a client was told is what its session remembers: a turn that was cut short stays with the words that were sent, and
one that failed before any word is as if it had not been asked.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import structlog
from msgspec import Raw

from rixin.clock import Clock, uuid7
from rixin.conversations.sessions import KeptTurn, Prompt, Session, Sessions, number
from rixin.core.requests import Generate
from rixin.dialects.base import Call
from rixin.dialects.decoding import decode_fields
from rixin.dialects.sensenova_native.sessions import parse_session
from rixin.dialects.sensenova_native.turns import read_told, read_turn, turn_of
from rixin.dialects.sensenova_native.wire import TurnBody, TurnNote, WireMessage
from rixin.errors import Kind, RixinError, invalid

log = structlog.get_logger("rixin.service")

_ENCODER = msgspec.json.Encoder()


class SessionService:
    """Begins sessions, and is the `Keeper` of their turns."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def begin(self, body: bytes, owner: str) -> str:
        """Begins the session that a client's body describes, and gives its id.

        Raises:
            RixinError: `INVALID_REQUEST` naming the field; `OVERLOADED` when the store cannot be used.
        """
        prompt = tuple(Prompt(message.role, message.content) for message in parse_session(body))
        return await self._sessions.begin(owner, prompt)

    async def prepare(self, call: Call, owner: str) -> Call:
        """A call with the conversation that it goes on with; see `Keeper.prepare`."""
        body = read_turn(call.body)
        opened = await self._sessions.open(owner, body.session_id)
        if opened is None:
            raise RixinError(Kind.NOT_FOUND, "There is no session of this id, or its time is over.", param="session_id")
        session = opened.session
        past, kept = self._asked(body, session)
        messages = [WireMessage(role=message.role, content=message.content) for message in session.prompt]
        for turn in past:
            messages.append(WireMessage(role="user", content=turn.question))
            messages.append(WireMessage(role="assistant", content=turn.answer))
        messages.append(WireMessage(role="user", content=kept.question))
        changed = {
            "messages": Raw(_ENCODER.encode(messages)),
            "turn": Raw(_ENCODER.encode(TurnNote(id=kept.id, claim=opened.claim, before=len(session.prompt)))),
        }
        return msgspec.structs.replace(call, body=_ENCODER.encode({**decode_fields(call.body), **changed}))

    @asynccontextmanager
    async def held(self, request: Generate, owner: str) -> AsyncGenerator[None]:
        """Claims the session; see `Keeper.held`."""
        turn = turn_of(request)
        async with self._sessions.claimed(owner, turn.session, turn.claim):
            yield

    def wants(self, request: Generate) -> bool:
        """Always: see `Keeper.wants`."""
        return request.turn is not None

    async def keep(self, request: Generate, owner: str, answer: bytes) -> None:
        """Adds a turn to its session, where the client was told anything; see `Keeper.keep`."""
        turn, told = turn_of(request), read_told(answer)
        if not told.message and not told.finish_reason:
            return
        kept = KeptTurn(id=turn.id, question=turn.question, answer=told.message)
        try:
            await self._sessions.keep(owner, turn.session, turn.claim + 1, kept)
        except RixinError as error:
            if told.finish_reason:
                raise
            # Its client knows already that something went wrong.
            log.warning("a turn that was cut short could not be kept", detail=error.detail or error.message)

    def _asked(self, body: TurnBody, session: Session) -> tuple[tuple[KeptTurn, ...], KeptTurn]:
        """The turns before the one that a client asks for, and that one, not answered yet."""
        turns, content = session.turns, body.content or ""
        if body.action == "regeneration":
            if not turns:
                raise invalid("invalid action, there is no turn to answer anew.", "action")
            last = turns[-1]
            answers = int(last.id.rpartition("_")[2])
            return turns[:-1], KeptTurn(f"{number(last.id)}_{answers + 1}", content or last.question, "")
        if not content:
            raise invalid("invalid content, it is required.", "content")
        return turns, KeptTurn(f"{uuid7(self._clock.now()).replace('-', '')}_1", content, "")
