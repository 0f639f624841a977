"""Tokens by which this platform knows its clients: JWTs that they sign with the secret of an access key (HS256).

Source: the platform's Python SDK (`ak_sk_to_header`); RFC 7515, section 3.1.
"""

import base64
import hmac

import msgspec

LIFETIME = 1800
"""Seconds that a token counts, unless its maker wants it otherwise."""
HEAD_START = 5
"""Seconds before its making from which a token counts, for a server whose clock is behind."""
SEPARATOR = "|"
"""Stands between the id and the secret of an access key where both are given as one text."""


def mint(access_key_id: str, secret: str, now: int, lifetime: int = LIFETIME) -> str:
    """A token that an access key signs at `now` (seconds since the epoch)."""
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"iss": access_key_id, "exp": now + lifetime, "nbf": now - HEAD_START}
    signed = f"{_segment(msgspec.json.encode(header))}.{_segment(msgspec.json.encode(claims))}"
    return f"{signed}.{_segment(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
