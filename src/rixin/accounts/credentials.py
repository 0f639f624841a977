"""The one reader of credentials: whatever header a key or token comes in, every check after this is the same."""

import re
from collections.abc import Mapping

from rixin.errors import Kind, RixinError

MAX_LENGTH = 4096

_HOW = (
    "Send an API key, or a token signed with an access key, in the header `Authorization: Bearer KEY` or "
    "`x-api-key: KEY`."
)
_TOKEN = re.compile(r"[\x21-\x7e]+")


def read(headers: Mapping[str, str]) -> str:
    """The credential of a request.

    Args:
        headers: By lower-case name. An empty value counts as absent.

    Raises:
        RixinError: `UNAUTHENTICATED` when there is none, when it is malformed, or when two headers hold two different
            ones. No part of a credential is in the message: where a scheme should be, there may be a key.
    """
    bearer = _bearer(headers.get("authorization", "").strip())
    plain = headers.get("x-api-key", "").strip()
    if bearer and plain and bearer != plain:
        raise _refused("The headers `authorization` and `x-api-key` hold two different credentials. Send one of them.")
    credential = bearer or plain
    if not credential:
        raise _refused(f"The request carries no credential. {_HOW}")
    name = "authorization" if bearer else "x-api-key"
    if len(credential) > MAX_LENGTH:
        raise _refused(f"The credential in the header `{name}` is longer than {MAX_LENGTH} characters.")
    if not _TOKEN.fullmatch(credential):
        raise _refused(f"The credential in the header `{name}` holds characters that no API key has.")
    return credential


def _bearer(value: str) -> str:
    if not value:
        return ""
    scheme, _, credential = value.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused("The header `authorization` must read `Bearer KEY`; it has no scheme, or another one.")
    return credential.strip()


def _refused(message: str) -> RixinError:
    return RixinError(Kind.UNAUTHENTICATED, message)
