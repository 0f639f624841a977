"""Whether somebody looks at an answer in a browser."""

from typing import Final

_PAGE: Final = "text/html"


def wants_page(accept: str) -> bool:
    """Whether an `accept` header names pages, as browsers do when somebody goes to an address (RFC 9110, 12.5.1)."""
    ranges = (part.partition(";") for part in accept.lower().split(","))
    return any(kind.strip() == _PAGE and weight.strip() not in ("q=0", "q=0.0") for kind, _, weight in ranges)
