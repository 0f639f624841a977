"""Request bodies that were compressed on their way."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from rixin.core.codings import CODINGS
from rixin.errors import Kind, RixinError
from rixin.web.body_coding import RequestBody

BODY = b'{"model":"m","messages":[{"role":"user","content":"' + "Grüße, 世界! ".encode() * 40 + b'"}]}'
MIB = 2**20


def bare_deflate(data: bytes) -> bytes:
    """A stream without the wrapper of zlib."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


def streamed_zstd(data: bytes) -> bytes:
    """A frame that does not say how long its content is, with a checksum."""
    compressor = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    return compressor.compress(data) + compressor.flush()


def two_members(data: bytes) -> bytes:
    """Two files of gzip, one behind the other."""
    return gzip.compress(data[:50]) + gzip.compress(data[50:])


def two_frames(data: bytes) -> bytes:
    """Two frames of zstd, one behind the other."""
    return streamed_zstd(data[:50]) + streamed_zstd(data[50:])


TWO_PARTS = (two_members, two_frames)
ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "gzip of two members": ("gzip", two_members),
    "deflate": ("deflate", zlib.compress),
    "deflate without wrapper": ("deflate", bare_deflate),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "zstd of unknown length": ("zstd", streamed_zstd),
    "zstd of two frames": ("zstd", two_frames),
    "br": ("br", brotli.compress),
    "nothing": ("identity", bytes),
    "two in turn": ("gzip, zstd", lambda data: streamed_zstd(gzip.compress(data))),
    "three in turn": (" Deflate,BR , gzip", lambda data: gzip.compress(brotli.compress(zlib.compress(data)))),
}
"""What the header says, and what makes such a body."""
CASES = pytest.mark.parametrize(("header", "encode"), ENCODERS.values(), ids=ENCODERS.keys())
CODED = pytest.mark.parametrize(
    ("header", "encode"), [pytest.param(*case, id=name) for name, case in ENCODERS.items() if name != "nothing"]
)


def decode(header: str, *pieces: bytes, limit: int = MIB) -> bytes:
    """The body that pieces amount to."""
    body = RequestBody(header, limit)
    for piece in pieces:
        body.feed(piece)
    return body.whole()


def refused(header: str, *pieces: bytes) -> bool:
    """Whether a body is no data of its coding."""
    try:
        decode(header, *pieces)
    except RixinError as error:
        if error.kind is not Kind.INVALID_REQUEST:
            raise
        return True
    return False


@CASES
def test_t1_every_coding_is_undone_wherever_it_was_cut(header: str, encode: Callable[[bytes], bytes]) -> None:
    """Whole, byte by byte, and in two pieces at every place."""
    sent = encode(BODY)
    assert decode(header, sent) == BODY
    assert decode(header, *(sent[place : place + 1] for place in range(len(sent))), b"") == BODY
    for place in range(len(sent)):
        assert decode(header, sent[:place], sent[place:]) == BODY


@given(
    data=st.binary(max_size=400_000),
    cuts=st.lists(st.integers(0, 400_000), max_size=8),
    case=st.sampled_from([*ENCODERS]),
)
def test_t1_any_bytes_come_back(data: bytes, cuts: list[int], case: str) -> None:
    """Whatever was compressed, and however it arrives."""
    header, encode = ENCODERS[case]
    sent = encode(data)
    places = sorted({0, len(sent), *(cut % (len(sent) + 1) for cut in cuts)})
    assert decode(header, *(sent[start:end] for start, end in pairwise(places))) == data


@CODED
def test_t1_data_that_ends_too_early_is_refused(header: str, encode: Callable[[bytes], bytes]) -> None:
    """A prefix is never taken for the whole; that a second member or frame was to come nobody can know."""
    sent = encode(BODY)
    whole = [end for end in range(1, len(sent)) if not refused(header, sent[:end])]
    assert [decode(header, sent[:end]) for end in whole] == ([BODY[:50]] if encode in TWO_PARTS else [])


@pytest.mark.parametrize("header", CODINGS)
@pytest.mark.parametrize("sent", [BODY, b"\x00", b"\xff" * 100], ids=["plain text", "a zero", "ones"])
def test_t1_what_is_not_in_its_coding_is_refused(header: str, sent: bytes) -> None:
    """A body that is no such data is a bad request that names the coding."""
    with pytest.raises(RixinError, match=header) as caught:
        decode(header, sent)
    assert caught.value.kind is Kind.INVALID_REQUEST


@CODED
def test_t1_what_follows_the_end_is_refused(header: str, encode: Callable[[bytes], bytes]) -> None:
    """Nothing hides behind a compressed body."""
    sent = encode(BODY)
    assert refused(header, sent + b"junk")
    assert refused(header, sent, b"junk")


@pytest.mark.parametrize("header", CODINGS)
def test_an_empty_body_is_empty(header: str) -> None:
    """Whoever sends nothing sends nothing compressed."""
    assert decode(header, b"") == b""


def zstd_bomb() -> bytes:
    """64 GiB."""
    return zstandard.ZstdCompressor().compress(bytes(64 * MIB)) * 1024


def gzip_bomb() -> bytes:
    """16 GiB."""
    return gzip.compress(bytes(64 * MIB)) * 256


BOMBS = {
    "zstd": ("zstd", zstd_bomb),
    "gzip": ("gzip", gzip_bomb),
    "deflate": ("deflate", lambda: zlib.compress(bytes(256 * MIB))),
    "br": ("br", lambda: brotli.compress(bytes(256 * MIB), quality=1)),
    "gzip in zstd": ("gzip, zstd", lambda: streamed_zstd(gzip_bomb())),
    "zstd in zstd in br": ("zstd, zstd, br", lambda: brotli.compress(streamed_zstd(zstd_bomb()), quality=1)),
    "much between and nothing at the end": (
        "zstd, gzip",
        lambda: gzip.compress(b"\x50\x2a\x4d\x18" + (256 * MIB).to_bytes(4, "little") + bytes(256 * MIB), 1),
    ),
}


@pytest.mark.parametrize(("header", "make"), BOMBS.values(), ids=BOMBS.keys())
def test_t1_a_bomb_is_refused_before_it_is_held(header: str, make: Callable[[], bytes]) -> None:
    """Little more than the limit is ever in memory, and what comes after the refusal is not looked at."""
    limit = 16 * MIB
    sent = make()
    assert len(sent) < limit
    body = RequestBody(header, limit)
    tracemalloc.start()
    try:
        for start in range(0, len(sent), 65_536):
            body.feed(sent[start : start + 65_536])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with pytest.raises(RixinError, match=str(limit)) as caught:
        body.whole()
    assert caught.value.kind is Kind.TOO_LARGE
    assert body.size == len(sent)
    assert most < limit + 4 * MIB


@pytest.mark.parametrize("case", ["gzip", "deflate", "zstd", "br", "nothing"])
def test_the_limit_counts_what_was_compressed(case: str) -> None:
    """A body of exactly the limit passes, and one byte more does not."""
    header, encode = ENCODERS[case]
    assert decode(header, encode(bytes(100_000)), limit=100_000) == bytes(100_000)
    with pytest.raises(RixinError) as caught:
        decode(header, encode(bytes(100_001)), limit=100_000)
    assert caught.value.kind is Kind.TOO_LARGE


def test_zstd_frames_that_need_much_memory_are_refused() -> None:
    """A window larger than HTTP allows is not set up."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    sent = compressor.compress(bytes(MIB)) + compressor.flush()
    with pytest.raises(RixinError, match="zstd"):
        decode("zstd", sent, limit=64 * MIB)


@pytest.mark.parametrize("header", ["compress", "gzip, lzma", "zstd;q=1", "x" * 500])
def test_t1_an_unknown_coding_names_the_known_ones(header: str) -> None:
    """The client can choose another one."""
    with pytest.raises(RixinError, match="gzip, x-gzip, deflate, zstd, br") as caught:
        decode(header, b"x")
    assert caught.value.kind is Kind.UNSUPPORTED_MEDIA_TYPE
    assert len(caught.value.message) < 200


def test_many_codings_in_turn_are_refused() -> None:
    """Each would cost as much as the limit allows."""
    with pytest.raises(RixinError, match="at most 3") as caught:
        decode("gzip, gzip, gzip, gzip", b"x")
    assert caught.value.kind is Kind.UNSUPPORTED_MEDIA_TYPE


@pytest.mark.parametrize("case", ["gzip", "zstd"])
def test_parts_without_end_are_refused(case: str) -> None:
    """Empty members and frames cost time, and never reach the limit."""
    header, encode = ENCODERS[case]
    with pytest.raises(RixinError, match="more than 1000") as caught:
        decode(header, encode(b"") * 1001)
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert decode(header, encode(b"") * 1000) == b""
