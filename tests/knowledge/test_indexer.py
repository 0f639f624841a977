"""Indexing: what becomes of files, whatever happens on the way."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from io import BytesIO

import docx
import pytest

from rixin.core.knowledge import KnowledgeDocument
from rixin.core.requests import TextKind
from rixin.errors import Kind, RixinError
from rixin.knowledge.documents import DOCX, PDF
from rixin.knowledge.indexer import LEASE
from rixin.store.passages import ClaimLostError
from tests.knowledge.conftest import BASE, E5, Room
from tests.media.documents import pdf
from tests.support.databases import url_of
from tests.support.hang import HANG

TEXTS = [f"Fact {number} of the harbour: berth {number * 7} is {number + 3} metres deep." for number in range(80)]
KILLED = """
import asyncio, sys
from rixin.knowledge.documents import Source
from tests.knowledge.conftest import Room
from rixin.settings import Server, Settings
from rixin.store.database import Database

async def main():
    room = Room(Database.open(Settings(server=Server(database_url=sys.argv[1]))), None)
    room.files["f0"] = Source("application/json", sys.stdin.buffer.read())
    await room.index()

asyncio.run(main())
"""


async def document(room: Room) -> KnowledgeDocument:
    """The one document."""
    (found,) = (await room.bases.get("ada", BASE)).documents
    return found


async def test_a_file_becomes_valid(room: Room) -> None:
    """From `uploaded`, with all of its passages."""
    await room.add(json.dumps({"text_lst": TEXTS[:20]}), "application/json")
    before = await document(room)
    assert (before.status, before.passages, before.indexed) == ("uploaded", None, 0)
    await room.index()
    after = await document(room)
    assert (after.status, after.passages, after.indexed) == ("valid", 20, 20)


async def test_documents_are_read_apart(room: Room) -> None:
    """PDF by its pages, DOCX by its headings."""
    written = BytesIO()
    made = docx.Document()
    made.add_heading("Ferries", 1)
    made.add_paragraph("The ferry to Skarn leaves at noon.")
    made.save(written)
    await room.add(written.getvalue(), DOCX)
    await room.add(pdf("The lighthouse is red.", "The mole is grey."), PDF)
    await room.index()
    (hit,) = (await room.searcher.search("ada", [BASE], "When does the ferry to Skarn leave?", 1)).hits
    assert (hit.heading, hit.text, hit.page) == ("Ferries", "The ferry to Skarn leaves at noon.", None)
    (hit,) = (await room.searcher.search("ada", [BASE], "What colour is the lighthouse?", 1)).hits
    assert "The lighthouse is red." in hit.text
    assert hit.page == 1


@pytest.mark.parametrize(
    ("data", "media_type", "said"),
    [(b"%PDF-1.7 nothing", PDF, "damaged"), (b"PK\x03\x04 nothing", DOCX, "damaged"), (b"\xff", "text/plain", "UTF-8")],
)
async def test_what_cannot_be_read_is_invalid(room: Room, data: bytes, media_type: str, said: str) -> None:
    """And says why; the next one is read all the same."""
    await room.add(data, media_type)
    await room.add("The kiosk sells tickets.", "text/plain")
    await room.index()
    broken, good = (await room.bases.get("ada", BASE)).documents
    assert (broken.status, good.status) == ("invalid", "valid")
    assert said in (broken.error or "")


async def test_a_file_that_is_gone_is_invalid(room: Room) -> None:
    """It was deleted before it was read."""
    file_id = await room.add("x", "text/plain")
    del room.files[file_id]
    await room.index()
    assert (await document(room)).status == "invalid"


async def test_a_fault_that_passes_is_no_fault_of_the_document(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again a little later."""
    await room.add("The kiosk sells tickets.", "text/plain")

    async def fail(*_: object) -> list[bytes]:
        raise RixinError(Kind.STARTING, "The model is loading.")

    monkeypatch.setattr(E5, "__call__", fail)
    assert await room.indexer.step()
    assert not await room.indexer.step()
    assert (await document(room)).status == "uploaded"
    monkeypatch.undo()
    room.clock.ahead += 31
    await room.index()
    assert (await document(room)).status == "valid"


async def test_a_killed_process_is_gone_on_from(room: Room) -> None:
    """Nothing is there twice, and what was embedded is not embedded again."""
    body = json.dumps({"text_lst": TEXTS})
    await room.add(body, "application/json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, url_of(room.database.place), stdin=PIPE, cwd=sys.path[0]
    )
    assert process.stdin is not None
    process.stdin.write(body.encode())
    process.stdin.close()
    async with asyncio.timeout(HANG):
        while not (await document(room)).indexed:  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    await process.wait()
    half = await document(room)
    assert half.status == "uploaded"
    assert 0 < half.indexed < len(TEXTS)
    assert not await room.indexer.step()  # the claim of the dead
    room.clock.ahead += LEASE + 1
    await room.index()
    whole = await document(room)
    assert (whole.status, whole.passages, whole.indexed) == ("valid", len(TEXTS), len(TEXTS))
    assert room.embedder.asked == len(TEXTS) - half.indexed
    rows = await room.passages.vectors(1)
    assert [row.entry for row in rows] == list(range(len(TEXTS)))


async def test_of_two_processes_one_works_on_a_document(room: Room) -> None:
    """And whoever has lost a claim can write nothing any more."""
    await room.add("The kiosk sells tickets.", "text/plain")
    now = room.clock.now()
    lost = await room.passages.claim("dead", now, now + LEASE)
    assert lost is not None
    assert not await room.new_indexer().step()
    room.clock.ahead += LEASE + 1
    assert await room.new_indexer().step()
    with pytest.raises(ClaimLostError):
        await room.passages.put(lost, [], "e5", now, now + LEASE)
    assert (await document(room)).indexed == 1


async def test_a_document_that_is_taken_away_meanwhile_is_left(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made of it goes as well."""
    file_id = await room.add("The kiosk sells tickets.", "text/plain")
    embed = E5.__call__

    async def detach(embedder: E5, texts: Sequence[str], kind: TextKind) -> Sequence[bytes]:
        await room.bases.detach("ada", BASE, file_id, room.clock.now())
        return await embed(embedder, texts, kind)

    monkeypatch.setattr(E5, "__call__", detach)
    await room.index()
    while await room.passages.clear():
        pass
    assert (await room.bases.get("ada", BASE)).documents == ()
    assert await room.passages.match(["kiosk"], [1], 5) == []


async def test_the_job_hears_of_work_and_does_it(room: Room) -> None:
    """Until it is cancelled."""
    working = asyncio.create_task(room.indexer.run())
    await room.add("The kiosk sells tickets.", "text/plain")
    room.indexer.nudge()
    async with asyncio.timeout(HANG):
        while (await document(room)).status != "valid":  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.wait([working])
    assert working.cancelled()
