"""Responses that are kept, as whoever goes on from them has them."""

import msgspec
import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.conversations.stored_responses import MAX_AGE, PURPOSE, StoredResponse, StoredResponses
from rixin.core.json import JsonObject
from rixin.errors import RixinError
from rixin.store.database import Database
from rixin.store.responses import ResponseTable
from tests.conversations.clock import ManualClock
from tests.support.databases import Place, content, execute

QUESTION: JsonObject = {"type": "message", "id": "msg_0", "role": "user", "content": "What is the secret?"}
ANSWER: JsonObject = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "42"}],
}
STORED = StoredResponse.of(msgspec.json.encode({"id": "resp_1", "output": [ANSWER]}), [QUESTION])


def book(database: Database, clock: ManualClock, secret: bytes = bytes(32), **limits: int) -> StoredResponses:
    """The responses of a server with a secret."""
    return StoredResponses(ResponseTable(database), SealedBox(RootSecret(secret), PURPOSE), clock, **limits)


async def test_r29_a_conversation_goes_on_from_a_response(database: Database, clock: ManualClock) -> None:
    """From its input and its output, in this process and in any other."""
    assert await book(database, clock).put("alice", "resp_1", STORED)
    found = await book(database, clock).get("alice", "resp_1")
    assert found is not None
    assert found.history == [QUESTION, ANSWER]
    assert bytes(found.response) == bytes(STORED.response)


async def test_r29_a_response_is_kept_for_a_day(database: Database, clock: ManualClock) -> None:
    """And not a second longer."""
    responses = book(database, clock)
    await responses.put("alice", "resp_1", STORED)
    clock.time += MAX_AGE - 1
    assert await responses.get("alice", "resp_1") is not None
    clock.time += 1
    assert await responses.get("alice", "resp_1") is None


async def test_k7_nobody_has_anothers_response(database: Database, clock: ManualClock) -> None:
    """Not even to delete it."""
    responses = book(database, clock)
    await responses.put("alice", "resp_1", STORED)
    assert await responses.get("bob", "resp_1") is None
    assert not await responses.delete("bob", "resp_1")
    assert await responses.delete("alice", "resp_1")
    assert await responses.get("alice", "resp_1") is None


async def test_nothing_of_it_can_be_read_in_the_database(database: Database, clock: ManualClock, place: Place) -> None:
    """Neither question nor answer; and a row that somebody gave another owner or id does not open."""
    responses = book(database, clock)
    await responses.put("alice", "resp_1", STORED)
    raw = content(place)
    assert b"secret?" not in raw
    assert b"output_text" not in raw
    execute(place, "UPDATE responses SET owner = 'bob'")
    with pytest.raises(RixinError):
        await responses.get("bob", "resp_1")


async def test_an_owners_responses_stay_within_their_size(database: Database, clock: ManualClock) -> None:
    """The oldest make room, and what is larger than all of it is not stored."""
    responses = book(database, clock, max_bytes=1000)
    for number in range(20):
        clock.time += 1
        assert await responses.put("alice", f"resp_{number}", STORED)
    assert await responses.get("alice", "resp_0") is None
    assert await responses.get("alice", "resp_19") is not None
    noise = "".join(chr(0x4E00 + (number * 7919) % 20000) for number in range(1000))
    large = StoredResponse.of(bytes(STORED.response), [{**QUESTION, "content": noise}])
    assert not await responses.put("alice", "resp_large", large)
    assert await responses.get("alice", "resp_19") is not None


async def test_a_long_history_takes_little_room(database: Database, clock: ManualClock, place: Place) -> None:
    """It is compressed: every response of a conversation holds the whole of it."""
    history = [QUESTION, ANSWER] * 2000
    await book(database, clock).put("alice", "resp_1", StoredResponse.of(bytes(STORED.response), history))
    [(size,)] = execute(place, "SELECT size FROM responses")
    assert size < len(msgspec.json.encode(history)) // 20
