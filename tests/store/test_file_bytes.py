"""The bytes of files: in a real directory, on a real S3 server, and in a bucket that tells of unfinished uploads."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rixin.errors import Kind, RixinError
from rixin.store.file_bytes import PART, FileBytes
from tests.store.bucket import Bucket, bucket
from tests.store.s3_server import S3Server, s3_server

KEY = "01a2016d85897b81961a9b987332eb80"
LARGE = bytes(range(256)) * (PART // 256) * 2 + b"end"


@pytest.fixture
async def pail() -> AsyncIterator[Bucket]:
    """A bucket."""
    async with bucket() as made:
        yield made


@pytest.fixture
async def s3(tmp_path: Path) -> AsyncIterator[S3Server]:
    """A server of S3's API."""
    async with s3_server(tmp_path / "s3") as server:
        yield server


def in_bucket(made: Bucket, tmp_path: Path) -> FileBytes:
    """Bytes below a prefix in a bucket."""
    options = {
        "endpoint": made.url,
        "region": "test",
        "access_key_id": "test-id",
        "secret_access_key": "test-secret",
    }
    return FileBytes.open("s3://files/of/rixin", options, tmp_path)


@pytest.fixture(params=["directory", "s3", "bucket"])
def store(request: pytest.FixtureRequest, pail: Bucket, s3: S3Server, tmp_path: Path) -> FileBytes:
    """Bytes here or there."""
    match request.param:
        case "s3":
            return FileBytes.open("s3://files/of/rixin", s3.options, tmp_path)
        case "bucket":
            return in_bucket(pail, tmp_path)
        case _:
            return FileBytes.open(None, {}, tmp_path / "files")


def left(pail: Bucket, tmp_path: Path) -> int:
    """How many things are kept, anywhere, whole or not."""
    files = [path for name in ("files", "s3") for path in (tmp_path / name).rglob("*") if path.is_file()]
    return len(pail.objects) + len(pail.uploads) + len(files)


async def read(store: FileBytes) -> bytes:
    """All of a file."""
    return b"".join([piece async for piece in store.pieces(KEY)])


@pytest.mark.parametrize("content", [b"", b"small", LARGE])
async def test_what_is_written_is_read(store: FileBytes, pail: Bucket, tmp_path: Path, content: bytes) -> None:
    """Once it is committed, and until it is deleted."""
    writer = await store.writer(KEY)
    for start in range(0, len(content), 100_000):
        await writer.write(content[start : start + 100_000])
    with pytest.raises(RixinError) as refused:
        await read(store)
    assert refused.value.kind is Kind.NOT_FOUND
    await writer.commit()
    assert await read(store) == content
    assert left(pail, tmp_path) == 1
    await store.delete(KEY)
    await store.delete(KEY)
    assert left(pail, tmp_path) == 0


@pytest.mark.parametrize("content", [b"", b"small", LARGE])
async def test_what_is_abandoned_is_not_there(store: FileBytes, pail: Bucket, tmp_path: Path, content: bytes) -> None:
    """Neither whole nor in parts."""
    writer = await store.writer(KEY)
    await writer.write(content)
    await writer.abandon()
    assert left(pail, tmp_path) == 0


async def test_a_bucket_is_used_below_its_prefix(pail: Bucket, tmp_path: Path) -> None:
    """So that it can be shared."""
    writer = await in_bucket(pail, tmp_path).writer(KEY)
    await writer.write(b"x")
    await writer.commit()
    assert pail.objects == {f"of/rixin/80/{KEY}": b"x"}


async def test_a_wrong_secret_is_told_as_a_store_that_fails(s3: S3Server, tmp_path: Path) -> None:
    """The server checks each signature; what it says of it is for the log."""
    store = FileBytes.open("s3://files", {**s3.options, "secret_access_key": "another"}, tmp_path)
    writer = await store.writer(KEY)
    await writer.write(b"x")
    for attempt in (writer.commit(), read(store), store.delete(KEY)):
        with pytest.raises(RixinError) as refused:
            await attempt
        assert refused.value.kind is Kind.OVERLOADED
    assert not [path for path in s3.bucket.rglob("*") if path.is_file()]


async def test_r2_a_store_that_fails_is_told(pail: Bucket, tmp_path: Path) -> None:
    """As something that may pass; why is for the log."""
    store = in_bucket(pail, tmp_path)
    pail.failing = True
    writer = await store.writer(KEY)
    await writer.write(b"x")
    for attempt in (writer.commit(), read(store), store.delete(KEY)):
        with pytest.raises(RixinError) as refused:
            await attempt
        assert refused.value.kind is Kind.OVERLOADED
        assert "AccessDenied" not in refused.value.message


def test_where_files_cannot_be_kept(tmp_path: Path) -> None:
    """The server does not start, and says which setting is wrong."""
    (tmp_path / "file").write_text("x")
    for url, options in ((str(tmp_path / "file"), {}), ("s3://", {}), ("s3://x", {"colour": "red"})):
        with pytest.raises(RixinError, match=r"files\.url") as refused:
            FileBytes.open(url, options, tmp_path)
        assert refused.value.kind is Kind.CONFIGURATION


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
async def test_nobody_else_reads_the_directory(tmp_path: Path) -> None:
    """It is its owner's."""
    FileBytes.open(None, {}, tmp_path / "files")
    assert (tmp_path / "files").stat().st_mode & 0o077 == 0
