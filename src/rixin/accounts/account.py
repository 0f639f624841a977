"""Who is asking, once a credential has been recognised."""

from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

from rixin.accounts.roles import Role

Scope: TypeAlias = Literal["inference", "admin", "metrics"]

SCOPES: frozenset[str] = frozenset(get_args(Scope))


class Account(Struct, frozen=True, kw_only=True):
    """What a key may do, or a person who has logged in."""

    id: str
    """The key's id, or that of the user who has logged in."""
    name: str
    scopes: frozenset[str]
    models: tuple[str, ...] = ()
    """Names or globs; empty means every model."""
    plan: str | None = None
    """The plan that limits it; None means no limit."""
    expires_at: float | None = None
    """Seconds since the epoch."""
    user: str | None = None
    """The id of the user whose key it is; None where it is the operator's."""
    team: str | None = None
    """The id of the team that it counts for."""
    user_plan: str | None = None
    """The plan that all keys of its user share."""
    team_plan: str | None = None
    """The plan that all keys of its team share."""
    dialects: tuple[str, ...] = ()
    """Names of the dialects that it may speak; empty means every one."""
    networks: tuple[str, ...] = ()
    """Where its requests may come from, in CIDR notation; empty means anywhere."""
    role: Role | None = None
    """What it is in the admin API; None keeps it out."""

    @property
    def bounds(self) -> tuple[str, ...]:
        """By what a key of its own is narrower than whose it is; a person who has logged in has none."""
        bounds = ("models", "dialects", "networks", "plan", "expires_at", "team")
        return tuple(name for name in bounds if getattr(self, name))

    def may_use(self, *names: str) -> bool:
        """Whether a model is within reach, by any of the names that it goes by (the asked one, the resolved one)."""
        return not self.models or any(fnmatchcase(name, glob) for glob in self.models for name in names)
