"""Base URLs as people write them."""

import pytest

from rixin.engines.base_url import normalize_base_url
from rixin.errors import Kind, RixinError

CASES = [
    ("https://token.sensenova.cn/v1", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn/v1/", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn/v1/chat/completions", "https://token.sensenova.cn/v1"),
    (" https://token.sensenova.cn/v1/chat/completions/ ", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn/v1/v1", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn//v1//v1/chat/completions", "https://token.sensenova.cn/v1"),
    ("https://token.sensenova.cn/v1/models", "https://token.sensenova.cn/v1"),
    ("https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4"),
    ("https://open.bigmodel.cn/api/paas/v4/chat/completions", "https://open.bigmodel.cn/api/paas/v4"),
    ("https://example.com/v1beta/openai/", "https://example.com/v1beta/openai"),
    ("https://example.com/compatible-mode", "https://example.com/compatible-mode/v1"),
    ("https://example.com/gateway/chat/completions", "https://example.com/gateway"),
    ("HTTP://Localhost:8000", "http://localhost:8000/v1"),
    ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
]


@pytest.mark.parametrize(("given", "base"), CASES)
def test_t14_a_base_url_is_brought_into_one_form(given: str, base: str):
    """An endpoint's path is cut off, a missing version added, a version that is there kept."""
    assert normalize_base_url(given) == base


@pytest.mark.parametrize(("_given", "base"), CASES)
def test_t14_a_normal_base_url_stays(_given: str, base: str):
    """Normalising again changes nothing, but for a path that only its endpoint told to be complete."""
    assert normalize_base_url(f"{base}/chat/completions") == base


@pytest.mark.parametrize(
    "url",
    ["", "api.example.com/v1", "ftp://example.com", "https://", "https://example.com:port/v1", "https://e.com/v1?x=1"],
)
def test_what_is_no_base_url_is_named(url: str):
    """A URL that cannot be a base is an error of the configuration that says so."""
    with pytest.raises(RixinError, match="base_url") as caught:
        normalize_base_url(url)
    assert caught.value.kind is Kind.CONFIGURATION


def test_credentials_in_a_base_url_are_refused_unshown():
    """A password in the URL does not get into the message."""
    with pytest.raises(RixinError) as caught:
        normalize_base_url("https://user:hunter2@example.com/v1")
    assert "hunter2" not in caught.value.message
