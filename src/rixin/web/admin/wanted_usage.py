"""Which requests are wanted, by a query and by who asks: of the lists, and of sums."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from rixin.accounts.orphans import INTERRUPTED
from rixin.errors import Kind, RixinError, invalid
from rixin.store.usage import UsageFilter
from rixin.store.usage_sums import SumFilter
from rixin.web.admin.pages import Instant
from rixin.web.admin.services import Caller, Services

Key: TypeAlias = Annotated[str | None, Query(description="The id of the key that asked.", max_length=200)]
User: TypeAlias = Annotated[str | None, Query(description="The id of the user whose key it was.", max_length=200)]
Team: TypeAlias = Annotated[str | None, Query(description="The id of the team that it counts for.", max_length=200)]
Provider: TypeAlias = Annotated[str | None, Query(description="Who answered, by the provider's name.", max_length=200)]
Model: TypeAlias = Annotated[str | None, Query(description="The model's name, as it was resolved.", max_length=200)]
AnyModel: TypeAlias = Annotated[
    str | None, Query(description="The model's name, as it was asked for or resolved.", max_length=200)
]
Status: TypeAlias = Annotated[
    str | None, Query(description="A status such as `429`, or a class such as `5xx`.", pattern="^[1-5](\\d\\d|xx)$")
]
Error: TypeAlias = Annotated[
    str | None, Query(description=f"The kind of error that ended it; `{INTERRUPTED}` where the server was killed.")
]

_ERRORS = frozenset({*(kind.value for kind in Kind), INTERRUPTED})


async def _seen(services: Services, caller: Caller, user: User = None, team: Team = None) -> str | None:
    """The id of the user whose requests are shown; None for everybody's.

    Raises:
        RixinError: `PERMISSION_DENIED` for members who ask for somebody else's, unless it is in a team that they lead.
    """
    if caller.role != "member" or (team is not None and await services.people.teams.is_led(team, caller)):
        return user
    if user not in (None, caller.user):
        message = "Members see their own usage, and that of the teams that they are admins of."
        raise RixinError(Kind.PERMISSION_DENIED, message, param="user")
    return caller.user or caller.id


SeenUser: TypeAlias = Annotated[str | None, Depends(_seen)]


def _wanted(
    user: SeenUser,
    key: Key = None,
    team: Team = None,
    model: AnyModel = None,
    provider: Provider = None,
    status: Status = None,
    error: Error = None,
    since: Instant | None = None,
    until: Instant | None = None,
) -> UsageFilter:
    if error is not None and error not in _ERRORS:
        raise invalid(f"error must be one of {', '.join(sorted(_ERRORS))}", "error")
    return UsageFilter(
        key_id=key,
        user_id=user,
        team_id=team,
        model=model,
        provider=provider,
        least_status=None if status is None else int(status.replace("xx", "00")),
        most_status=None if status is None else int(status.replace("xx", "99")),
        error=error,
        since=since,
        until=until,
    )


def _wanted_sums(
    user: SeenUser, key: Key = None, team: Team = None, model: Model = None, provider: Provider = None
) -> SumFilter:
    return SumFilter(key_id=key, user_id=user, team_id=team, model=model, provider=provider)


Wanted: TypeAlias = Annotated[UsageFilter, Depends(_wanted)]
WantedSums: TypeAlias = Annotated[SumFilter, Depends(_wanted_sums)]
