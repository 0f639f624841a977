"""Instants as text (RFC 3339), for dialects that do not count seconds."""

from datetime import UTC, datetime


def in_utc(instant: float) -> str:
    """Seconds since the epoch as `2027-01-15T08:00:00Z`; parts of a second are cut off."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
