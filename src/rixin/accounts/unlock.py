"""What a root secret opens in a database, if it is the right one: the keys that outlived the secrets before it."""

import base64

import msgspec

from rixin.accounts import root_secret
from rixin.accounts.root_secret import LASTING, RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.store.meta import MetaTable

LASTING_NAME = "lasting_keys"
"""Where the database keeps those keys, sealed."""
_PURPOSE = "lasting keys"

_decode = msgspec.json.Decoder(dict[str, bytes]).decode


async def unlock(secret: RootSecret, meta: MetaTable) -> RootSecret:
    """The secret, with the keys that the database's digests were made with.

    Raises:
        RixinError: As `root_secret.check`; `INTERNAL` when the keys were changed since.
    """
    await root_secret.check(secret, meta)
    return with_lasting(secret, await meta.get(LASTING_NAME))


def with_lasting(secret: RootSecret, sealed: str | None) -> RootSecret:
    """The secret, with what `seal_lasting` sealed; as it is where the database knew no other one."""
    if sealed is None:
        return secret
    opened = SealedBox(secret, _PURPOSE).open(base64.b64decode(sealed), LASTING_NAME)
    return secret.with_lasting(_decode(opened))


def seal_lasting(secret: RootSecret, previous: RootSecret) -> str:
    """The lasting keys of one secret, for the database of the one that comes after it."""
    keys = {purpose: previous.derive(purpose) for purpose in LASTING}
    return base64.b64encode(SealedBox(secret, _PURPOSE).seal(msgspec.json.encode(keys), LASTING_NAME)).decode()
