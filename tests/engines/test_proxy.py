"""Proxies from the environment."""

import pytest

from rixin.engines.proxy import proxy_for, without_password
from rixin.errors import Kind, RixinError

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://api.example.com/v1", {}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.example.com/v1", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, PROXY),
        ("https://api.example.com/v1", {"HTTP_PROXY": PROXY}, None),
        ("http://api.example.com/v1", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://api.example.com/v1", {"ALL_PROXY": "proxy.example:3128"}, PROXY),
        ("http://127.0.0.1:8000/v1", {"HTTP_PROXY": PROXY}, None),
        ("http://localhost/v1", {"HTTP_PROXY": PROXY}, None),
        ("http://[::1]:8000/v1", {"ALL_PROXY": PROXY}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "other.org, example.com"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "no_proxy": ".example.com"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "no_proxy": "*.example.com"}, None),
        ("https://badexample.com/v1", {"HTTPS_PROXY": PROXY, "no_proxy": "example.com"}, PROXY),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "no_proxy": "api.example.com:443"}, None),
        ("https://api.example.com/v1", {"HTTPS_PROXY": PROXY, "no_proxy": "api.example.com:8443"}, PROXY),
        ("http://10.1.2.3/v1", {"HTTP_PROXY": PROXY, "no_proxy": "10.0.0.0/8"}, None),
        ("http://11.1.2.3/v1", {"HTTP_PROXY": PROXY, "no_proxy": "10.0.0.0/8,nonsense/99"}, PROXY),
        ("http://[2001:db8::1]:80/v1", {"HTTP_PROXY": PROXY, "no_proxy": "[2001:db8::1]:80"}, None),
        ("https://api.example.com/v1", {"ALL_PROXY": "socks5h://proxy:1080"}, "socks5h://proxy:1080"),
    ],
)
def test_t13_the_environment_decides_except_for_loopback(url: str, environ: dict[str, str], proxy: str | None):
    """The scheme's variable names the proxy, NO_PROXY and loopback addresses go without."""
    assert proxy_for(url, environ) == proxy


def test_t13_a_kind_of_proxy_that_is_not_supported_is_named():
    """It is an error of the configuration that does not show its password."""
    with pytest.raises(RixinError, match="gopher") as caught:
        proxy_for("https://api.example.com/v1", {"ALL_PROXY": "gopher://user:hunter2@proxy:1080"})
    assert caught.value.kind is Kind.CONFIGURATION
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        (PROXY, PROXY),
        ("http://ann@proxy.example:3128", "http://ann@proxy.example:3128"),
        ("http://ann:p@ss@proxy.example:3128", "http://ann:***@proxy.example:3128"),
        ("http://:secret@[::1]:3128/", "http://:***@[::1]:3128/"),
    ],
)
def test_t13_a_proxys_password_is_not_shown(proxy: str, shown: str):
    """Everything else of its URL is."""
    assert without_password(proxy) == shown
