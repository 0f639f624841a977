"""All that the database holds sealed, and for what and whom: what a new root secret must seal anew."""

from typing import Final

from rixin.accounts import keys, request_log
from rixin.conversations import sessions, stored_responses
from rixin.store import providers, schema
from rixin.store.sealed import SealedColumn

SEALED_COLUMNS: Final = (
    SealedColumn(schema.keys.c.sealed, keys.PURPOSE, lambda row: row.prefix),
    SealedColumn(schema.providers.c.sealed, providers.PURPOSE, lambda row: providers.sealed_for(row.name)),
    SealedColumn(schema.responses.c.sealed, stored_responses.PURPOSE, lambda row: f"{row.owner}/{row.id}"),
    SealedColumn(schema.sessions.c.sealed, sessions.PURPOSE, lambda row: f"{row.owner}/{row.id}"),
    SealedColumn(schema.requests.c.bodies, request_log.PURPOSE, lambda row: request_log.sealed_for(row.time, row.id)),
)
