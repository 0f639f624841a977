"""Who may have files of the server's machine touched: its owner, logged in, on that machine, and nobody else."""

import msgspec
import pytest

from rixin.accounts.account import Account
from rixin.errors import Kind, RixinError
from rixin.settings import Server
from rixin.web import owner_here

OWNER = Account(id="usr_1", user="usr_1", name="Ada", scopes=frozenset({"admin"}), role="owner")
HERE = {"host": "127.0.0.1:8700"}
PEER = "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.1:8700", "localhost:8700", "[::1]:8700", "localhost"])
def test_the_owner_on_the_machine(host: str) -> None:
    """By any of its names for itself, and with a page of its own."""
    assert owner_here.obstacle(Server(), OWNER, PEER, {"host": host}) is None
    assert owner_here.obstacle(Server(), OWNER, PEER, {"host": host, "origin": f"http://{host}"}) is None
    owner_here.check(Server(), OWNER, PEER, {"host": host})


@pytest.mark.parametrize(
    "settings",
    [
        Server(host="0.0.0.0"),
        Server(host="192.0.2.7"),
        Server(public_url="https://rixin.example.com"),
        Server(trusted_proxies=("127.0.0.1/32",)),
    ],
)
def test_a_server_that_others_can_reach(settings: Server) -> None:
    """Touches nothing, not even for its owner."""
    assert owner_here.obstacle(settings, OWNER, PEER, HERE) == "reachable"


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("192.0.2.7", HERE),
        (None, HERE),
        (PEER, {}),
        (PEER, {"host": "evil.example"}),  # its name leads here by now (DNS rebinding)
        (PEER, {"host": "127.0.0.1.evil.example:8700"}),
        (PEER, {"host": "evil.example@127.0.0.1.evil.example"}),
        (PEER, {**HERE, "origin": "http://evil.example"}),
        (PEER, {**HERE, "origin": "null"}),
        (PEER, {**HERE, "x-forwarded-for": "192.0.2.7"}),
        (PEER, {**HERE, "x-forwarded-for": "127.0.0.1"}),
        (PEER, {**HERE, "x-forwarded-host": "localhost"}),
        (PEER, {**HERE, "x-real-ip": "127.0.0.1"}),
        (PEER, {**HERE, "forwarded": "for=127.0.0.1"}),
        (PEER, {**HERE, "via": "1.1 proxy"}),
    ],
)
def test_from_elsewhere(peer: str | None, headers: dict[str, str]) -> None:
    """From another machine, by another name, from another site's page, or through a proxy."""
    assert owner_here.obstacle(Server(), OWNER, peer, headers) == "elsewhere"


@pytest.mark.parametrize(
    ("settings", "changes", "expected"),
    [
        (Server(auth="off"), {"id": "local", "user": None}, "unknown"),
        (Server(), {"id": "key_1"}, "unknown"),  # a key of the owner
        (Server(), {"id": "key_1", "user": None}, "unknown"),  # a key of the operator
        (Server(), {"role": "admin"}, "not_owner"),
        (Server(), {"role": "auditor"}, "not_owner"),
        (Server(), {"role": "member"}, "not_owner"),
    ],
)
def test_somebody_else(settings: Server, changes: dict[str, str | None], expected: str) -> None:
    """Programs with keys, whoever is not known, and people who are no owners; the refusal says where it goes on."""
    account = msgspec.structs.replace(OWNER, **changes)
    assert owner_here.obstacle(settings, account, PEER, HERE) == expected
    with pytest.raises(RixinError, match="command line") as caught:
        owner_here.check(settings, account, PEER, HERE)
    assert caught.value.kind is Kind.PERMISSION_DENIED
