"""What a key may be: the checks that every new one passes."""

import math
import unicodedata
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from rixin.accounts.account import SCOPES, Account
from rixin.accounts.networks import covers, parse_network
from rixin.accounts.roles import ROLE_SCOPES, Role, may_manage
from rixin.errors import Kind, RixinError, invalid

MAX_NAME = 100
MAX_MODELS = 100
MAX_MODEL = 200
MAX_NETWORKS = 100
MAX_DIALECTS = 20

_UNSEEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of what cannot be seen, or turns what is seen around."""
_JOINERS = frozenset("\u200c\u200d")  # Persian words and many emoji are written with them
_GLOB_CHARACTERS = frozenset("*?[")


class KeyWish(Struct, frozen=True, kw_only=True):
    """What a new key shall be."""

    name: str
    """What people call it: 1 to 100 characters that can be seen."""
    scopes: tuple[str, ...] = ("inference",)
    """Some of `account.SCOPES`."""
    models: tuple[str, ...] = ()
    """Model names or globs; none means every model."""
    plan: str | None = None
    """The plan that limits it. Whether there is such a plan is for the caller to check."""
    expires_at: float | None = None
    """Seconds since the epoch."""
    user: str | None = None
    """The id of the user whose it shall be; None leaves it with its creator's user."""
    team: str | None = None
    """The id of the team that it shall count for; None leaves it with its creator's team."""
    dialects: tuple[str, ...] = ()
    """Names of dialects; none means every one. Whether there are such dialects is for the caller to check."""
    networks: tuple[str, ...] = ()
    """Addresses, or networks in CIDR notation; none means anywhere."""
    creator: Account | None = None
    """Whose key makes it, where it is not the machine's operator: the new one can do no more."""


def check_wish(wish: KeyWish, now: float) -> None:
    """Raises `INVALID_REQUEST` naming what is wrong, or `PERMISSION_DENIED` for what its creator may not give."""
    check_name(wish.name)
    check_scopes(wish.scopes)
    check_models(wish.models)
    check_plan(wish.plan)
    check_expiry(wish.expires_at, now)
    check_dialects(wish.dialects)
    check_networks(wish.networks)
    if wish.creator is not None:
        check_within(wish.creator, wish)


def check_name(name: str) -> None:
    """Raises `INVALID_REQUEST` unless it is a name of 1 to 100 characters that can be seen."""
    if not 1 <= len(name) <= MAX_NAME or not name.strip():
        raise invalid(f"name must be 1 to {MAX_NAME} characters long", "name")
    if not _visible(name):
        raise invalid("name must hold no control characters and none that cannot be seen", "name")


def check_scopes(scopes: Collection[str]) -> None:
    """Raises `INVALID_REQUEST` unless these are one or more of `SCOPES`."""
    unknown = sorted(set(scopes) - SCOPES)
    if unknown or not scopes:
        raise invalid(f"scopes must be one or more of {', '.join(sorted(SCOPES))}", "scopes")


def check_models(models: Sequence[str]) -> None:
    """Raises `INVALID_REQUEST` unless these can be model names or globs."""
    if len(models) > MAX_MODELS:
        raise invalid(f"models must be at most {MAX_MODELS} names or globs", "models")
    for index, model in enumerate(models):
        if not 1 <= len(model) <= MAX_MODEL or not _visible(model) or " " in model:
            raise invalid(
                f"models[{index}] must be a model name or glob of 1 to {MAX_MODEL} characters", f"models[{index}]"
            )


def check_plan(plan: str | None) -> None:
    """Raises `INVALID_REQUEST` unless it can be the name of a plan."""
    if plan is not None and (not 1 <= len(plan) <= MAX_NAME or not _visible(plan)):
        raise invalid(f"plan must be the name of a plan, of 1 to {MAX_NAME} characters", "plan")


def check_expiry(expires_at: float | None, now: float) -> None:
    """Raises `INVALID_REQUEST` unless the instant is yet to come."""
    if expires_at is not None and not (math.isfinite(expires_at) and expires_at > now):
        raise invalid("expires_at must be an instant in the future, in seconds since the epoch", "expires_at")


def check_dialects(dialects: Sequence[str]) -> None:
    """Raises `INVALID_REQUEST` unless these can be names of dialects."""
    if len(dialects) > MAX_DIALECTS or not all(1 <= len(name) <= MAX_NAME and _visible(name) for name in dialects):
        raise invalid(f"dialects must be at most {MAX_DIALECTS} names of dialects", "dialects")


def check_networks(networks: Sequence[str]) -> None:
    """Raises `INVALID_REQUEST` unless these are addresses and networks."""
    if len(networks) > MAX_NETWORKS:
        raise invalid(f"networks must be at most {MAX_NETWORKS} addresses or networks", "networks")
    for index, network in enumerate(networks):
        try:
            parse_network(network)
        except ValueError:
            name = f"networks[{index}]"
            raise invalid(
                f"{name} must be an address such as 192.0.2.7, or a network such as 192.0.2.0/24", name
            ) from None


def check_within(creator: Account, wish: KeyWish) -> None:
    """Raises `PERMISSION_DENIED` where a key could do more than the one that makes it."""
    if not creator.scopes.issuperset(wish.scopes):
        raise _beyond("scopes", "a scope that your own key does not have")
    if creator.models and (not wish.models or not all(_covers(creator.models, model) for model in wish.models)):
        raise _beyond("models", "a model that your own key may not use")
    if creator.dialects and (not wish.dialects or not set(creator.dialects).issuperset(wish.dialects)):
        raise _beyond("dialects", "a dialect that your own key may not speak")
    if creator.networks and (not wish.networks or not all(covers(creator.networks, each) for each in wish.networks)):
        raise _beyond("networks", "a network that your own key may not be used from")
    if creator.plan is not None and wish.plan != creator.plan:
        raise _beyond("plan", "a plan other than that of your own key")
    if creator.expires_at is not None and (wish.expires_at is None or wish.expires_at > creator.expires_at):
        raise _beyond("expires_at", "a longer life than your own key has")
    if creator.team is not None and wish.team not in (None, creator.team):
        raise _beyond("team", "a team other than that of your own key")


def check_owner(wish: KeyWish, role: Role | None) -> None:
    """Raises where a key may not be the user's whose it shall be.

    Args:
        wish: With its user and its creator.
        role: The user's; None where the key has no user.

    Raises:
        RixinError: `INVALID_REQUEST` for a scope that no key of such a user can have; `PERMISSION_DENIED` where the
            creator may not make keys for that user.
    """
    if role is None:
        return
    beyond = sorted(set(wish.scopes) - ROLE_SCOPES[role])
    if beyond:
        raise invalid(f"Keys of a user whose role is {role} cannot have the scope {beyond[0]}.", "scopes")
    creator = wish.creator
    if creator is None or creator.user == wish.user:
        return
    if not may_manage(creator.role, role):
        raise _beyond("user", "keys to that user")
    if creator.role != "owner" and "admin" in wish.scopes:
        # Its maker knows it, and its user may become more than its maker is.
        raise _beyond("scopes", "others the scope `admin`, unless you are an owner")


def _covers(globs: Sequence[str], model: str) -> bool:
    # Whether one glob lies within another is not decided here: a glob counts only where it is the very same.
    if model in globs:
        return True
    return _GLOB_CHARACTERS.isdisjoint(model) and any(fnmatchcase(model, glob) for glob in globs)


def _visible(text: str) -> bool:
    return all(unicodedata.category(character) not in _UNSEEN or character in _JOINERS for character in text)


def _beyond(param: str, what: str) -> RixinError:
    return RixinError(Kind.PERMISSION_DENIED, f"A key cannot give {what}.", param=param)
