"""How far who asks can see."""

from rixin.accounts.account import Account
from rixin.store.keys import Reach


def reach_of(caller: Account) -> Reach | None:
    """The keys whose belongings somebody may see and change, besides their own; None means everybody's."""
    return Reach(caller.user or caller.id) if caller.role == "member" else None
