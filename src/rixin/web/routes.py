"""Which path leads where, and who may go there. A route cannot exist without saying who."""

import re
from collections.abc import Awaitable, Callable, Iterable
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from rixin.accounts.account import Account
from rixin.dialects.base import Dialect
from rixin.errors import Kind, RixinError
from rixin.web.exchange import Exchange

_PARAMETER = re.compile(r"\{\w+\}")


class Access(Enum):
    """Who may use a route: everyone, or keys that have the scope of this name."""

    PUBLIC = "public"
    INFERENCE = "inference"
    ADMIN = "admin"
    METRICS = "metrics"


Handler: TypeAlias = Callable[[Exchange, Account, str], Awaitable[None]]
"""Answers an exchange for an account; the last argument is what follows the path of a prefix route, or what stands in
place of a path's parameter."""


class Endpoint(Struct, frozen=True, kw_only=True):
    """One method of one path.

    A path that ends in a slash is a prefix. Another may hold one parameter, such as `{model}`, which stands for any
    text.
    """

    method: str
    path: str
    access: Access
    dialect: Dialect | None
    """Renders the errors of this route; None where several dialects share it, and the client's headers tell which."""
    handler: Handler
    proven: Callable[[Exchange], bool] | None = None
    """Tells whether a request holds a proof of its own, such as a signed URL, that stands for a credential; raises
    where it holds one that does not count. None where nothing does."""
    query_key: bool = False
    """Whether a credential may stand in the query, as `key`."""
    wire: bool = True
    """Whether browsers of allowed origins may call it."""

    @classmethod
    def public(cls, path: str, handler: Handler) -> "Endpoint":
        """A `GET` for everyone, about the server itself."""
        return cls(method="GET", path=path, access=Access.PUBLIC, dialect=None, handler=handler, wire=False)


class RouteTable:
    """Finds endpoints by exact path, then by path with a parameter, then by prefix."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self.endpoints = tuple(endpoints)
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._patterns: dict[tuple[str, str], dict[str, Endpoint]] = {}
        self._prefixes: dict[str, dict[str, Endpoint]] = {}
        for endpoint in self.endpoints:
            if pattern := _PARAMETER.search(endpoint.path):
                ends = (endpoint.path[: pattern.start()], endpoint.path[pattern.end() :])
                self._patterns.setdefault(ends, {})[endpoint.method] = endpoint
                continue
            table = self._prefixes if endpoint.path.endswith("/") and endpoint.path != "/" else self._exact
            table.setdefault(endpoint.path, {})[endpoint.method] = endpoint

    def methods(self, path: str) -> tuple[dict[str, Endpoint], str]:
        """The endpoints of a path by method, and what follows a prefix or stands for a parameter.

        A doubled `/v1` and a last slash are forgiven.
        """
        found = self._exact.get(path)
        if found is not None:
            return found, ""
        plain = _forgive(path)
        found = self._exact.get(plain)
        if found is not None:
            return found, ""
        for (before, after), endpoints in self._patterns.items():
            if plain.startswith(before) and plain.endswith(after) and len(plain) > len(before) + len(after):
                return endpoints, plain[len(before) : len(plain) - len(after)]
        for prefix, endpoints in self._prefixes.items():
            if plain.startswith(prefix):
                return endpoints, plain.removeprefix(prefix)
        return {}, ""

    def find(self, method: str, path: str) -> tuple[Endpoint, str]:
        """The endpoint of a request, and what follows its prefix or stands for its parameter.

        Raises:
            RixinError: `NOT_FOUND`, or `METHOD_NOT_ALLOWED` with the methods that are; `methods` tells them too.
        """
        methods, rest = self.methods(path)
        if not methods:
            raise nothing_at(path)
        endpoint = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        if endpoint is None:
            raise RixinError(Kind.METHOD_NOT_ALLOWED, f"{path[:200]} takes {', '.join(sorted(methods))}, not {method}")
        return endpoint, rest


def nothing_at(path: str) -> RixinError:
    """The error for a path that leads nowhere."""
    return RixinError(Kind.NOT_FOUND, f"there is nothing at {path[:200]}")


def _forgive(path: str) -> str:
    while path.startswith("/v1/v1/"):
        path = path.removeprefix("/v1")
    return path.rstrip("/") or "/"
