"""Speaking to a server from the command line: which one, with which key, and what its errors mean."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import aiohttp
import msgspec
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from msgspec import Struct

from rixin.cli.address import find_address, reachable_url
from rixin.core.json import JsonObject
from rixin.dialects.openai_chat import DIALECT
from rixin.engines.base_url import normalize_base_url
from rixin.errors import Kind, RixinError
from rixin.settings import Settings

OUR_KEYS = "sk-rx-"
"""How the API keys of a Rixin server begin."""

_CONNECT_TIMEOUT = 10.0

Response: TypeAlias = AbstractAsyncContextManager[ClientResponse]


class Target(Struct, frozen=True, kw_only=True):
    """A server to speak to."""

    base_url: str
    """Where its OpenAI routes are; ends in a version such as `/v1`."""
    api_key: str | None
    local: bool
    """Whether it is the server on this machine that the settings describe."""

    def __repr__(self) -> str:
        return f"Target({self.base_url!r})"

    @property
    def admin_url(self) -> str:
        """Where the admin API of a Rixin server is."""
        return f"{self.base_url.removesuffix('/v1')}/admin/v1"


def local_address(settings: Settings) -> str:
    """The address of the server that the settings describe, as programs on this machine reach it.

    What the server itself told in its data directory counts before what the settings say: it may have been given
    another port by a flag.

    Raises:
        RixinError: `CONFIGURATION` where it has told nothing and the settings let it take any port.
    """
    server = settings.server
    told = find_address(server.data_dir)
    if told is None and server.port == 0:
        raise RixinError(
            Kind.CONFIGURATION,
            f"server.port is 0, and no server runs on {server.data_dir} that has told its address; start it with: "
            "rixin serve, or give an address with --base-url or in RIXIN_BASE_URL",
        )
    return told or reachable_url(server.host, server.port)


def find_target(settings: Settings, *, base_url: str | None, api_key: str | None, environ: Mapping[str, str]) -> Target:
    """The server that a command means.

    A key is only ever sent where it belongs: `OPENAI_API_KEY` goes to the server on this machine only if it is one of
    its keys by its looks.

    Args:
        settings: Where the server on this machine is.
        base_url: What the user named.
        api_key: What the user named.
        environ: For RIXIN_BASE_URL, OPENAI_BASE_URL, RIXIN_API_KEY and OPENAI_API_KEY.

    Raises:
        RixinError: `CONFIGURATION` for an address or a key that is none.
    """
    address = base_url or environ.get("RIXIN_BASE_URL") or environ.get("OPENAI_BASE_URL")
    local = address is None
    key = api_key or environ.get("RIXIN_API_KEY")
    openai_key = environ.get("OPENAI_API_KEY")
    if not key and openai_key and (not local or openai_key.startswith(OUR_KEYS)):
        key = openai_key
    if not key and local:
        key = _first_key(settings)
    if key and not (key.isascii() and key.isprintable()):
        raise RixinError(Kind.CONFIGURATION, "the API key holds characters that no key has")
    return Target(base_url=normalize_base_url(address or local_address(settings)), api_key=key or None, local=local)


def _first_key(settings: Settings) -> str | None:
    try:
        return settings.first_key_file.read_text(encoding="utf-8").strip()
    except OSError:
        return None


class Client:
    """A session with one server. Proxies are taken from the environment for other machines' servers."""

    def __init__(self, target: Target) -> None:
        self.target = target
        headers = {"authorization": f"Bearer {target.api_key}"} if target.api_key else {}
        timeout = ClientTimeout(total=None, connect=_CONNECT_TIMEOUT)
        self._session = ClientSession(headers=headers, timeout=timeout, trust_env=not target.local)

    async def close(self) -> None:
        """Closes its connections."""
        await self._session.close()

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def open(self, method: str, url: str, body: JsonObject | None = None) -> "Exchange":
        """A request whose answer is read by the caller; errors as `Exchange.__aenter__` raises them."""
        data = None if body is None else msgspec.json.encode(body)
        headers = {} if data is None else {"content-type": "application/json"}
        return Exchange(self.target, self._session.request(method, url, data=data, headers=headers))

    async def ask(self, method: str, url: str, body: JsonObject | None = None) -> bytes:
        """The whole answer to a request; errors as `Exchange.__aenter__` raises them."""
        async with self.open(method, url, body) as response:
            try:
                return await response.read()
            except (aiohttp.ClientError, TimeoutError) as failure:
                raise unreachable(self.target, failure) from None


class Exchange:
    """One request and its answer, as a context."""

    def __init__(self, target: Target, response: Response) -> None:
        self._target = target
        self._response = response

    async def __aenter__(self) -> ClientResponse:
        """The answer, its body unread.

        Raises:
            RixinError: What the server said is wrong, or `UPSTREAM_UNREACHABLE` with what to do.
        """
        try:
            response = await self._response.__aenter__()
            if response.ok:
                return response
            assert DIALECT.upstream is not None  # noqa: S101 - this dialect has one
            headers = {name.lower(): value for name, value in response.headers.items()}
            body = await response.read()
            await self._response.__aexit__(None, None, None)
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise unreachable(self._target, failure) from None
        error = DIALECT.upstream.parse_error(response.status, headers, body)
        message = _own_words(body) or error.message
        if response.status == 401 and self._target.api_key is None:
            message += " Give a key with --api-key or in RIXIN_API_KEY; `rixin keys create NAME` makes one."
        raise RixinError(error.kind, message)

    async def __aexit__(self, *details: object) -> None:
        await self._response.__aexit__(None, None, None)


def unreachable(target: Target, failure: Exception) -> RixinError:
    """The error for a server that cannot be spoken to, or that stopped speaking."""
    if isinstance(failure, aiohttp.ClientConnectorError) and target.local:
        message = f"no server answers at {target.base_url}. Start it with: rixin serve"
    else:
        message = f"{target.base_url} cannot be reached: {failure or type(failure).__name__}"
    return RixinError(Kind.UPSTREAM_UNREACHABLE, message)


class _ErrorDetail(Struct):
    message: str


class _ErrorBody(Struct):
    error: _ErrorDetail


def _own_words(body: bytes) -> str:
    """The server's own message, which says more to its user than what a relay would make of it."""
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error.message
    except msgspec.MsgspecError:
        return ""
