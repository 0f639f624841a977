"""Whose rows are, in tables whose column `owner` holds the id of a key or of a user."""

from typing import Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import ColumnElement, Table, func, or_, select, true
from sqlalchemy.sql.selectable import FromClause

from rixin.store.keys import Reach
from rixin.store.schema import keys, users

OwnerKind: TypeAlias = Literal["key", "user", "local"]
"""`local`: whoever asks a server that wants no keys."""


class Owner(Struct, frozen=True):
    """Whose something is."""

    id: str
    kind: OwnerKind
    name: str | None
    """What people call it; None where it is `local`, or gone."""


def within(owner: ColumnElement[str], reach: Reach | None) -> ColumnElement[bool]:
    """Whether an owner is somebody, or a key within their reach; None reaches everything."""
    if reach is None:
        return true()
    return or_(owner == reach.user_id, owner.in_(select(keys.c.id).where(reach.condition)))


def owner_name(table: Table) -> tuple[ColumnElement[str | None], FromClause]:
    """What the owners of a table's rows are called, and what that is selected from, the table included."""
    joined = table.outerjoin(keys, keys.c.id == table.c.owner).outerjoin(users, users.c.id == table.c.owner)
    return func.coalesce(keys.c.name, users.c.name).label("owner_name"), joined


def owner_of(id: str, name: str | None) -> Owner:  # noqa: A002 - it is the id
    """The owner with an id and a name."""
    kind: OwnerKind = "key" if id.startswith("key_") else "user" if id.startswith("usr_") else "local"
    return Owner(id, kind, name)
