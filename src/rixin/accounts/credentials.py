"""The one reader of credentials: wherever in a request a key or token stands, every check after this is the same."""

import re
from collections.abc import Callable, Mapping

from rixin.errors import Kind, RixinError

MAX_LENGTH = 4096
PLAIN_HEADERS = ("x-api-key", "x-goog-api-key")
"""Headers that hold a credential and nothing else: Anthropic's clients send the one, Google's the other."""

_HOW = (
    "Send an API key, or a token signed with an access key, in the header `Authorization: Bearer KEY` or "
    "`x-api-key: KEY`."
)
_TOKEN = re.compile(r"[\x21-\x7e]+")


def read(headers: Mapping[str, str], query: Mapping[str, str] | None = None, *, cookie: str | None = None) -> str:
    """The credential of a request.

    Args:
        headers: By lower-case name. An empty value counts as absent.
        query: The fields of a query that may hold a credential, as `key`; None where none may.
        cookie: What the cookie of a login holds; None where there is none.

    Raises:
        RixinError: `UNAUTHENTICATED` when there is none, when it is malformed, or when two places hold two different
            ones. No part of a credential is in the message: where a scheme should be, there may be a key.
    """
    given = [
        (place, value)
        for place, name, read_header in _HEADERS
        if name in headers and (value := read_header(headers[name].strip()))
    ]
    if query and (value := query.get("key", "").strip()):
        given.append(("the query's `key`", value))
    if cookie:
        given.append(("the login's cookie", cookie))
    if not given:
        raise _refused(f"The request carries no credential. {_HOW}")
    place, credential = given[0]
    for other, value in given[1:]:
        if value != credential:
            raise _refused(f"There are two different credentials, in {place} and in {other}. Send one of them.")
    if len(credential) > MAX_LENGTH:
        raise _refused(f"The credential in {place} is longer than {MAX_LENGTH} characters.")
    if not _TOKEN.fullmatch(credential):
        raise _refused(f"The credential in {place} holds characters that no API key has.")
    return credential


def _bearer(value: str) -> str:
    if not value:
        return ""
    scheme, _, credential = value.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused("The header `authorization` must read `Bearer KEY`; it has no scheme, or another one.")
    return credential.strip()


_HEADERS: tuple[tuple[str, str, Callable[[str], str]], ...] = (
    ("the header `authorization`", "authorization", _bearer),
    *((f"the header `{name}`", name, str) for name in PLAIN_HEADERS),
)
"""What messages call each header that may hold a credential, its name, and how one is found in its value."""


def _refused(message: str) -> RixinError:
    return RixinError(Kind.UNAUTHENTICATED, message)
