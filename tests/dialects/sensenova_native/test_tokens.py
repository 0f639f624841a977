"""Tokens, minted."""

import base64
import hashlib
import hmac
import json

from rixin.dialects.sensenova_native import DIALECT
from rixin.dialects.sensenova_native.tokens import mint

NOW = 1776952631


def decode(part: str) -> bytes:
    """A part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_token_is_what_the_platforms_sdk_makes() -> None:
    """Header, claims and signature; it counts for half an hour, and a little before now."""
    token = mint("ak", "秘密", NOW)
    header, claims, signature = token.split(".")
    assert json.loads(decode(header)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(decode(claims)) == {"iss": "ak", "exp": NOW + 1800, "nbf": NOW - 5}
    expected = hmac.new("秘密".encode(), f"{header}.{claims}".encode(), hashlib.sha256).digest()
    assert decode(signature) == expected
    assert "=" not in token


def test_an_upstream_is_sent_a_token_or_the_key_itself() -> None:
    """An access key is given as id and secret in one text; an API key stands for itself."""
    upstream = DIALECT.upstream
    assert upstream is not None
    assert upstream.sign is not None
    assert upstream.sign("ak|s|k", NOW) == mint("ak", "s|k", NOW)
    assert upstream.sign("sk-1", NOW) == "sk-1"
    assert upstream.auth_headers("sk-1") == {"authorization": "Bearer sk-1"}
