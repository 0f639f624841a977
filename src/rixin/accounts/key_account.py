"""What a stored key amounts to now: never to more than its user and its team may."""

import msgspec

from rixin.accounts.account import Account
from rixin.accounts.roles import ROLE_SCOPES, Role
from rixin.store.keys import FoundKey, KeyOwner


def role_of(owner: KeyOwner) -> Role | None:
    """The role of a key's user; None where the key has no user."""
    return None if owner.role is None else msgspec.convert(owner.role, Role)


def account_of(found: FoundKey) -> Account:
    """What a key may do. A key without a user is the operator's, and may do what its scopes say."""
    key, owner = found.key, found.owner
    role: Role | None = "owner"
    scopes = frozenset(key.scopes)
    if key.user_id is not None:
        role = role_of(owner)
        scopes &= frozenset() if role is None else ROLE_SCOPES[role]
    return Account(
        id=key.id,
        name=key.name,
        scopes=scopes,
        models=key.models,
        plan=key.plan,
        expires_at=key.expires_at,
        user=key.user_id,
        team=key.team_id,
        user_plan=owner.user_plan,
        team_plan=owner.team_plan,
        dialects=key.dialects,
        networks=key.networks,
        role=role if "admin" in scopes else None,
    )


def refusal_of(found: FoundKey) -> str | None:
    """Why a key does not count; None where it does."""
    if found.key.disabled_at is not None:
        return "This API key is disabled."
    if not found.owner.stands:
        return "This API key does not count: its user is disabled or gone, or is not in its team any more."
    return None
