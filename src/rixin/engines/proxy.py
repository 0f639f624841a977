"""Which proxy the environment names for an upstream. Providers only: a user's URL never goes through one."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from rixin.engines.base_url import normalize_base_url
from rixin.errors import Kind, RixinError

_DEFAULT_PORTS = {"http": 80, "https": 443}
SOCKS = ("socks4", "socks4a", "socks5", "socks5h")


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy for requests to `url`, or None for a direct connection.

    `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY` are read, the lower-case spelling first, and `NO_PROXY` as a list of
    hosts, domains, networks and `host:port` pairs. Loopback addresses are always reached directly.

    Raises:
        RixinError: `CONFIGURATION` for a kind of proxy that is not supported.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    if is_loopback(host) or _excluded(host, target.port or _DEFAULT_PORTS[target.scheme], environ):
        return None
    for variable in (f"{target.scheme}_proxy", "all_proxy"):
        proxy = environ.get(variable) or environ.get(variable.upper())
        if not proxy:
            continue
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if urlsplit(proxy).scheme not in (*_DEFAULT_PORTS, *SOCKS):
            raise RixinError(
                Kind.CONFIGURATION,
                f"{variable.upper()} names a {urlsplit(proxy).scheme} proxy, and only http, https and socks proxies "
                f"are supported. Use one of those, or add {host} to NO_PROXY.",
            )
        return proxy
    return None


def shown_address(base_url: str, environ: Mapping[str, str]) -> str:
    """Where requests to an upstream go, for people to read: the URL as it is used, and the proxy on the way.

    Raises:
        RixinError: `CONFIGURATION` for a URL that is none, and as `proxy_for`.
    """
    if not base_url.startswith("http"):
        return base_url  # recordings
    url = normalize_base_url(base_url)
    proxy = proxy_for(url, environ)
    return url if proxy is None else f"{url} through {without_password(proxy)}"


def without_password(proxy: str) -> str:
    """A proxy's URL for people to read."""
    parts = urlsplit(proxy)
    if parts.password is None:
        return proxy
    user, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}:***@{place}").geturl()


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    address = _address(host)
    return host == "localhost" or host.endswith(".localhost") or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _excluded(host: str, port: int, environ: Mapping[str, str]) -> bool:
    entries = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return any(_covers(entry.strip().lower(), host, port) for entry in entries.split(",") if entry.strip())


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, colon, entry_port = entry.rpartition(":")
    if colon and entry_port.isdecimal() and (":" not in name or name.startswith("[")):
        if int(entry_port) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    return host == entry or host.endswith(f".{entry}")
