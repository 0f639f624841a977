"""Logging in by a provider of identities: to it, and back from it."""

from typing import Annotated

import structlog
from fastapi import Query, Request
from fastapi.responses import RedirectResponse

from rixin.accounts.oidc import LIFETIME, OidcLogin
from rixin.accounts.refused_login import Refusal
from rixin.errors import Kind, RixinError
from rixin.web import console_files
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.policy import PREFIX
from rixin.web.admin.services import AdminServices, By, Services
from rixin.web.wanted_page import wants_page

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.web.admin")
router = guarded_router("oidc")

COOKIE = "rixin_oidc"
CONSOLE = console_files.PATH
"""Where people are sent who have come in, unless they were on another page of it."""
Back = Annotated[
    str, Query(max_length=1000, pattern=r"^/console/[\w\-./?=&%~+]*$", description="A page of the console.")
]
"""Nowhere else: a link to a login must not lead to another site."""


@router.get("/oidc/start", status_code=302, response_class=RedirectResponse)
async def start_oidc(services: Services, request: Request, back: Back = CONSOLE) -> RedirectResponse:
    """Sends a browser to the provider of identities, from which it comes back to a page of the console."""
    oidc = _oidc(services)
    try:
        start = await oidc.start(back)
    except RixinError as error:
        return _shown(request, error)
    response = RedirectResponse(start.url, status_code=302)
    # The provider sends the browser back from another site, so this one cannot be strict.
    response.set_cookie(
        COOKIE,
        start.kept,
        max_age=int(LIFETIME),
        path=f"{PREFIX}/oidc",
        httponly=True,
        samesite="lax",
        secure=services.authenticator.cookie.secure,
    )
    return response


@router.get("/oidc/callback", status_code=303, response_class=RedirectResponse)
async def finish_oidc(services: Services, by: By, request: Request) -> RedirectResponse:
    """Takes a browser back, logs its user in, and sends it to the console.

    Who is refused is told why: a browser by the console, at `refused` in its address; a program as by every route.
    """
    oidc = _oidc(services)
    try:
        arrival = await oidc.finish(request.query_params, request.cookies.get(COOKIE), by.address)
    except RixinError as error:
        return _shown(request, error)
    login = arrival.login
    response = RedirectResponse(arrival.back or CONSOLE, status_code=303)
    cookie = services.authenticator.cookie.written(login.token, login.expires_at - services.clock.now())
    response.headers.append("set-cookie", cookie)
    response.delete_cookie(COOKIE, path=f"{PREFIX}/oidc")
    return response


def _shown(request: Request, error: RixinError) -> RedirectResponse:
    """Sends a browser to the console, which says why its user does not come in. Raises the error for everybody else."""
    if not wants_page(request.headers.get("accept", "")):
        raise error
    log.info("refused", refusal=Refusal.of(error).value, kind=error.kind.value, detail=error.detail)
    response = RedirectResponse(f"{CONSOLE}?refused={Refusal.of(error)}", status_code=303)
    response.headers["cache-control"] = "no-store"
    return response


def _oidc(services: AdminServices) -> OidcLogin:
    if services.oidc is None:
        raise RixinError(Kind.NOT_FOUND, "This server knows no provider of identities (`[oidc]` in its settings).")
    return services.oidc
