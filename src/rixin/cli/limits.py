"""What limits requests, as the settings say."""

from collections.abc import Callable

from rixin.accounts.account import Account
from rixin.core.requests import Asked
from rixin.limits.base import Limit
from rixin.limits.plans import Plans


def limits_of(plans: Plans) -> Callable[[Account, Asked], tuple[Limit, ...]]:
    """Finds the limits of an account's request: those of the key, of its user, of its team, and of the server."""

    def limits_for(account: Account, request: Asked) -> tuple[Limit, ...]:
        bearers = (
            (f"key:{account.id}", account.plan),
            (f"user:{account.user}", account.user_plan),
            (f"team:{account.team}", account.team_plan),
        )
        return plans.limits_for(bearers, request.card.target, asked=request.model)

    return limits_for
