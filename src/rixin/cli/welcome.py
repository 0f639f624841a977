"""What a new server gives to who started it: the first key, and what the first owner proves themselves with."""

from rixin.accounts import first_key, setup_token
from rixin.cli.compose import Worker
from rixin.settings import Settings


async def make_first_key(worker: Worker, settings: Settings, *, shown: bool) -> str | None:
    """The first key of a new server, to be shown to a person or else written to its file; None where there are keys."""
    if settings.server.auth != "keys":
        return None
    file = None if shown else settings.first_key_file
    created = await first_key.ensure(worker.keys, file)
    return created.key if created is not None and shown else None


async def make_setup_token(worker: Worker, settings: Settings, *, shown: bool) -> str | None:
    """What the first owner proves themselves with, as `make_first_key`; None where there are users."""
    if settings.server.auth != "keys":
        return None
    file = None if shown else settings.server.setup_token_file
    token = await setup_token.ensure(worker.database, worker.secret, file)
    return token if shown else None
