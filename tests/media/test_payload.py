"""Bytes that come as text."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.media.jobs import Fault, RefusedError
from rixin.media.payload import PIECE, Payload, data_of, decode_base64, plain_base64

SPACES = st.text(" \t\r\n", max_size=3)


@given(st.binary(max_size=100), st.booleans(), st.booleans(), st.data())
def test_base64_is_read_in_every_spelling(data: bytes, url_safe: bool, padded: bool, draw: st.DataObject):
    """Both alphabets, with and without padding, whitespace anywhere."""
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(data).decode()
    text = text if padded else text.rstrip("=")
    spelled = "".join(draw.draw(SPACES) + letter for letter in text) + draw.draw(SPACES)
    assert decode_base64(spelled.encode()) == data
    assert plain_base64(spelled.encode()) == base64.b64encode(data)


@pytest.mark.parametrize("text", ["A", "AA.A", "data:image/png;base64,AAAA", "<svg/>", "AAAA=AAA", "ÄÄÄÄ", "A\x00AA"])
def test_what_is_no_base64_is_refused(text: str):
    """Nothing is skipped that does not belong there."""
    with pytest.raises(RefusedError) as caught:
        decode_base64(text.encode())
    assert caught.value.fault is Fault.BASE64


@pytest.mark.parametrize(
    "head",
    [
        "data:image/png;base64,",
        "data:;base64,",
        "DATA:IMAGE/PNG;BASE64,",
        "data:image/svg+xml;charset=utf-8;base64,",
        "data:image/png; base64 ,",
    ],
)
def test_the_data_of_a_data_url_is_found(head: str):
    """Whatever it says of its type."""
    payload = data_of(f"{head}AA,AA")
    assert payload is not None
    assert b"".join(payload.pieces()) == b"AA,AA"
    assert payload.is_text


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png,%89PNG",
        "data:text/plain,http://127.0.0.1/",
        "data:image/png;base64",
        "https://example.com/;base64,AAAA",
        "base64,AAAA",
        f"data:image/png;{'a' * 300};base64,AAAA",
        "",
    ],
)
def test_what_is_no_data_url_in_base64_has_no_data(url: str):
    """It is then read as a URL, which it is not either."""
    assert data_of(url) is None


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_payload_comes_in_pieces(size: int):
    """None of them is large, and they are all of it; of text they say at most how many bytes it holds."""
    data = b"A" * size
    for payload in (Payload(data), Payload(bytearray(data)), Payload(f"data:;base64,{'A' * size}", 13)):
        pieces = list(payload.pieces())
        assert b"".join(pieces) == data
        assert all(len(piece) <= PIECE for piece in pieces)
        assert payload.length == size
        assert payload.size == (size * 3 // 4 if payload.is_text else size)


def test_what_is_no_ascii_is_no_base64():
    """It becomes what every reader refuses."""
    (piece,) = Payload("ÄÖÜ").pieces()
    with pytest.raises(RefusedError):
        decode_base64(bytes(piece))
