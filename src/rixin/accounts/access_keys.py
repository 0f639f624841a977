"""Access keys: pairs of an id and a secret. A client signs a token (JWT) with the secret, and sends the token.

What a token must be: signed with HS256 whatever its header says, and with the secret of the key that its claim `iss`
names. Nothing else in the header counts (`kid`, `jwk`), and what would change the meaning of the token is refused
(`crit`). `exp` must be there, `nbf` may be; both are read with 60 seconds of grace, for clocks that differ.

Sources: the SenseNova V6 platform's Python SDK (`ak_sk_to_header`); RFC 7519; RFC 8725, sections 3.1 to 3.3.
"""

import math
import re

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from joserfc.util import urlsafe_b64decode
from msgspec import UNSET, Struct

from rixin.clock import random_text
from rixin.errors import Kind, RixinError

ID_PREFIX = "ak-rx-"
SECRET_PREFIX = "sk-ak-"  # noqa: S105 - what every secret begins with
ID_BYTES = 15
SECRET_BYTES = 32

ALGORITHM = "HS256"
GRACE = 60
"""Seconds by which a client's clock may differ from ours."""

_REGISTRY = jws.JWSRegistry(algorithms=[ALGORITHM], strict_check_header=False)
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


class CreatedAccessKey(Struct, frozen=True, kw_only=True):
    """A new access key. The secret can be seen here, and never again."""

    id: str
    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"CreatedAccessKey(id={self.id!r}, access_key_id={self.access_key_id!r})"


class MintedToken(Struct, frozen=True, kw_only=True):
    """A token, and the instant (seconds since the epoch) at which it ends."""

    token: str
    expires_at: int

    def __repr__(self) -> str:
        return f"MintedToken(expires_at={self.expires_at})"


class Claims(Struct, frozen=True, kw_only=True):
    """What a token says. Instants are seconds since the epoch."""

    iss: str
    """The id of an access key."""
    exp: float
    nbf: float | None = None
    aud: object = None

    def check(self, now: float) -> None:
        """Raises `UNAUTHENTICATED` for a token that has expired, does not count yet, or is meant for somebody else."""
        if self.aud is not None:
            raise _refused("The token has an audience (`aud`), so it is meant for another server.")
        if not math.isfinite(self.exp) or self.exp + GRACE <= now:
            raise _refused("The token has expired. Sign a new one.")
        if self.nbf is not None and self.nbf - GRACE > now:
            raise _refused("The token does not count yet (`nbf`). Compare the clock of the machine that signed it.")


class _Header(Struct, frozen=True):
    """All that is looked at in a token's header."""

    alg: str
    crit: object = UNSET
    """Names of extensions that must be understood; we understand none."""


class Token(Struct, frozen=True):
    """A token as it was sent: nobody knows yet who signed it."""

    claims: Claims
    signature: jws.CompactSignature

    def verify(self, secret: bytes) -> None:
        """Raises `UNAUTHENTICATED` unless the token was signed with this secret."""
        try:
            if jws.validate_compact(self.signature, OctKey.import_key(secret), registry=_REGISTRY):
                return
        except JoseError:
            pass
        raise unknown_signer()


def new_id() -> str:
    """An id for an access key: `ak-rx-` and 120 random bits."""
    return ID_PREFIX + random_text(ID_BYTES)


def new_secret() -> str:
    """A secret for an access key: `sk-ak-` and 256 random bits."""
    return SECRET_PREFIX + random_text(SECRET_BYTES)


def is_token(credential: str) -> bool:
    """Whether a credential has the form of a token, which no API key has."""
    return _TOKEN.fullmatch(credential) is not None


def parse(credential: str) -> Token:
    """Reads a token without believing it.

    Raises:
        RixinError: `UNAUTHENTICATED` where it is malformed, or not signed with HS256.
    """
    try:
        header = msgspec.json.decode(urlsafe_b64decode(credential.partition(".")[0].encode()), type=_Header)
        if header.alg != ALGORITHM or header.crit is not UNSET:
            raise _refused(f"The token must be signed with {ALGORITHM}, without any extension.")
        signature = jws.extract_compact(credential.encode())
        claims = msgspec.json.decode(signature.payload or b"", type=Claims)
    except (JoseError, msgspec.DecodeError, ValueError, RecursionError):
        raise _refused(
            "The token is malformed. It must be a JWT whose claims are `iss`, the id of an access key, and `exp`, its "
            "end in seconds since the epoch."
        ) from None
    return Token(claims, signature)


def unknown_signer() -> RixinError:
    """The error for a token whose key is not known, or is not what it was signed with: who asks learns not which."""
    return _refused("The token was not signed with an access key that is known here.")


def _refused(message: str) -> RixinError:
    return RixinError(Kind.UNAUTHENTICATED, message)
