"""Who is asking, once a credential has been recognised."""

from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

Scope: TypeAlias = Literal["inference", "admin", "metrics"]

SCOPES: frozenset[str] = frozenset(get_args(Scope))


class Account(Struct, frozen=True, kw_only=True):
    """What a key may do."""

    id: str
    """The key's id."""
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

    def may_use(self, *names: str) -> bool:
        """Whether a model is within reach, by any of the names that it goes by (the asked one, the resolved one)."""
        return not self.models or any(fnmatchcase(name, glob) for glob in self.models for name in names)
