"""The requests that bytes are, however they are cut; and the bytes that are none."""

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rixin.server.head import Head
from rixin.server.limits import Limits
from rixin.server.parser import RequestParser
from rixin.server.refusal import Refusal

LIMITS = Limits(head_bytes=2000, target_bytes=100, fields=10)
TOP = b"GET / HTTP/1.1\r\nhost: a\r\n"


@dataclass
class Found:
    """A request that was found."""

    head: Head
    body: bytes = b""
    complete: bool = False


@dataclass
class Finder:
    """Takes down what a parser finds."""

    found: list[Found] = field(default_factory=list[Found])

    def on_head(self, head: Head) -> None:
        """A request begins."""
        assert not self.found or self.found[-1].complete
        self.found.append(Found(head))

    def on_piece(self, data: bytes) -> None:
        """Some of its body."""
        assert not self.found[-1].complete
        self.found[-1].body += data

    def on_end(self) -> None:
        """It is complete."""
        assert not self.found[-1].complete
        self.found[-1].complete = True


def parse(*pieces: bytes) -> list[Found]:
    """The requests in pieces of bytes."""
    finder = Finder()
    parser = RequestParser(LIMITS, finder)
    for piece in pieces:
        parser.feed(piece)
    return finder.found


def refused(*pieces: bytes) -> bool:
    """Whether pieces of bytes are none."""
    try:
        parse(*pieces)
    except Refusal:
        return True
    return False


def cut(data: bytes, size: int) -> list[bytes]:
    """Bytes in pieces of a size."""
    return [data[start : start + size] for start in range(0, len(data), size)]


PLAIN = TOP + b"x: y\r\n\r\n"
SIZED = b"POST /a%20b?c=d HTTP/1.1\r\nHost: b:80\r\nContent-Length: 11\r\n\r\nhello world"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nhost: c\r\ntransfer-encoding: Chunked\r\n\r\n"
    b'5;name="value"\r\nhello\r\n06\r\n world\r\n0\r\nchecksum: 1\r\n\r\n'
)
OFFER = b"POST /d HTTP/1.1\r\nhost: d\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n"
OFFERS = (
    OFFER + b"content-length: 11\r\n\r\nhello world",
    OFFER + b"transfer-encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n",
    OFFER.replace(b"POST", b"GET") + b"\r\n",
)
ABSOLUTE = b"GET HTTP://else:81/x?y=/z HTTP/1.1\r\nhost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nx: y\r\n\r\n"
ALL = (PLAIN, SIZED, CHUNKED, *OFFERS, ABSOLUTE, b"\r\n" + PLAIN)


@pytest.mark.parametrize("data", [*ALL, OLD])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_request_may_be_cut_anywhere(data: bytes, size: int) -> None:
    """It is the same request, and nothing is left over or missing."""
    (whole,) = parse(data)
    assert whole.complete
    assert parse(*cut(data, size)) == [whole]


@given(st.lists(st.sampled_from(ALL), min_size=1, max_size=6), st.lists(st.integers(1, 600), max_size=20))
def test_requests_may_be_cut_anywhere(several: list[bytes], cuts: list[int]) -> None:
    """Those that follow one another are found one by one, wherever the network cuts them."""
    several = [*several, OLD]  # which nothing may follow
    data = b"".join(several)
    edges = [0, *sorted({edge for edge in cuts if edge < len(data)}), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert parse(*pieces) == [found for each in several for found in parse(each)]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_bytes_of_any_kind_are_requests_or_refused(data: bytes, size: int) -> None:
    """Nothing else can come of them, and cutting them makes no request of what is none."""
    for top in (b"", b"GET ", TOP, TOP + b"transfer-encoding: chunked\r\n\r\n"):
        assert refused(top + data) == refused(*cut(top + data, size))


def test_what_a_request_says_is_told() -> None:
    """Its target is taken apart and decoded, its headers have names in lower case."""
    (found,) = parse(SIZED)
    head = found.head
    assert (head.method, head.path, head.raw_path, head.query_string) == ("POST", "/a b", b"/a%20b", b"c=d")
    assert head.headers == {"host": "b:80", "content-length": "11"}
    assert head.keep_alive
    assert found.body == b"hello world"


def test_a_chunked_body_is_put_together() -> None:
    """What is said of its chunks is passed over, and trailers are no headers."""
    (found,) = parse(CHUNKED)
    assert found.body == b"hello world"
    assert "checksum" not in found.head.headers


@pytest.mark.parametrize("data", OFFERS)
def test_another_protocol_is_not_gone_over_to(data: bytes) -> None:
    """A request that offers one is a request like others, with its body, and others may follow it."""
    offered, after = parse(data + PLAIN)
    assert offered.body == (b"" if data.startswith(b"GET") else b"hello world")
    assert after == parse(PLAIN)[0]


def test_any_number_of_offers_may_come_at_once() -> None:
    """Each takes as little as another request."""
    assert len(parse(OFFERS[0] * 3000)) == 3000


def test_the_host_of_a_whole_url_counts() -> None:
    """Where the target names one, the header says nothing (RFC 9112, section 3.2.2)."""
    (found,) = parse(ABSOLUTE)
    head = found.head
    assert (head.path, head.query_string, head.headers["host"]) == ("/x", b"y=/z", "else:81")
    assert head.fields == [(b"host", b"else:81")]
    (found,) = parse(b"GET http://else?y HTTP/1.1\r\nhost: a\r\n\r\n")
    assert (found.head.path, found.head.query_string) == ("/", b"y")


def test_headers_that_come_twice_are_joined() -> None:
    """Equal values count once, and space around them not at all."""
    (found,) = parse(TOP + b"X: 1\r\nx:  2 \t\r\nx: 1\r\n\r\n")
    assert found.head.headers == {"host": "a", "x": "1, 2"}


@pytest.mark.parametrize(
    ("top", "lasting"),
    [
        (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nhost: a\r\nconnection: x, Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n", False),
    ],
)
def test_who_wants_to_ask_on_is_known(top: bytes, *, lasting: bool) -> None:
    """By the protocol's version, and what is said."""
    assert parse(top)[0].head.keep_alive is lasting


LENGTH, CHUNKS = b"content-length: 3\r\n", b"transfer-encoding: chunked\r\n"
REFUSED: dict[str, tuple[int, bytes]] = {
    "bare line feeds": (400, b"GET / HTTP/1.1\nhost: a\n\n"),
    "one bare line feed": (400, TOP + b"x: y\nz: z\r\n\r\n"),
    "a bare carriage return": (400, TOP + b"x: y\rz: z\r\n\r\n"),
    "a folded header": (400, TOP + b"x: y\r\n z\r\n\r\n"),
    "a folded first header": (400, b"GET / HTTP/1.1\r\n host: a\r\n\r\n"),
    "space before a colon": (400, TOP + b"x : y\r\n\r\n"),
    "no colon": (400, TOP + b"x\r\n\r\n"),
    "no name": (400, TOP + b": y\r\n\r\n"),
    "a name that is no token": (400, TOP + b"x(y): z\r\n\r\n"),
    "a NUL in a value": (400, TOP + b"x: y\0z\r\n\r\n"),
    "a control character in a value": (400, TOP + b"x: y\x01\r\n\r\n"),
    "a length and chunks": (400, TOP + LENGTH + CHUNKS + b"\r\n3\r\nabc\r\n0\r\n\r\n"),
    "chunks and a length": (400, TOP + CHUNKS + LENGTH + b"\r\n3\r\nabc\r\n0\r\n\r\n"),
    "chunks and a length behind them": (400, TOP + CHUNKS + b"\r\n0\r\n" + LENGTH + b"\r\n"),
    "two lengths": (400, TOP + LENGTH + b"content-length: 4\r\n\r\nabcd"),
    "a length twice": (400, TOP + LENGTH + LENGTH + b"\r\nabc"),
    "a list of lengths": (400, TOP + b"content-length: 3, 3\r\n\r\nabc"),
    "a signed length": (400, TOP + b"content-length: +3\r\n\r\nabc"),
    "a negative length": (400, TOP + b"content-length: -3\r\n\r\nabc"),
    "a length in other digits": (400, TOP + b"content-length: 0x3\r\n\r\nabc"),
    "no length": (400, TOP + b"content-length:\r\n\r\nabc"),
    "a length beyond all": (400, TOP + b"content-length: 99999999999999999999\r\n\r\n"),
    "chunks twice": (400, TOP + CHUNKS + CHUNKS + b"\r\n0\r\n\r\n"),
    "chunks that are not last": (400, TOP + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    "another coding": (501, TOP + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "an unknown coding": (501, TOP + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "chunks in HTTP/1.0": (400, b"POST / HTTP/1.0\r\n" + CHUNKS + b"\r\n0\r\n\r\n"),
    "a chunk with a bare line feed": (400, TOP + CHUNKS + b"\r\n3\nabc\r\n0\r\n\r\n"),
    "a chunk size with a prefix": (400, TOP + CHUNKS + b"\r\n0x3\r\nabc\r\n0\r\n\r\n"),
    "a chunk size with a space": (400, TOP + CHUNKS + b"\r\n3 \r\nabc\r\n0\r\n\r\n"),
    "a chunk size beyond all": (400, TOP + CHUNKS + b"\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    "a chunk that is longer": (400, TOP + CHUNKS + b"\r\n3\r\nabcd\r\n0\r\n\r\n"),
    "no host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two hosts": (400, TOP + b"host: b\r\n\r\n"),
    "a host twice": (400, TOP + b"host: a\r\n\r\n"),
    "two hosts and a whole URL": (400, b"GET http://a/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n"),
    "a host with a path": (400, b"GET / HTTP/1.1\r\nhost: a/b\r\n\r\n"),
    "a host with a query": (400, b"GET / HTTP/1.1\r\nhost: a?b\r\n\r\n"),
    "a host with a user": (400, b"GET / HTTP/1.1\r\nhost: a@b\r\n\r\n"),
    "two hosts in one": (400, b"GET / HTTP/1.1\r\nhost: a, b\r\n\r\n"),
    "a user in the target": (400, b"GET http://a@b/ HTTP/1.1\r\nhost: b\r\n\r\n"),
    "a port that is none": (400, b"GET / HTTP/1.1\r\nhost: a:b\r\n\r\n"),
    "a space in the target": (400, b"GET /a b HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a tab in the target": (400, b"GET /a\tb HTTP/1.1\r\nhost: a\r\n\r\n"),
    "other letters in the target": (400, b"GET /\xc3\xa4 HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a fragment": (400, b"GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a target without a slash": (400, b"GET a HTTP/1.1\r\nhost: a\r\n\r\n"),
    "another scheme": (400, b"GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n"),
    "the server as a target": (400, b"GET * HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a tunnel": (501, b"CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"),
    "an unknown method": (501, b"BREW / HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a method in lower case": (501, b"get / HTTP/1.1\r\nhost: a\r\n\r\n"),
    "HTTP/0.9": (505, b"GET /\r\n\r\n"),
    "HTTP/2.0": (505, b"GET / HTTP/2.0\r\nhost: a\r\n\r\n"),
    "HTTP/2": (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "an unknown version": (400, b"GET / HTTP/1.2\r\nhost: a\r\n\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00"),
    "another expectation": (417, TOP + b"expect: miracles\r\n\r\n"),
    "a long target": (414, b"GET /" + b"a" * 100 + b" HTTP/1.1\r\nhost: a\r\n\r\n"),
    "a long header": (431, TOP + b"x: " + b"y" * 2000 + b"\r\n\r\n"),
    "a long name": (431, TOP + b"x" * 2000 + b": y\r\n\r\n"),
    "many headers": (431, TOP + b"x: y\r\n" * 10 + b"\r\n"),
    "a head without end": (431, TOP + b"x: y\r\n" * 500),
    "a target without end": (431, b"GET /" + b"a" * 3000),
    "empty lines without end": (431, b"\r\n" * 2000),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_what_is_no_request_is_refused(what: str, size: int) -> None:
    """Whatever could be understood in two ways is not understood at all."""
    status, data = REFUSED[what]
    with pytest.raises(Refusal) as raised:
        parse(*cut(data, size))
    assert raised.value.status == status


@pytest.mark.parametrize("rest", [b"3;" + b"a" * 3000, b"3\r\nabc\r\n0\r\n" + b"x: y\r\n" * 600])
@pytest.mark.parametrize("size", [1, 100, 1000])
def test_what_surrounds_chunks_ends_sometime(rest: bytes, size: int) -> None:
    """Neither what is said of a chunk nor the trailers may go on for ever."""
    with pytest.raises(Refusal, match="more chunk headers"):
        parse(TOP + CHUNKS + b"\r\n", *cut(rest, size))


@pytest.mark.parametrize("size", [1, 100, 10_000])
def test_q5_a_head_within_the_limits_is_taken(size: int) -> None:
    """Up to the last header and byte, also behind a body that came with its first bytes."""
    padding = LIMITS.head_bytes - len(TOP + b"x: \r\n\r\n")
    many = TOP + b"x: y\r\n" * (LIMITS.fields - 1) + b"\r\n"
    for data in (TOP + b"x: %b\r\n\r\n" % (b"y" * padding), many):
        assert len(parse(*cut(SIZED + data, size))) == 2


def test_the_smallest_chunks_are_no_attack() -> None:
    """A client that sends a byte at a time pays five for each, and more for the first."""
    body = b"1\r\nx\r\n" * 5000
    (found,) = parse(*cut(TOP + CHUNKS + b"\r\n" + body + b"0\r\n\r\n", 100))
    assert found.body == b"x" * 5000
