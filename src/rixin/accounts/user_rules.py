"""What a user may be, and who may make and change whom."""

import re

from msgspec import UNSET, Struct, UnsetType

from rixin.accounts.account import Account
from rixin.accounts.key_rules import check_name, check_plan
from rixin.accounts.roles import Role, may_manage
from rixin.errors import Kind, RixinError, invalid

MAX_EMAIL = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


class UserWish(Struct, frozen=True, kw_only=True):
    """What a new user shall be."""

    email: str
    """By which they log in."""
    name: str
    """What people call them: 1 to 100 characters that can be seen."""
    role: Role = "member"
    plan: str | None = None
    """What all their keys together are limited by. Whether there is such a plan is for the caller to check."""
    password: str | None = None
    """None where they log in by a provider of identities, or are given one later."""


class UserChange(Struct, frozen=True, kw_only=True):
    """What shall change of a user; the rest stays."""

    email: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    plan: str | UnsetType | None = UNSET
    disabled: bool | UnsetType = UNSET


def normalize_email(email: str) -> str:
    """An e-mail address as users are known by it. Raises `INVALID_REQUEST` where it can be none."""
    plain = email.strip().lower()
    if len(plain) > MAX_EMAIL or not _EMAIL.fullmatch(plain) or not plain.isprintable():
        raise invalid(f"email must be an e-mail address of at most {MAX_EMAIL} characters", "email")
    return plain


def check_change(change: UserChange) -> None:
    """Raises `INVALID_REQUEST` naming what is wrong."""
    if change.name is not UNSET:
        check_name(change.name)
    if change.plan is not UNSET:
        check_plan(change.plan)


def check_may(creator: Account | None, *roles: Role) -> None:
    """Raises `PERMISSION_DENIED` unless users of all these roles may be made and changed.

    Args:
        creator: Who wants to; None for the machine's operator, who may everything.
        roles: What the user is, and what they shall become.
    """
    if creator is not None and not all(may_manage(creator.role, role) for role in roles):
        raise RixinError(Kind.PERMISSION_DENIED, "Only an owner makes, changes and removes owners.", param="role")


def last_owner() -> RixinError:
    """The error for who would leave a server without an owner."""
    return RixinError(Kind.CONFLICT, "This is the last owner. Make another user an owner first.")


def no_user() -> RixinError:
    """The error for a user who is not there, or not for who asks."""
    return RixinError(Kind.NOT_FOUND, "There is no user with this id.")
