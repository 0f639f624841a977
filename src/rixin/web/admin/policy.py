"""Who may use which admin route. A route that this table does not name cannot be made."""

from collections.abc import Iterable, Mapping
from typing import Final

from rixin.accounts.account import Scope

PREFIX: Final = "/admin/v1"

POLICIES: Final[Mapping[tuple[str, str], Scope | None]] = {
    ("GET", f"{PREFIX}/openapi.json"): None,
    ("GET", f"{PREFIX}/status"): "admin",
    ("GET", f"{PREFIX}/keys"): "admin",
    ("POST", f"{PREFIX}/keys"): "admin",
    ("POST", f"{PREFIX}/access-keys"): "admin",
    ("PATCH", f"{PREFIX}/keys/{{key_id}}"): "admin",
    ("DELETE", f"{PREFIX}/keys/{{key_id}}"): "admin",
    ("GET", f"{PREFIX}/usage/summary"): "admin",
    ("GET", f"{PREFIX}/usage/recent"): "admin",
    ("GET", f"{PREFIX}/requests"): "admin",
    ("GET", f"{PREFIX}/requests/{{request_id}}"): "admin",
    ("GET", f"{PREFIX}/providers"): "admin",
    ("POST", f"{PREFIX}/providers"): "admin",
    ("POST", f"{PREFIX}/providers/preview"): "admin",
    ("GET", f"{PREFIX}/providers/{{name}}"): "admin",
    ("PATCH", f"{PREFIX}/providers/{{name}}"): "admin",
    ("DELETE", f"{PREFIX}/providers/{{name}}"): "admin",
    ("GET", f"{PREFIX}/presets"): "admin",
    ("POST", f"{PREFIX}/providers/{{name}}/doctor"): "admin",
    ("POST", f"{PREFIX}/requests/{{request_id}}/explain"): "admin",
    ("GET", f"{PREFIX}/providers/{{name}}/learned"): "admin",
    ("DELETE", f"{PREFIX}/providers/{{name}}/learned"): "admin",
    ("GET", f"{PREFIX}/plans"): "admin",
    ("GET", f"{PREFIX}/models"): "admin",
    ("GET", f"{PREFIX}/engines"): "admin",
    ("POST", f"{PREFIX}/engines/{{name:path}}/load"): "admin",
    ("POST", f"{PREFIX}/engines/{{name:path}}/unload"): "admin",
}
"""The scope that a key must have, by method and path; None lets everyone in."""


def required_scope(operations: Iterable[tuple[str, str]]) -> Scope | None:
    """The scope that a route asks for, by the methods and paths that it serves.

    Raises:
        LookupError: No policy says who may use it, or its methods have different ones.
    """
    scopes: set[Scope | None] = set()
    for method, path in operations:
        if (method, path) not in POLICIES:
            raise LookupError(f"no policy says who may {method} {path}; add it to {__name__}.POLICIES")
        scopes.add(POLICIES[method, path])
    if len(scopes) != 1:
        raise LookupError("the methods of a route have different policies, or none; make them routes of their own")
    return scopes.pop()
