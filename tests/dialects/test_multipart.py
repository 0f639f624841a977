"""Multipart bodies, whole and in pieces."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.dialects.multipart import MAX_HEAD, MAX_PARTS, MultipartReader, Part
from rixin.errors import Kind, RixinError

CONTENT = b"--\r\n-\r\n--\r\n--xy\r\n--x-\r" + bytes(range(256))
"""A file that looks like boundaries as far as a file may."""
BODY = (
    b"preamble\r\n--xyz  \r\n"
    b'Content-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--xyz\r\nContent-Type: text/plain\r\ncontent-disposition:form-data;name=empty;filename=""\r\n\r\n\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + CONTENT + b"\r\n"
    b"--xyz--\r\nepilogue --xyz"
)
PARTS = [
    (Part("purpose", None), b"user_data"),
    (Part("empty", ""), b""),
    (Part("file", "a.txt"), CONTENT),
]
TYPE = "multipart/form-data; boundary=xyz"


def read(pieces: list[bytes], content_type: str = TYPE) -> tuple[list[tuple[Part, bytes]], bool]:
    """The parts of a body, and whether it was complete."""
    reader = MultipartReader(content_type)
    parts: list[tuple[Part, bytes]] = []
    for piece in pieces:
        for event in reader.feed(piece):
            if isinstance(event, Part):
                parts.append((event, b""))
            else:
                parts[-1] = (parts[-1][0], parts[-1][1] + event)
    return parts, reader.complete


def test_a_whole_body() -> None:
    """Its parts, in turn; what is before and behind them has no meaning."""
    assert read([BODY]) == (PARTS, True)


def test_byte_by_byte() -> None:
    """Nothing depends on how it comes."""
    assert read([BODY[index : index + 1] for index in range(len(BODY))]) == (PARTS, True)


@given(st.lists(st.integers(0, len(BODY)), max_size=8))
def test_p2_at_any_cuts(cuts: list[int]) -> None:
    """As it was."""
    places = [0, *sorted(cuts), len(BODY)]
    pieces = [BODY[start:end] for start, end in pairwise(places)]
    assert read(pieces) == (PARTS, True)


@given(st.integers(0, BODY.index(b"--xyz--")))
def test_a_body_that_is_cut_off_is_not_complete(end: int) -> None:
    """Wherever that is."""
    assert read([BODY[:end]])[1] is False


def test_a_part_is_handed_on_while_it_comes() -> None:
    """All of it but what may be a boundary."""
    reader = MultipartReader(TYPE)
    list(reader.feed(b'--xyz\r\ncontent-disposition: form-data; name="file"\r\n\r\n'))
    assert b"".join(event for event in reader.feed(bytes(1000)) if isinstance(event, bytes)) == bytes(1000 - 6)


@pytest.mark.parametrize(
    ("disposition", "part"),
    [
        ('form-data; name="file"; filename="a.txt"', Part("file", "a.txt")),
        ("form-data; NAME=file; FileName=a.txt", Part("file", "a.txt")),
        ('form-data; name="file"; filename="say \\"hi\\".txt"', Part("file", 'say "hi".txt')),
        ('form-data; name="file"; filename="say %22hi%22.txt"', Part("file", 'say "hi".txt')),
        ('form-data; name="file"; filename="C:\\docs\\a.txt"', Part("file", "C:\\docs\\a.txt")),
        ('form-data; name="file"; filename="a; name=b.txt"', Part("file", "a; name=b.txt")),
        ('form-data; name="file"; filename="中文.txt"', Part("file", "中文.txt")),
        ('form-data; name="file"; filename="x"; filename*=utf-8\'\'%E4%B8%AD.txt', Part("file", "中.txt")),
        ('form-data; name="expires_after[seconds]"', Part("expires_after[seconds]", None)),
    ],
)
def test_names_as_clients_write_them(disposition: str, part: Part) -> None:
    """By the standards, and by habit."""
    head = f"--xyz\r\nContent-Disposition: {disposition}\r\n\r\n"
    assert read([head.encode()])[0][0][0] == part


@pytest.mark.parametrize(
    "body",
    [
        b"--xyzx\r\n",
        b"--xyz" + b" " * (MAX_HEAD + 1),
        b"--xyz\r\n" + b"a" * (MAX_HEAD + 1),
        b"--xyz\r\ncontent-type: text/plain\r\n\r\n",
        b"--xyz\r\n\r\n",
        b"no boundary " * 1000,
        b'--xyz\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n' * (MAX_PARTS + 1),
    ],
)
def test_q5_what_is_no_such_body_is_refused(body: bytes) -> None:
    """Within bounds, whatever it goes on with."""
    with pytest.raises(RixinError) as refused:
        read([body])
    assert refused.value.kind is Kind.INVALID_REQUEST


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("", Kind.UNSUPPORTED_MEDIA_TYPE),
        ("application/json", Kind.UNSUPPORTED_MEDIA_TYPE),
        ("multipart/mixed; boundary=x", Kind.UNSUPPORTED_MEDIA_TYPE),
        ("multipart/form-data", Kind.INVALID_REQUEST),
        ("multipart/form-data; boundary=", Kind.INVALID_REQUEST),
        ("multipart/form-data; boundary=中", Kind.INVALID_REQUEST),
        (f"multipart/form-data; boundary={'x' * 71}", Kind.INVALID_REQUEST),
    ],
)
def test_other_types_are_refused(content_type: str, kind: Kind) -> None:
    """Before anything of the body is read."""
    with pytest.raises(RixinError) as refused:
        MultipartReader(content_type)
    assert refused.value.kind is kind
