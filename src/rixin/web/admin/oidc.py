"""Logging in by a provider of identities: to it, and back from it."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import RedirectResponse

from rixin.accounts.oidc import LIFETIME, OidcLogin
from rixin.errors import Kind, RixinError
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.policy import PREFIX
from rixin.web.admin.services import AdminServices, By, Services

router = guarded_router("oidc")

COOKIE = "rixin_oidc"
CONSOLE = "/console/"
"""Where people are sent who have come in, unless they were on another page of it."""
Back = Annotated[
    str, Query(max_length=1000, pattern=r"^/console/[\w\-./?=&%~+]*$", description="A page of the console.")
]
"""Nowhere else: a link to a login must not lead to another site."""


@router.get("/oidc/start", status_code=302, response_class=RedirectResponse)
async def start_oidc(services: Services, back: Back = CONSOLE) -> RedirectResponse:
    """Sends a browser to the provider of identities, from which it comes back to a page of the console."""
    start = await _oidc(services).start(back)
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
    """Takes a browser back, logs its user in, and sends it to the console."""
    arrival = await _oidc(services).finish(request.query_params, request.cookies.get(COOKIE), by.address)
    login = arrival.login
    response = RedirectResponse(arrival.back or CONSOLE, status_code=303)
    cookie = services.authenticator.cookie.written(login.token, login.expires_at - services.clock.now())
    response.headers.append("set-cookie", cookie)
    response.delete_cookie(COOKIE, path=f"{PREFIX}/oidc")
    return response


def _oidc(services: AdminServices) -> OidcLogin:
    if services.oidc is None:
        raise RixinError(Kind.NOT_FOUND, "This server knows no provider of identities (`[oidc]` in its settings).")
    return services.oidc
