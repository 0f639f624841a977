"""The admin application: its routes, checked against their policies, and what all its answers have in common."""

import structlog
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException as StarletteHTTPException

from rixin import __version__
from rixin.clock import Clock
from rixin.server.asgi import Message, Receive, Scope, Send
from rixin.web.admin import (
    agents,
    audit,
    doctor,
    engines,
    files,
    keys,
    knowledge,
    learned,
    machine,
    models,
    names,
    oidc,
    plans,
    pools,
    provider_import,
    providers,
    quotas,
    requests,
    rewrite_fields,
    session,
    settings,
    skills,
    status,
    teams,
    usage,
    users,
)
from rixin.web.admin.errors import on_error
from rixin.web.admin.guard import GuardedRoute, router
from rixin.web.admin.policy import POLICIES, required_policy
from rixin.web.admin.services import AdminServices
from rixin.web.request_id import request_id
from rixin.web.server_timing import HEADER

MAX_BODY = 1 << 20
"""Bytes of a request's body."""
MAX_DRAINED = 4 * MAX_BODY
"""Bytes that are read of a larger one, so that its sender reads the answer and not a broken connection."""

_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("rixin.web.admin")


def make_app(services: AdminServices) -> "AdminApp":
    """The admin application. It serves whole paths (`/admin/v1/keys`).

    Raises:
        LookupError: A route has no policy, or a policy no route.
    """
    api = make_api(services.authenticator.cookie.name)
    api.state.services = services
    return AdminApp(api, services.clock)


def make_api(cookie: str) -> FastAPI:
    """The routes and their description, in `openapi()`. They answer once the state of it holds the `services`.

    Args:
        cookie: What the cookie of a login is called.

    Raises:
        LookupError: As `make_app`.
    """
    api = FastAPI(
        title="Rixin admin API",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        exception_handlers={StarletteHTTPException: on_error},
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
    )
    people = (session, oidc, users, teams, keys, audit)
    upstreams = (providers, provider_import, pools, rewrite_fields, learned, doctor)
    used = (usage, requests, plans, quotas, models, names, engines, files, knowledge)
    for module in (*people, status, settings, machine, agents, skills, *used, *upstreams):
        api.include_router(module.router)
    schema = router("schema")

    @schema.get("/openapi.json", include_in_schema=False)
    async def show_schema() -> JSONResponse:  # pyright: ignore[reportUnusedFunction] - the decorator uses it
        return JSONResponse(api.openapi())

    api.include_router(schema)
    check_policies(api)
    _describe(api, cookie)
    return api


def check_policies(api: FastAPI) -> None:
    """Makes sure that every route is guarded by a policy, and that every policy guards a route.

    Raises:
        LookupError: Naming the one that is alone.
    """
    guarded: set[tuple[str, str]] = set()
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if not isinstance(route, GuardedRoute):
            raise LookupError(f"the route {getattr(route, 'path', route)} is not guarded; make it with guard.router")
        required_policy(route.operations)
        guarded.update(route.operations)
    idle = POLICIES.keys() - guarded
    if idle:
        raise LookupError(f"policies without a route: {sorted(idle)}")


def _describe(api: FastAPI, cookie: str) -> None:
    """Tells in the OpenAPI document who may ask what, and takes errors out of it that we do not give."""
    document = api.openapi()
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "login": {"type": "apiKey", "in": "cookie", "name": cookie},
    }
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if isinstance(route, GuardedRoute) and route.include_in_schema:
            for method, _ in route.operations:
                operation = document["paths"][route.path_format][method.lower()]
                operation["responses"].pop("422", None)
                if required_policy(route.operations).roles is not None:
                    operation["security"] = [{"bearer": []}, {"api_key": []}, {"login": []}]
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)


class AdminApp:
    """The application with what every answer has: a request id, headers for browsers, and a record in the log.

    Attributes:
        api: Its routes.
        document: What OpenAPI tells of them.
    """

    def __init__(self, api: FastAPI, clock: Clock) -> None:
        self.api = api
        self.document = api.openapi()
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        started = self._clock.monotonic()
        wished = next((value for name, value in scope["headers"] if name == b"x-request-id"), None)
        identity = request_id(None if wished is None else wished.decode("latin-1"), self._clock.now())
        status = 0

        async def send_more(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                took = (self._clock.monotonic() - started) * 1000
                told = [(b"x-request-id", identity.encode()), (HEADER, f"total;dur={took:.2f}".encode())]
                message["headers"] = [*message["headers"], *_HEADERS, *told]
            await send(message)

        scope.setdefault("state", {})
        try:
            await self.api(scope, _limited(receive), send_more)
        finally:
            account = scope["state"].get("account")
            log.info(
                "request",
                id=identity,
                method=scope["method"],
                # Its template: somebody may have written a secret into the path itself.
                route=getattr(scope.get("route"), "path", None),
                status=status,
                ms=round((self._clock.monotonic() - started) * 1000, 2),
                key=None if account is None else account.id,
            )


def _limited(receive: Receive) -> Receive:
    size = 0

    async def receive_some() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            while message.get("more_body") and size <= MAX_DRAINED:
                message = await receive()
                size += len(message.get("body", b""))
            raise HTTPException(413)
        return message

    return receive_some
