"""Which pages may call."""

import pytest

from rixin.settings import Server
from rixin.web.cors import Cors

DEFAULT = Cors(Server().cors_origins)


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:80"])
def test_pages_of_this_machine_may_call(origin: str) -> None:
    """Loopback origins are allowed unless set otherwise."""
    assert (b"access-control-allow-origin", origin.encode()) in DEFAULT.headers(origin)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost.evil.example:80", "http://evil.example/http://localhost:1", "null", ""],
)
def test_other_pages_may_not(origin: str) -> None:
    """A foreign origin gets no allowance, and the answer still varies by origin for caches."""
    assert DEFAULT.headers(origin) == [(b"vary", b"origin")]
    assert DEFAULT.preflight(origin, ["POST"], "authorization") == [(b"vary", b"origin")]


def test_programs_send_no_origin() -> None:
    """Without an origin there is nothing to say."""
    assert DEFAULT.headers(None) == []


# What the SDKs of both houses ask for in a browser.
SDK_HEADERS = (
    "anthropic-beta,anthropic-dangerous-direct-browser-access,anthropic-version,authorization,content-type,"
    "openai-organization,openai-project,x-api-key,x-stainless-arch,x-stainless-lang,x-stainless-os,"
    "x-stainless-package-version,x-stainless-retry-count,x-stainless-runtime,x-stainless-runtime-version,"
    "x-stainless-timeout"
)


def test_a_preflight_names_methods_and_headers() -> None:
    """A browser is told what it may send, one by one, and that is all that it asked for."""
    headers = dict(DEFAULT.preflight("http://localhost:1", ["POST", "GET"], SDK_HEADERS))
    assert headers[b"access-control-allow-methods"] == b"GET, POST"
    assert headers[b"access-control-allow-headers"].decode().split(", ") == SDK_HEADERS.split(",")


def test_a_preflight_repeats_nothing_but_names() -> None:
    """What is no name of a header is passed over, and who asked for none is told of none."""
    asked = "x-one, , x two, x:three, x-four\r\nset-cookie: a, x-f\xfcnf,X-Six"
    headers = dict(DEFAULT.preflight("http://localhost:1", ["POST"], asked))
    assert headers[b"access-control-allow-headers"] == b"x-one, X-Six"
    for nothing in (None, "", " , "):
        told = dict(DEFAULT.preflight("http://localhost:1", ["POST"], nothing))
        assert b"access-control-allow-headers" not in told


def test_a_star_opens_to_all() -> None:
    """`*` means any origin."""
    assert Cors(["*"]).allows("https://any.example")
