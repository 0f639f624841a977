"""Turns of sessions, as their keeper prepares and keeps them."""

import json
from typing import Any

import pytest
from msgspec import structs

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.clock import SystemClock
from rixin.conversations.sessions import PURPOSE, Sessions
from rixin.core.messages import Message, TextPart
from rixin.dialects.base import Call
from rixin.dialects.sensenova_native.turns import parse_turn
from rixin.errors import Kind, RixinError
from rixin.service.sessions import SessionService
from rixin.store.database import Database
from rixin.store.sessions import SessionTable
from tests.dialects.support import card_of

OWNER = "alice"


def told(message: str, finish: str) -> bytes:
    """An answer, as far as it is kept."""
    return json.dumps({"data": {"message": message, "finish_reason": finish}}).encode()


async def test_what_is_put_before_a_question_is_not_remembered(database: Database) -> None:
    """Passages and the like belong to one request; the session has its client's words."""
    box, clock = SealedBox(RootSecret(bytes(32)), PURPOSE), SystemClock()
    service = SessionService(Sessions(SessionTable(database), box, clock), clock)
    session = await service.begin(b"{}", OWNER)

    async def prepared(**fields: Any) -> Call:
        body = {"session_id": session, "model": "up-model", **fields}
        return await service.prepare(Call(body=json.dumps(body).encode()), OWNER)

    request = parse_turn(await prepared(content="Why?"), card_of)
    question = Message(role="user", parts=(TextPart("Passages ...\n"), TextPart("Why?")))
    request = structs.replace(request, messages=(question,))
    async with service.held(request, OWNER):
        await service.keep(request, OWNER, told("Because.", "stop"))
    following = parse_turn(await prepared(content="Go on"), card_of)
    assert [message.text for message in following.messages] == ["Why?", "Because.", "Go on"]

    async with service.held(following, OWNER):
        pass
    with pytest.raises(RixinError) as caught:  # its claim is over: its client has to know that it was not kept
        await service.keep(following, OWNER, told("Late.", "stop"))
    assert caught.value.kind is Kind.CONCURRENT
    await service.keep(following, OWNER, told("Cut", ""))  # its client knows already
    again = parse_turn(await prepared(content="Go on"), card_of)
    assert [message.text for message in again.messages] == ["Why?", "Because.", "Go on"]
