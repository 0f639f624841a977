"""A real server of S3's API, which checks signatures: rclone, over a directory."""

import asyncio
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.hang import HANG

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:[0-9]+")


class S3Server(NamedTuple):
    """A server with a bucket."""

    bucket: Path
    """The directory that is the bucket `files`."""
    options: dict[str, str]
    """What `FileBytes.open` needs to reach it."""


@asynccontextmanager
async def s3_server(folder: Path) -> AsyncGenerator[S3Server]:
    """One with an empty bucket, on a port of the system's choice."""
    bucket = folder / "files"
    bucket.mkdir(parents=True)
    program = Path(sys.executable).with_name("rclone")
    process = await asyncio.create_subprocess_exec(
        *(program, "serve", "s3", "--addr", "127.0.0.1:0", "--auth-key", "test-id,test-secret"),
        *("--config", "/dev/null", "--vfs-cache-mode", "off", folder),
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(HANG):
            while (found := _ADDRESS.search(line := await process.stderr.readline())) is None:
                assert line, "rclone did not start"
        endpoint = found[0].decode()
        keys = {"access_key_id": "test-id", "secret_access_key": "test-secret"}
        yield S3Server(bucket, {"endpoint": endpoint, "region": "test", **keys})
    finally:
        process.kill()
        await process.communicate()
