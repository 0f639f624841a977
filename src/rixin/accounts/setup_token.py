"""The set-up token: what the first owner of a new server proves with that they have started it.

It is derived from the root secret, so every process of the server knows it, and counts while there is no user at all.
"""

import base64
import hmac

from rixin.accounts.root_secret import RootSecret

PREFIX = "setup-rx-"


def derive(root_secret: RootSecret) -> str:
    """The token of a server."""
    return PREFIX + base64.urlsafe_b64encode(root_secret.derive("set-up token")).decode().rstrip("=")


def is_right(root_secret: RootSecret, token: str) -> bool:
    """Whether this is it. How long the answer takes tells nothing of how much of it is right."""
    return hmac.compare_digest(derive(root_secret).encode(), token.strip().encode("utf-8", "surrogatepass"))
