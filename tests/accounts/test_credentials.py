"""The one reader of credentials."""

import pytest

from rixin.accounts.credentials import MAX_LENGTH, read
from rixin.errors import Kind, RixinError


def _refusal(headers: dict[str, str]) -> str:
    with pytest.raises(RixinError) as caught:
        read(headers)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    assert "canary" not in f"{caught.value.message} {caught.value.detail}"
    return caught.value.message


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer sk-rx-1"},
        {"authorization": "bearer sk-rx-1"},
        {"authorization": "BEARER   sk-rx-1  "},
        {"x-api-key": "sk-rx-1"},
        {"x-api-key": " sk-rx-1 "},
        {"authorization": "Bearer sk-rx-1", "x-api-key": "sk-rx-1"},
        {"authorization": "Bearer ", "x-api-key": "sk-rx-1"},
        {"authorization": "", "x-api-key": "sk-rx-1"},
        {"authorization": "Bearer sk-rx-1", "x-api-key": ""},
        {"x-goog-api-key": "sk-rx-1"},
        {"x-goog-api-key": "sk-rx-1", "x-api-key": "sk-rx-1"},
        {"authorization": "Bearer sk-rx-1", "cookie": "sk-rx-2", "proxy-authorization": "Bearer sk-rx-2"},
    ],
)
def test_every_form_is_the_same_credential(headers: dict[str, str]) -> None:
    """Any of the headers, or several with the same key, whatever the scheme's case and the space around it."""
    assert read(headers) == "sk-rx-1"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer"}, {"authorization": " ", "x-api-key": " "}])
def test_without_a_credential_the_message_tells_how_to_send_one(headers: dict[str, str]) -> None:
    """A request without a credential learns both headers."""
    message = _refusal(headers)
    assert "Authorization: Bearer KEY" in message
    assert "x-api-key: KEY" in message


def test_two_different_credentials_are_refused() -> None:
    """Neither wins; the message names both headers."""
    message = _refusal({"authorization": "Bearer canary-1", "x-api-key": "canary-2"})
    assert "`authorization`" in message
    assert "`x-api-key`" in message


def test_g1_a_query_may_hold_the_credential_where_it_is_looked_at() -> None:
    """Alone or beside the same in a header; another one is refused, naming both places."""
    assert read({}, {"key": "sk-rx-1"}) == read({"x-goog-api-key": "sk-rx-1"}, {"key": "sk-rx-1"}) == "sk-rx-1"
    assert read({"x-goog-api-key": "sk-rx-1"}, {"key": ""}) == "sk-rx-1"
    with pytest.raises(RixinError) as caught:
        read({"x-goog-api-key": "canary-1"}, {"key": "canary-2"})
    assert "`x-goog-api-key`" in caught.value.message
    assert "the query's `key`" in caught.value.message
    assert "canary" not in caught.value.message


@pytest.mark.parametrize("value", ["Basic canary", "canary", "Token canary", "Bearer:canary", "BearerX canary"])
def test_another_scheme_is_refused_without_repeating_it(value: str) -> None:
    """What stands in the place of the scheme may be the key itself, so it is not in the message."""
    assert "Bearer KEY" in _refusal({"authorization": value})
    assert "Bearer KEY" in _refusal({"authorization": value, "x-api-key": "canary"})


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
@pytest.mark.parametrize(
    "credential", ["canary canary", "canary\x00", "canary\r\nx: y", "canary-é", "canary-😀", "\x7f"]
)
def test_characters_that_no_key_has_are_refused(header: str, credential: str) -> None:
    """Only visible ASCII can be a credential; the message names the header."""
    value = f"Bearer {credential}" if header == "authorization" else credential
    assert f"`{header}`" in _refusal({header: value})


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_length_is_bounded(header: str) -> None:
    """The longest credential passes, one character more is refused by the header's name."""
    start = "Bearer " if header == "authorization" else ""
    longest = "x" * MAX_LENGTH
    assert read({header: start + longest}) == longest
    assert f"`{header}`" in _refusal({header: start + longest + "x"})
