"""Connections to upstreams through a SOCKS proxy."""

import asyncio
import ssl as tls
from urllib.parse import urlsplit

import aiohttp
import python_socks
from aiohttp.client_proto import ResponseHandler
from aiohttp_socks import ProxyConnector
from python_socks import parse_proxy_url


class SocksError(aiohttp.ClientError):
    """The proxy could not be reached, or would not connect."""


class SocksConnector(ProxyConnector):
    """Connects through a proxy, whose failures are aiohttp's like all others."""

    async def _connect_via_proxy(
        self,
        host: str,
        port: int,
        ssl: tls.SSLContext | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's parameter
    ) -> tuple[asyncio.Transport, ResponseHandler]:
        try:
            return await super()._connect_via_proxy(host, port, ssl, timeout)
        except (python_socks.ProxyError, python_socks.ProxyConnectionError, python_socks.ProxyTimeoutError) as error:
            raise SocksError(str(error)) from error


def connector(proxy: str, keep_alive: float, context: tls.SSLContext | None) -> SocksConnector:
    """Connections through `socks4://`, `socks4a://`, `socks5://` or `socks5h://[user:password@]host[:port]`.

    Names are resolved by the proxy in any case but that of `socks4`, which cannot; then by this machine.
    """
    scheme = urlsplit(proxy).scheme
    kind, host, port, user, password = parse_proxy_url(proxy.replace(scheme, scheme.rstrip("ah"), 1))
    return SocksConnector(
        host,
        port,
        kind,
        user,
        password,
        rdns=scheme != "socks4",
        limit=0,
        keepalive_timeout=keep_alive,
        ssl=context or True,
    )
