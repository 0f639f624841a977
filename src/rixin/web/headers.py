"""The headers of a request, as they are looked at."""

from collections.abc import Sequence


def merged(pairs: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers by lower-case name. A repeated one holds its different values (RFC 9110, section 5.3)."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) != len(pairs):
        values: dict[str, dict[str, None]] = {}
        for name, value in pairs:
            values.setdefault(name.decode("latin-1"), {})[value.decode("latin-1")] = None
        headers = {name: ", ".join(different) for name, different in values.items()}
    return headers
