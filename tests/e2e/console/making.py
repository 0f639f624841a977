"""What tests of the console find there already, made by the operator's key."""

from typing import Any

import requests

from tests.support.hang import HANG
from tests.support.server import Server


def made(server: Server, path: str, **wish: Any) -> dict[str, Any]:
    """What the admin API makes at a path below `/admin/v1`."""
    answer = requests.post(f"{server.url}/admin/v1{path}", json=wish, headers=server.headers, timeout=HANG)
    assert answer.status_code == 201, answer.text
    return answer.json()


def grace_of_the_navy(server: Server) -> tuple[str, str]:
    """A member of a team: the ids of both."""
    grace = made(server, "/users", email="grace@example.com", name="Grace", role="member")["id"]
    navy = made(server, "/teams", name="Navy")["id"]
    path = f"{server.url}/admin/v1/teams/{navy}/members/{grace}"
    answer = requests.put(path, json={"role": "member"}, headers=server.headers, timeout=HANG)
    assert answer.status_code == 204, answer.text
    return grace, navy
