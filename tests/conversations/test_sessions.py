"""Sessions, in a real database and really sealed."""

import asyncio

import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.conversations import sessions as sessions_module
from rixin.conversations.sessions import MAX_AGE, PURPOSE, KeptTurn, OpenSession, Prompt, Sessions
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from rixin.store.sessions import LEAST, SessionTable
from tests.conversations.clock import ManualClock
from tests.support.databases import Place, content, execute

PROMPT = (Prompt("system", "A secret prompt."),)
TURN = KeptTurn("a_1", "A secret question?", "A secret answer.")
PATIENCE = 10.0


def book(database: Database, clock: ManualClock, *, max_bytes: int = 10**6, claim: float = 60.0) -> Sessions:
    """The sessions of a server."""
    box = SealedBox(RootSecret(bytes(32)), PURPOSE)
    return Sessions(SessionTable(database), box, clock, max_bytes=max_bytes, claim=claim)


async def opened(sessions: Sessions, identity: str) -> OpenSession:
    """A session that is there."""
    session = await sessions.open("alice", identity)
    assert session is not None
    return session


async def keep(sessions: Sessions, identity: str, turn: KeptTurn) -> None:
    """Adds a turn."""
    async with sessions.claimed("alice", identity, (await opened(sessions, identity)).claim) as claim:
        await sessions.keep("alice", identity, claim, turn)


async def test_what_is_kept_is_had_by_its_owner(database: Database, clock: ManualClock) -> None:
    """And by every process on the same store, but by nobody else."""
    sessions, elsewhere = book(database, clock), book(database, clock)
    identity = await sessions.begin("alice", PROMPT)
    await keep(elsewhere, identity, TURN)
    session = (await opened(sessions, identity)).session
    assert (session.prompt, session.turns) == (PROMPT, (TURN,))
    assert await sessions.open("bob", identity) is None


async def test_an_answer_of_the_same_number_takes_the_last_ones_place(database: Database, clock: ManualClock) -> None:
    """An answer to another turn comes after it."""
    sessions = book(database, clock)
    identity = await sessions.begin("alice", ())
    for turn in ("a_1", "b_1", "b_2", "c_1"):
        await keep(sessions, identity, KeptTurn(turn, "?", turn))
    assert [turn.id for turn in (await opened(sessions, identity)).session.turns] == ["a_1", "b_2", "c_1"]


async def test_one_at_a_time_has_a_session(database: Database, clock: ManualClock) -> None:
    """In whichever process; and whoever read it before the other ended must read it again."""
    sessions, elsewhere = book(database, clock), book(database, clock)
    identity = await sessions.begin("alice", ())
    first = (await opened(sessions, identity)).claim
    async with sessions.claimed("alice", identity, first) as claim:
        meanwhile = (await opened(elsewhere, identity)).claim
        with pytest.raises(RixinError) as caught:
            async with elsewhere.claimed("alice", identity, meanwhile):
                pass
        assert caught.value.kind is Kind.CONCURRENT
        await sessions.keep("alice", identity, claim, TURN)
    for stale in (first, meanwhile):
        with pytest.raises(RixinError):
            async with elsewhere.claimed("alice", identity, stale):
                pass
    await keep(elsewhere, identity, KeptTurn("b_1", "?", "!"))


async def test_a_claim_ends_without_a_turn(database: Database, clock: ManualClock) -> None:
    """Whatever ended it, the session is as it was, and free."""
    sessions = book(database, clock)
    identity = await sessions.begin("alice", PROMPT)
    with pytest.raises(ValueError, match="broken"):
        async with sessions.claimed("alice", identity, 0):
            raise ValueError("broken")
    await keep(sessions, identity, TURN)
    assert (await opened(sessions, identity)).session.turns == (TURN,)


async def test_a_claim_outlives_its_process_for_a_while_only(database: Database, clock: ManualClock) -> None:
    """Then the session is free; and what the lost one would keep after all is not kept, and it is told so."""
    sessions, elsewhere = book(database, clock), book(database, clock)
    identity = await sessions.begin("alice", ())
    async with sessions.claimed("alice", identity, 0) as lost:
        clock.time += 61
        await keep(elsewhere, identity, TURN)
        with pytest.raises(RixinError) as caught:
            await sessions.keep("alice", identity, lost, KeptTurn("late_1", "?", "!"))
        assert caught.value.kind is Kind.CONCURRENT
    assert (await opened(sessions, identity)).session.turns == (TURN,)
    await keep(sessions, identity, KeptTurn("b_1", "?", "!"))


async def test_a_claim_is_renewed_as_long_as_it_takes(database: Database, clock: ManualClock) -> None:
    """A turn may take longer than a claim lasts."""
    sessions = book(database, clock, claim=0.03)
    identity = await sessions.begin("alice", ())
    async with sessions.claimed("alice", identity, 0) as claim:
        clock.time += 5
        async with asyncio.timeout(PATIENCE):
            while await _ends(database) < clock.time:  # noqa: ASYNC110 - what is waited for happens in the database
                await asyncio.sleep(0.005)
        await sessions.keep("alice", identity, claim, TURN)


async def _ends(database: Database) -> float:
    async with database.read() as connection:
        return (await connection.exec_driver_sql("SELECT claimed_until FROM sessions")).scalar_one()


async def test_a_session_lives_for_a_week_after_its_last_turn(database: Database, clock: ManualClock) -> None:
    """Each turn gives it another one."""
    sessions = book(database, clock)
    identity = await sessions.begin("alice", ())
    for number in range(3):
        clock.time += MAX_AGE - 1
        await keep(sessions, identity, KeptTurn(f"t{number}_1", "?", "!"))
    clock.time += MAX_AGE
    assert await sessions.open("alice", identity) is None
    assert await SessionTable(database).delete_expired(clock.time, 10) == 1


async def test_an_owners_sessions_stay_within_their_size(database: Database, clock: ManualClock) -> None:
    """Those that were used least lately make room, also where one has grown; empty ones count, too."""
    sessions = book(database, clock, max_bytes=3 * LEAST)
    identities: list[str] = []
    for _ in range(4):
        clock.time += 1
        identities.append(await sessions.begin("alice", ()))
    await sessions.begin("bob", ())
    there = [await sessions.open("alice", identity) is not None for identity in identities]
    assert there == [False, True, True, True]
    clock.time += 1
    noise = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(2500))
    await keep(sessions, identities[1], KeptTurn("a_1", noise, ""))
    there = [await sessions.open("alice", identity) is not None for identity in identities]
    assert there == [False, True, False, True]


async def test_a_session_forgets_its_oldest_turns(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond so many, or so much text; the last one stays, whatever its size."""
    sessions = book(database, clock)
    monkeypatch.setattr(sessions_module, "MAX_TURNS", 3)
    monkeypatch.setattr(sessions_module, "MAX_TEXT", 100)
    identity = await sessions.begin("alice", PROMPT)
    kept: list[list[str]] = []
    for number, size in enumerate([1, 1, 1, 1, 60, 30, 500]):
        await keep(sessions, identity, KeptTurn(f"{number}_1", "?" * size, ""))
        kept.append([turn.id for turn in (await opened(sessions, identity)).session.turns])
    assert kept[3] == ["1_1", "2_1", "3_1"]
    assert kept[5] == ["3_1", "4_1", "5_1"]
    assert kept[6] == ["6_1"]


async def test_nothing_of_it_can_be_read_in_the_database(database: Database, clock: ManualClock, place: Place) -> None:
    """Neither prompt nor turns; and a row that somebody gave another owner does not open."""
    sessions = book(database, clock)
    identity = await sessions.begin("alice", PROMPT)
    await keep(sessions, identity, TURN)
    assert b"secret" not in content(place)
    execute(place, "UPDATE sessions SET owner = 'bob'")
    with pytest.raises(RixinError):
        await sessions.open("bob", identity)
