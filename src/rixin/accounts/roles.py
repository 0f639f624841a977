"""What people are on a server: four roles, and what each may give to its keys.

An `owner` may do everything; an `admin` everything but to owners; an `auditor` sees everything and changes nothing; a
`member` uses the models, and sees and keeps keys of their own.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias, get_args

from rixin.settings import Role

TeamRole: TypeAlias = Literal["admin", "member"]
"""In a team: `admin` chooses its members and sees to its keys, `member` may make keys that count for it."""

ROLES: Final[tuple[Role, ...]] = get_args(Role)
TEAM_ROLES: Final[tuple[TeamRole, ...]] = get_args(TeamRole)

ROLE_SCOPES: Final[Mapping[Role, frozenset[str]]] = {
    "owner": frozenset({"inference", "admin", "metrics"}),
    "admin": frozenset({"inference", "admin", "metrics"}),
    "auditor": frozenset({"admin", "metrics"}),
    "member": frozenset({"inference"}),
}
"""The scopes that keys of such a user can have. The scope `admin` opens the admin API, as far as the role goes."""

_RANKS: Final[Mapping[Role, int]] = {"owner": 2, "admin": 1, "auditor": 0, "member": 0}


def may_manage(role: Role | None, other: Role) -> bool:
    """Whether people of a role may make, change and remove those of another: owners all, admins all but owners."""
    return role is not None and _RANKS[role] > 0 and _RANKS[role] >= _RANKS[other]
