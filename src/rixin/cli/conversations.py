"""How a worker's conversations go on: what clients hold for us, and what we keep for them."""

from msgspec import Struct

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.cli.lifetime import Lifetime
from rixin.cli.stores import Stores
from rixin.clock import Clock
from rixin.conversations import envelope, sessions, stored_responses
from rixin.conversations.call_memory import CallMemory
from rixin.conversations.envelope import Envelopes
from rixin.conversations.sessions import Sessions
from rixin.conversations.stored_responses import StoredResponses
from rixin.service.continuity import Continuity
from rixin.service.responses import ResponseService
from rixin.service.sessions import SessionService
from rixin.settings import Settings
from rixin.store.database import Database
from rixin.store.responses import ResponseTable
from rixin.store.sessions import SessionTable


class Conversations(Struct, frozen=True):
    """What keeps conversations for clients."""

    responses: ResponseService
    sessions: SessionService | None
    """None where the server keeps none."""


def open_conversations(settings: Settings, stores: Stores, clock: Clock, life: Lifetime) -> Conversations:
    """The conversations that a server keeps, those that are too old swept out from now on."""
    responses = stored_response_book(settings, stores.database, stores.secret, clock)
    if responses is not None:
        life.run(responses.run())
    kept = session_book(settings, stores.database, stores.secret, clock)
    if kept is not None:
        life.run(kept.run())
    return Conversations(ResponseService(responses), None if kept is None else SessionService(kept, clock))


def continuity(secret: RootSecret, clock: Clock) -> Continuity:
    """What conversations go on by, with the envelopes of a server's secret."""
    return Continuity(Envelopes(SealedBox(secret, envelope.PURPOSE), clock), CallMemory(clock))


def stored_response_book(
    settings: Settings, database: Database, secret: RootSecret, clock: Clock
) -> StoredResponses | None:
    """The stored responses of a server; None where it keeps none."""
    if not settings.server.store_responses:
        return None
    return StoredResponses(ResponseTable(database), SealedBox(secret, stored_responses.PURPOSE), clock)


def session_book(settings: Settings, database: Database, secret: RootSecret, clock: Clock) -> Sessions | None:
    """The sessions of a server; None where it keeps none."""
    if not settings.server.store_sessions:
        return None
    return Sessions(SessionTable(database), SealedBox(secret, sessions.PURPOSE), clock)
