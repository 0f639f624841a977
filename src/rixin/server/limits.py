"""What clients may do."""

from msgspec import Struct


class Limits(Struct, frozen=True, kw_only=True):
    """Durations are seconds, sizes bytes."""

    head_bytes: int = 2**16
    """Of a request's head."""
    target_bytes: int = 2**14
    """Of its target: the path and the query."""
    fields: int = 128
    """Header fields."""
    waiting_body: int = 2**18
    """Of a body that has come and is not read; then its sender has to wait."""
    unread_body: int = 2**18
    """Of a body that nobody reads, and which is passed over so that its connection can be used on."""
    ahead: int = 32
    """Requests that may wait for the answer to another one on their connection."""
    head_timeout: float = 30.0
    """For a head to be complete, from its first byte."""
    silence: float = 150.0
    """In the middle of a body that is waited for."""
    idle: float = 75.0
    """Between two requests: longer than common proxies keep unused connections."""
    stuck: float = 120.0
    """That a client may take nothing of its answer."""
    linger: float = 5.0
    """For a client to read why it was refused, while it may still be sending."""
