"""What reads documents, for requests and for knowledge bases."""

import asyncio
import os
import signal
import sys

import pytest

from rixin.cli.knowledge import document_decoders
from rixin.media.jobs import DocumentJob
from rixin.media.payload import Payload
from rixin.settings import Media
from tests.media.conftest import ENVIRONMENT
from tests.media.documents import pdf
from tests.support.hang import HANG

JOB = DocumentJob(kind="pdf", base64=False, max_bytes=10**7, max_pages=9, max_characters=10**5, cpu_seconds=60)


@pytest.mark.skipif(sys.platform == "win32", reason="stops a process by a signal")
async def test_nobody_waits_behind_a_book() -> None:
    """While a document of a base takes its time, those of requests are read."""
    pool = document_decoders(Media(decoders=1, decode_timeout=HANG / 2), ENVIRONMENT)
    async with asyncio.timeout(HANG):
        await pool.document(JOB, Payload(pdf("Warm")))
        (pid,) = pool.pids
        os.kill(pid, signal.SIGSTOP)
        book = asyncio.create_task(pool.document(JOB, Payload(pdf("Book")), HANG))
        await asyncio.sleep(0)  # so that it has the process that stands still
        letter = await pool.document(JOB, Payload(pdf("Letter")))
        assert [block.text for block in letter.blocks] == ["Letter"]
        assert not book.done()
        os.kill(pid, signal.SIGCONT)
        assert [block.text for block in (await book).blocks] == ["Book"]
    assert len(pool.pids) == 2
    await pool.aclose()
