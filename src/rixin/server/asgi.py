"""The words of ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
Address: TypeAlias = tuple[str, int] | None
"""Of one end of a connection; None on a Unix socket."""
