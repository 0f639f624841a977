"""Sessions: conversations that clients have us keep, sealed, for a week after their last turn, within a size for each
owner.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import msgspec
import structlog
import zstandard
from msgspec import Struct

from rixin.clock import Clock, uuid7
from rixin.conversations.envelope import Box
from rixin.conversations.sweeping import sweep_always
from rixin.errors import Kind, RixinError
from rixin.store.sessions import SessionRow, SessionTable, Use

PURPOSE = "sessions"
"""The purpose of the key that seals them."""
MAX_AGE = 7 * 86400.0
"""Seconds for which a session is kept after its last turn."""
MAX_BYTES = 64 * 2**20
"""What one owner's sessions may take, compressed; those that were not used for longest make room."""
MAX_TURNS = 4096
MAX_TEXT = 4 * 2**20
"""Turns of one session, and bytes of their text, that are kept; the oldest make room."""
CLAIM = 60.0
"""Seconds that a claim outlives the process that held it."""

log = structlog.get_logger("rixin.conversations")


class Prompt(Struct, frozen=True):
    """A message that stands before all turns."""

    role: Literal["system", "user", "assistant"]
    content: str


class KeptTurn(Struct, frozen=True):
    """A question and its answer, as their client was told it."""

    id: str
    question: str
    answer: str


class Session(Struct, frozen=True):
    """A conversation."""

    prompt: tuple[Prompt, ...]
    turns: tuple[KeptTurn, ...] = ()


class OpenSession(Struct, frozen=True):
    """A session that was read, and what its claims were counted to by then."""

    session: Session
    claim: int


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Session)


class Sessions:
    """Keeps sessions for their owners.

    Every method raises `OVERLOADED` when the store cannot be used.

    Args:
        table: Where they are stored.
        box: Seals them.
        clock: Time.
        max_bytes: What one owner's sessions may take.
        claim: Seconds that a claim outlives the process that held it.
    """

    def __init__(
        self, table: SessionTable, box: Box, clock: Clock, *, max_bytes: int = MAX_BYTES, claim: float = CLAIM
    ) -> None:
        self._table = table
        self._box = box
        self._clock = clock
        self._max_bytes = max_bytes
        self._claim = claim

    async def begin(self, owner: str, prompt: tuple[Prompt, ...]) -> str:
        """Begins a session, and gives its id."""
        identity = uuid7(self._clock.now()).replace("-", "")
        evicted = await self._table.add(await self._row(owner, identity, Session(prompt)), self._max_bytes)
        if evicted:
            log.info("sessions made room", owner=owner, evicted=evicted)
        return identity

    async def open(self, owner: str, identity: str) -> OpenSession | None:
        """A session; None where this owner has none of that id."""
        content = await self._table.get(owner, identity, self._clock.now())
        if content is None:
            return None
        session = await asyncio.to_thread(self._opened, owner, identity, content.sealed)
        return OpenSession(session, content.claim)

    @asynccontextmanager
    async def claimed(self, owner: str, identity: str, after: int) -> AsyncGenerator[int]:
        """Claims a session that was read, for as long as the block takes; a claim that nobody renews any more ends.

        Args:
            owner: Whose.
            identity: Which.
            after: `OpenSession.claim`.

        Raises:
            RixinError: `CONCURRENT` where somebody else holds a claim, or went on with the session meanwhile.
        """
        claim = await self._table.claim(self._use(owner, identity), after, self._end_of_claim())
        if claim is None:
            message = "Another turn of this session is under way, or ended just now; try again."
            raise RixinError(Kind.CONCURRENT, message, param="session_id", retry_after=1)
        renewal = asyncio.create_task(self._renew(owner, identity, claim))
        try:
            yield claim
        finally:
            renewal.cancel()
            await self._release(owner, identity, claim)

    async def keep(self, owner: str, identity: str, claim: int, turn: KeptTurn) -> None:
        """Adds a turn to a claimed session, or puts it in the place of the last one where it has the same number; ends
        the claim.

        Turns of one number are answers to it, told apart by what follows the last `_` of their ids.

        Raises:
            RixinError: `CONCURRENT` where the claim is lost.
        """
        opened = await self.open(owner, identity)
        if opened is not None and opened.claim == claim:
            turns = opened.session.turns
            if turns and number(turns[-1].id) == number(turn.id):
                turns = turns[:-1]
            session = Session(opened.session.prompt, _last((*turns, turn)))
            if await self._table.save(await self._row(owner, identity, session), claim, self._max_bytes):
                return
        raise RixinError(Kind.CONCURRENT, "This turn was not kept: its session went on without it.", param="session_id")

    async def run(self) -> None:
        """Deletes what is too old, every hour, until it is cancelled."""
        await sweep_always(self._table, self._clock)

    async def _renew(self, owner: str, identity: str, claim: int) -> None:
        held = True
        while held:
            await asyncio.sleep(self._claim / 3)
            try:
                held = await self._table.renew(owner, identity, claim, self._end_of_claim())
            except RixinError as error:
                log.warning("a claim on a session could not be renewed", detail=error.detail)

    async def _release(self, owner: str, identity: str, claim: int) -> None:
        try:
            await self._table.release(owner, identity, claim)
        except RixinError as error:
            log.warning("a claim on a session could not be given back", detail=error.detail)

    def _end_of_claim(self) -> float:
        return self._clock.now() + self._claim

    def _use(self, owner: str, identity: str) -> Use:
        now = self._clock.now()
        return Use(owner=owner, id=identity, used_at=now, expires_at=now + MAX_AGE)

    async def _row(self, owner: str, identity: str, session: Session) -> SessionRow:
        sealed = await asyncio.to_thread(self._sealed, owner, identity, session)
        return SessionRow(**msgspec.structs.asdict(self._use(owner, identity)), sealed=sealed)

    def _sealed(self, owner: str, identity: str, session: Session) -> bytes:
        plain = zstandard.ZstdCompressor().compress(_ENCODER.encode(session))
        return self._box.seal(plain, f"{owner}/{identity}")

    def _opened(self, owner: str, identity: str, sealed: bytes) -> Session:
        plain = self._box.open(sealed, f"{owner}/{identity}")
        return _DECODER.decode(zstandard.ZstdDecompressor().decompress(plain))


def number(turn_id: str) -> str:
    """The number of a turn, whichever of its answers an id names."""
    return turn_id.rpartition("_")[0]


def _last(turns: tuple[KeptTurn, ...]) -> tuple[KeptTurn, ...]:
    """The last turns, as many as are kept of a session; the very last one in any case."""
    size, first = 0, len(turns)
    while first and len(turns) - first < MAX_TURNS:
        turn = turns[first - 1]
        size += len(turn.question.encode()) + len(turn.answer.encode())
        if size > MAX_TEXT and first < len(turns):
            break
        first -= 1
    return turns[first:]
