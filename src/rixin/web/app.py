"""The application: finds the route, checks who asks, catches what goes wrong, writes one log record a request."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import structlog

from rixin.accounts.account import Account
from rixin.accounts.keys import KeyRing
from rixin.accounts.logins import Logins
from rixin.clock import Clock
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.limits.base import LimitError
from rixin.limits.headers import rate_limit_headers
from rixin.server.asgi import Asgi, Receive, Scope, Send
from rixin.server.asgi_request import AsgiRequest
from rixin.server.refusal import Refusal
from rixin.server.request import Request
from rixin.service.telemetry.metrics import Metrics
from rixin.settings import Server
from rixin.web import local_only
from rixin.web.authenticator import Authenticator
from rixin.web.client_address import client_address
from rixin.web.cors import Cors
from rixin.web.exchange import Exchange, header_pairs
from rixin.web.lazy import Lazy
from rixin.web.request_id import request_id
from rixin.web.routes import Access, Endpoint, RouteTable
from rixin.web.stamp import make_stamp

log = structlog.get_logger("rixin.web")

TOO_MANY = 429
REFUSED = {
    408: Kind.REQUEST_TIMEOUT,
    414: Kind.TOO_LARGE,
    431: Kind.TOO_LARGE,
    500: Kind.INTERNAL,
    501: Kind.NOT_IMPLEMENTED,
}
"""What it means that the server does not take a request, by the status that it says; others are `INVALID_REQUEST`."""
UNTOLD = {Kind.RATE_LIMITED: 1.0, Kind.QUEUE_FULL: 1.0, Kind.QUOTA_EXHAUSTED: 60.0}
"""Seconds after which to come back where nobody knows better, such as an upstream that refuses without saying when."""

ANYONE = Account(id="anyone", name="anyone", scopes=frozenset())
OWNER = Account(id="local", name="local", scopes=frozenset(access.value for access in Access), role="owner")
"""Who calls a server that asks for no keys: reachable from this machine only, and allowed everything."""


class App:
    """Serves the wire routes, and hands what lies under the mounts to other ASGI applications.

    Args:
        routes: The wire routes.
        spoken: Tells from a request's headers, by lower-case name, which dialect its client speaks, where no route
            says it.
        keys: Authenticates credentials; None where the server asks for none.
        logins: Those of people; None where nobody can log in.
        settings: The server's settings.
        clock: Time.
        mounts: Applications by their path prefix.
        metrics: Counts exchanges, where that is wanted.
    """

    def __init__(
        self,
        routes: RouteTable,
        *,
        spoken: Callable[[Mapping[str, str]], Dialect],
        keys: KeyRing | None,
        logins: Logins | None = None,
        settings: Server,
        clock: Clock,
        mounts: Mapping[str, Lazy[Asgi]] | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._metrics = metrics
        self._routes = routes
        self._spoken = spoken
        self._authenticator = None if keys is None else Authenticator(keys, logins, settings)
        self._trusted_proxies = settings.trusted_proxies
        self._clock = clock
        self._cors = Cors(settings.cors_origins)
        self._mounts = mounts or {}
        self._active: set[Exchange] = set()
        self._idle = asyncio.Event()
        """Is set whenever the last exchange under way ends."""

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every wire route."""
        return self._routes.endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request of another server, by ASGI."""
        if scope["type"] == "http":
            await self.serve(AsgiRequest(scope, receive, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})

    async def serve(self, request: Request) -> None:
        """Answers a request."""
        path = request.head.path
        for prefix, mount in self._mounts.items():
            if path == prefix or path.startswith(prefix + "/"):
                await request.hand_over(await mount.value())
                return
        await self._record(request, self._serve)

    async def refuse(self, request: Request, refusal: Refusal) -> None:
        """Says why a request is not taken, as the dialect of its path does."""
        error = RixinError(REFUSED.get(refusal.status, Kind.INVALID_REQUEST), refusal.message)

        async def fail(exchange: Exchange) -> None:
            methods, _ = self._routes.methods(exchange.path)
            dialect = next((endpoint.dialect for endpoint in methods.values() if endpoint.dialect), None)
            await self._fail(exchange, dialect, error, refusal.status)

        await self._record(request, fail)

    async def _record(self, request: Request, answer: Callable[[Exchange], Awaitable[None]]) -> None:
        """Has a request answered, and takes down what became of it."""
        started = self._clock.monotonic()
        headers = request.head.headers
        identity = request_id(headers.get("x-request-id"), self._clock.now())
        exchange = Exchange(request, identity, client_address(request.client, headers, self._trusted_proxies))
        self._active.add(exchange)
        try:
            await answer(exchange)
        finally:
            self._active.discard(exchange)
            if not self._active:
                self._idle.set()
            seconds = self._clock.monotonic() - started
            if self._metrics is not None:
                self._metrics.exchanged(exchange.method, exchange.route, exchange.status, seconds)
            log.info(
                "request",
                id=exchange.request_id,
                method=exchange.method,
                path=exchange.path,
                status=exchange.status,
                ms=round(seconds * 1000, 2),
                **{name: value for name, value in exchange.log_fields.items() if value is not None},
            )

    @property
    def under_way(self) -> Collection[Exchange]:
        """The exchanges that have begun and not ended."""
        return self._active

    async def drain(self, grace: float) -> None:
        """Waits until running requests have ended, and ends those that have not after `grace` seconds."""
        try:
            async with asyncio.timeout(grace):
                while self._active:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            for exchange in list(self._active):
                exchange.interrupt(RixinError(Kind.SHUTTING_DOWN, "The server is shutting down.", retry_after=5))

    async def _serve(self, exchange: Exchange) -> None:
        dialect = None
        try:
            if exchange.method == "OPTIONS":
                await self._preflight(exchange)
                return
            endpoint, rest = self._routes.find(exchange.method, exchange.path)
            exchange.route, dialect = endpoint.path, endpoint.dialect
            if endpoint.wire:
                exchange.extra_headers.extend(self._cors.headers(exchange.headers.get("origin")))
            account = await self._authenticate(exchange, endpoint)
            await endpoint.handler(exchange, account, rest)
        except RixinError as error:
            await self._fail(exchange, dialect, error)
        except Exception as error:
            # The border: nothing may reach the client as a stack, and a stream that has begun is cut, never ended.
            log.exception("unexpected", id=exchange.request_id, error=type(error).__name__)
            await self._fail(exchange, dialect, RixinError(Kind.INTERNAL, "Something went wrong inside the server."))

    async def _preflight(self, exchange: Exchange) -> None:
        methods, _ = self._routes.methods(exchange.path)
        wire = {method for method, endpoint in methods.items() if endpoint.wire}
        asked = exchange.headers
        headers = (
            self._cors.preflight(asked.get("origin"), wire, asked.get("access-control-request-headers")) if wire else []
        )
        await exchange.respond(204, b"", headers)

    async def _authenticate(self, exchange: Exchange, endpoint: Endpoint) -> Account:
        if endpoint.access is Access.PUBLIC or (endpoint.proven is not None and endpoint.proven(exchange)):
            return ANYONE
        if self._authenticator is None:
            local_only.check(exchange.headers, origin_allowed=self._cors.allows)
            return OWNER
        query = exchange.query if endpoint.query_key else {}
        account = await self._authenticator.account(exchange.method, exchange.headers, exchange.client, query)
        exchange.log_fields["key"] = account.id
        if endpoint.access.value not in account.scopes:
            raise RixinError(Kind.PERMISSION_DENIED, f"This key has no scope `{endpoint.access.value}`.")
        if account.dialects and endpoint.dialect is not None and endpoint.dialect.name not in account.dialects:
            message = f"This key may not speak the dialect {endpoint.dialect.name}."
            raise RixinError(Kind.PERMISSION_DENIED, message)
        return account

    async def _fail(
        self, exchange: Exchange, dialect: Dialect | None, error: RixinError, status: int | None = None
    ) -> None:
        exchange.log_fields["error"] = error.kind.value
        getattr(log, error.log_level)(
            "failed", id=exchange.request_id, kind=error.kind.value, param=error.param, detail=error.detail
        )
        if error.kind is Kind.CANCELLED:
            exchange.status = exchange.status or error.status
            return
        if exchange.started:
            return
        if error.kind is Kind.METHOD_NOT_ALLOWED:
            methods, _ = self._routes.methods(exchange.path)
            exchange.extra_headers.append((b"allow", ", ".join(sorted(methods)).encode()))
            dialect = next((endpoint.dialect for endpoint in methods.values() if endpoint.dialect), dialect)
        if isinstance(error, LimitError):
            if self._metrics is not None:
                self._metrics.refused(error.kind)
            exchange.extra_headers.extend(rate_limit_headers(error.standings, self._clock.monotonic()))
        if error.status == TOO_MANY and error.retry_after is None:
            error.retry_after = UNTOLD[error.kind]
        reply = (dialect or self._spoken(exchange.headers)).render_error(
            error, make_stamp(exchange.request_id, self._clock)
        )
        await exchange.respond(status or reply.status, reply.body, header_pairs(reply.headers))
