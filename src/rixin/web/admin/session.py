"""Coming in and going out: the first owner, logging in by a password, logging out, and who one is."""

from typing import Literal

from fastapi import Request, Response
from pydantic import BaseModel, ConfigDict

from rixin.accounts.logins import Method, NewLogin
from rixin.accounts.roles import Role
from rixin.errors import Kind, RixinError
from rixin.server.head import merged
from rixin.web.admin.guard import router as guarded_router
from rixin.web.admin.services import AdminServices, By, Caller, Services
from rixin.web.admin.teams import TeamView

router = guarded_router("session")


class SetupState(BaseModel):
    """How people can come in."""

    needed: bool
    """Whether there is no user yet: the first one is made with the set-up token."""
    auth: Literal["keys", "off"]
    oidc: str | None
    """What the provider of identities is called; absent where there is none."""


class SetupWish(BaseModel):
    """The first owner."""

    model_config = ConfigDict(extra="forbid", strict=True)

    token: str
    email: str
    name: str
    password: str


class Credentials(BaseModel):
    """What somebody logs in with."""

    model_config = ConfigDict(extra="forbid", strict=True)

    email: str
    password: str


class PasswordChange(BaseModel):
    """Another password of one's own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    old_password: str = ""
    """The one that counts so far; empty where one has logged in without any."""
    password: str


class SessionView(BaseModel):
    """Who asks."""

    id: str
    """Of the user, or of the key where it is nobody's."""
    name: str
    role: Role
    email: str | None
    user: str | None
    """Absent where a key asks that is the operator's."""
    scopes: list[str]
    expires_at: float | None
    """When the key ends, in seconds since the epoch; absent for logins and for keys without an end."""
    teams: list[TeamView]


class LoginState(BaseModel):
    """A login that has begun; its token is in a cookie that no script can read."""

    expires_at: float


class LoginView(BaseModel):
    """A login of one's own. Instants are seconds since the epoch."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    method: Method
    created_at: float
    used_at: float
    """To the minute."""
    expires_at: float
    """When it ends at the latest; it also ends when it is not used for half a day."""
    current: bool
    """Whether it is the one that asks."""


class LoginList(BaseModel):
    """One's own logins, the one that was used last first."""

    data: list[LoginView]


@router.get("/setup")
async def show_setup(services: Services) -> SetupState:
    """Tells how people can come in."""
    oidc = services.oidc
    return SetupState(
        needed=services.settings.auth == "keys" and not await services.people.users.any_there(),
        auth=services.settings.auth,
        oidc=None if oidc is None else oidc.name,
    )


@router.post("/setup", status_code=201)
async def set_up(services: Services, by: By, wish: SetupWish, response: Response) -> LoginState:
    """Makes the first owner, and logs them in."""
    login = await services.people.sign_in.set_up(
        wish.token, email=wish.email, name=wish.name, password=wish.password, address=by.address
    )
    services.settings.setup_token_file.unlink(missing_ok=True)  # it counts no more
    return _begun(services, response, login)


@router.post("/login")
async def log_in(services: Services, by: By, wish: Credentials, response: Response) -> LoginState:
    """Logs somebody in."""
    return _begun(services, response, await services.people.sign_in.log_in(wish.email, wish.password, by.address))


@router.post("/logout", status_code=204)
async def log_out(services: Services, caller: Caller, by: By, request: Request, response: Response) -> None:
    """Ends the login that asks."""
    await services.people.sign_in.log_out(caller, _token(services, request), by.address)
    response.headers["set-cookie"] = services.authenticator.cookie.erased()


@router.get("/session")
async def show_session(services: Services, caller: Caller) -> SessionView:
    """Tells who asks."""
    user = None if caller.user is None else await services.people.users.find(caller.user)
    teams = [] if user is None else await services.people.teams.list(caller, mine=True)
    return SessionView(
        id=caller.user or caller.id,
        name=caller.name,
        role=caller.role or "member",
        email=None if user is None else user.email,
        user=caller.user,
        scopes=sorted(caller.scopes),
        expires_at=caller.expires_at,
        teams=[TeamView.model_validate(team) for team in teams],
    )


@router.put("/session/password", status_code=204)
async def change_own_password(
    services: Services, caller: Caller, by: By, request: Request, wish: PasswordChange
) -> None:
    """Changes one's own password. Every other login of oneself ends."""
    token = _token(services, request)
    await services.people.sign_in.change_password(caller, token, wish.old_password, wish.password, by.address)


@router.get("/session/logins")
async def list_own_logins(services: Services, caller: Caller, request: Request) -> LoginList:
    """Lists one's own logins."""
    found = await services.people.logins.of_user(caller.user or "", _token(services, request))
    return LoginList(data=[LoginView.model_validate(login) for login in found])


@router.delete("/session/logins", status_code=204)
async def end_other_logins(services: Services, caller: Caller, by: By, request: Request) -> None:
    """Ends all of one's own logins but the one that asks."""
    await services.people.sign_in.end_other_logins(caller, _token(services, request), by.address)


@router.delete("/session/logins/{login_id}", status_code=204)
async def end_own_login(services: Services, caller: Caller, by: By, request: Request, login_id: str) -> None:
    """Ends one of one's own logins."""
    _token(services, request)
    await services.people.sign_in.end_login(caller, login_id, by.address)


def _begun(services: AdminServices, response: Response, login: NewLogin) -> LoginState:
    lifetime = login.expires_at - services.clock.now()
    response.headers["set-cookie"] = services.authenticator.cookie.written(login.token, lifetime)
    return LoginState(expires_at=login.expires_at)


def _token(services: AdminServices, request: Request) -> str:
    """The token of the login that asks. Raises `INVALID_REQUEST` where a key asks."""
    token = services.authenticator.cookie.token(merged(request.scope["headers"]))
    if token is None:
        raise RixinError(Kind.INVALID_REQUEST, "This is for people who have logged in, and a key asks.")
    return token
