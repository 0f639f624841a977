"""The guard of every admin route: it knows who may pass, and nothing of a request is read before it has let it in."""

from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from rixin.accounts.account import Account
from rixin.accounts.audit import Act, Actor
from rixin.errors import Kind, RixinError
from rixin.server.head import merged
from rixin.web import local_only, owner_here, same_origin
from rixin.web.admin.errors import ErrorBody, from_validation, render
from rixin.web.admin.policy import PREFIX, Policy, required_policy
from rixin.web.admin.services import AdminServices, services_of
from rixin.web.app import ANYONE, OWNER
from rixin.web.client_address import client_address

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.web.admin")


class GuardedRoute(APIRoute):
    """A route that asks who comes before it reads anything, and whose errors all have one shape.

    Raises:
        LookupError: The route has no policy.
    """

    @property
    def operations(self) -> list[tuple[str, str]]:
        """The methods of this route, each with the path."""
        return [(method, self.path) for method in sorted(self.methods or ())]

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request of this route."""
        policy = required_policy(self.operations)
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                await _let_in(request, policy)
                response = await answer(request)
                await _write_down(request, policy, response)
            except RixinError as error:
                getattr(log, error.log_level)("failed", route=self.path, kind=error.kind.value, detail=error.detail)
                return render(error)
            except RequestValidationError as error:
                return render(from_validation(error))
            except HTTPException:
                raise
            except Exception as error:
                # The border: nothing may reach the client as a stack.
                log.exception("unexpected", route=self.path, error=type(error).__name__)
                return render(RixinError(Kind.INTERNAL, "Something went wrong inside the server."))
            return response

        return guarded


def router(tag: str) -> APIRouter:
    """A router whose routes are guarded. Their paths go on from `/admin/v1`."""
    return APIRouter(prefix=PREFIX, tags=[tag], route_class=GuardedRoute, responses={"default": {"model": ErrorBody}})


async def _let_in(request: Request, policy: Policy) -> None:
    """Finds out who asks, and tells the request's state: `account`, and `actor` for the audit log.

    Raises:
        RixinError: As `Authenticator.account`; `PERMISSION_DENIED` for who is not what the policy asks for.
    """
    services = services_of(request)
    headers = merged(request.scope["headers"])
    peer = None if request.client is None else request.client.host
    address = client_address(peer, headers, services.settings.trusted_proxies)
    account = await _authorize(services, policy, request.method, headers, address)
    if policy.here:
        owner_here.check(services.settings, account, peer, headers)
    request.state.account = account
    request.state.actor = Actor.of(account, address)


async def _authorize(
    services: AdminServices, policy: Policy, method: str, headers: dict[str, str], address: str | None
) -> Account:
    if policy.roles is None:
        same_origin.check(method, headers, services.settings.public_url, needs_proof=False)
        return ANYONE
    if services.settings.auth == "off":
        local_only.check(headers)
        return OWNER
    account = await services.authenticator.account(method, headers, address)
    if account.role is None:
        raise RixinError(Kind.PERMISSION_DENIED, "This key has no scope `admin`.")
    if account.role not in policy.roles:
        raise RixinError(Kind.PERMISSION_DENIED, f"This is not for users whose role is {account.role}.")
    if policy.unbound and account.bounds:
        bounds = ", ".join(account.bounds)
        raise RixinError(
            Kind.PERMISSION_DENIED,
            f"This key has bounds ({bounds}) that users and teams would not have; log in for it.",
        )
    return account


async def _write_down(request: Request, policy: Policy, response: Response) -> None:
    if policy.act is None or response.status_code >= 400:
        return
    # What the path does not name, the route does.
    target = "/".join(request.path_params.values()) or getattr(request.state, "target", None)
    await services_of(request).people.audit.record(Act(actor=request.state.actor, action=policy.act, target=target))
