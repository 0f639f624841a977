"""The set-up token: what the first owner of a new server proves with that they have started it.

It is derived from the root secret, so every process of the server knows it, and counts while there is no user at all.
"""

import base64
import hmac
from pathlib import Path

from rixin.accounts.root_secret import RootSecret
from rixin.errors import Kind, RixinError
from rixin.store import private_files, users
from rixin.store.database import Database

PREFIX = "setup-rx-"


def derive(root_secret: RootSecret) -> str:
    """The token of a server."""
    return PREFIX + base64.urlsafe_b64encode(root_secret.derive("set-up token")).decode().rstrip("=")


def is_right(root_secret: RootSecret, token: str) -> bool:
    """Whether this is it. How long the answer takes tells nothing of how much of it is right."""
    return hmac.compare_digest(derive(root_secret).encode(), token.strip().encode("utf-8", "surrogatepass"))


async def ensure(database: Database, root_secret: RootSecret, file: Path | None) -> str | None:
    """The token of a server that has no user yet.

    Args:
        database: Of the server.
        root_secret: Of the server.
        file: Where the token is written, readable by its owner only; None where the caller shows it to a person.

    Returns:
        The token, or None where there are users already.

    Raises:
        RixinError: `CONFIGURATION` when the file cannot be written.
    """
    async with database.read() as connection:
        if await users.any_there(connection):
            return None
    token = derive(root_secret)
    if file is not None:
        try:
            private_files.place(file, token + "\n")
        except OSError as error:
            message = f"cannot write the set-up token to {file}: {error.strerror}"
            raise RixinError(Kind.CONFIGURATION, message) from error
    return token
