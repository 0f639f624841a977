"""Who carries the exchanges with an upstream: our own client, or the library where a proxy is on the way."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from rixin.engines.http1.transport import Http1Transport
from rixin.engines.proxy import proxy_for
from rixin.engines.retirement import RetiringTransport
from rixin.engines.transport import Timeouts, Transport


def to_url(
    base_url: str,
    timeouts: Timeouts,
    *,
    label: str | None = None,
    environ: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Transport:
    """Connections to a base URL (normalised), through the proxy that `environ` names for it.

    Args:
        base_url: Stands before every path.
        timeouts: How long whoever is there may take.
        label: What errors call it; it is told by its host and nothing else unless given.
        environ: The environment; nothing of it counts unless given.
        tls: Who is trusted; those whom the system trusts unless given.

    Raises:
        RixinError: `CONFIGURATION` for a proxy that is not supported.
    """
    label = label or f"The upstream at {urlsplit(base_url).hostname}"
    proxy = proxy_for(base_url, environ or {})
    if proxy is None:
        return Http1Transport(base_url, label, timeouts, tls=tls)
    # aiohttp takes a seventh of a second to import, and few upstreams are behind a proxy.
    from rixin.engines.aiohttp_transport import AiohttpTransport  # noqa: PLC0415 - see above

    return RetiringTransport(AiohttpTransport(base_url, label, timeouts, proxy=proxy, tls=tls))


def to_socket(path: Path, label: str, timeouts: Timeouts) -> Transport:
    """Connections to a Unix socket; errors call what is behind it `label` and do not tell the path."""
    return Http1Transport("http://localhost", label, timeouts, socket_path=path)
