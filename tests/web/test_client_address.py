"""Where a request comes from, behind proxies and past liars."""

import pytest

from rixin.web.client_address import client_address

TRUSTED = ("10.0.0.0/8", "::1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "address"),
    [
        ("10.0.0.1", "192.0.2.7", (), "10.0.0.1"),
        ("192.0.2.9", "192.0.2.7", TRUSTED, "192.0.2.9"),
        ("10.0.0.1", "192.0.2.7", TRUSTED, "192.0.2.7"),
        ("10.0.0.1", "127.0.0.1, 192.0.2.7", TRUSTED, "192.0.2.7"),
        ("10.0.0.1", "127.0.0.1, 192.0.2.7, 10.9.9.9", TRUSTED, "192.0.2.7"),
        ("::1", "2001:db8::1", TRUSTED, "2001:db8::1"),
        ("10.0.0.1", "", TRUSTED, "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, unknown", TRUSTED, "10.0.0.1"),
        ("::ffff:10.0.0.1", "192.0.2.7", TRUSTED, "192.0.2.7"),
        (None, "192.0.2.7", TRUSTED, None),
    ],
)
def test_the_last_address_counts_that_no_trusted_proxy_has(
    peer: str | None, forwarded: str, trusted: tuple[str, ...], address: str | None
) -> None:
    """What a client writes itself stands before it, and counts for nothing."""
    assert client_address(peer, {"x-forwarded-for": forwarded}, trusted) == address
