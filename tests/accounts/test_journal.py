"""The journal: what a process leaves behind is all that it had taken down."""

# What dies with a process is played here by taking it from the journal.
# pyright: reportPrivateUsage=false

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from msgspec.structs import replace

from rixin.accounts import journal as journal_module
from rixin.accounts import orphans as orphans_module
from rixin.accounts.journal import Journal
from rixin.accounts.orphans import INTERRUPTED, Orphan, orphans, settled
from rixin.core.usage import Usage
from rixin.limits.trail import MAX_BATCH, Entry, Legacy, Trail
from rixin.store.usage_row import UsageRow
from tests.accounts.heir import Heir

ROW = UsageRow(
    time=1_800_000_000.25, id="request-0", key_id="key_1", key_name="Ada", user_id="user_1", dialect="openai_chat",
    operation="generate", model_asked="gpt-5", model="m", provider="up", status=200, stream=True, total_ms=2.5,
    price_prompt=1_000_000, price_completion=10_000_000, price_request=7,
)  # fmt: skip


class Request:
    """A request under way."""

    def __init__(self, number: int = 0) -> None:
        self.row = replace(ROW, id=f"request-{number}")
        self.used = Usage()
        self.trail: Trail | None = None
        """What it holds of its limits."""
        self.told = asyncio.Event()
        """Set when a checkpoint is made of it."""

    def row_so_far(self) -> UsageRow:
        """As it is."""
        return self.row

    def usage_so_far(self) -> Usage:
        """As it is."""
        self.told.set()
        return self.used


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where journals are."""
    return tmp_path / "journal"


def abandon(journal: Journal) -> None:
    """Lets go of a journal as a process does that is killed."""
    if journal._timer is not None:
        journal._timer.cancel()
    os.close(journal._file.descriptor)
    journal._lock.close()


def left(folder: Path) -> list[UsageRow]:
    """What killed processes have left."""
    return [row for orphan in orphans(folder) for row in orphan.rows()]


def interrupted(row: UsageRow) -> UsageRow:
    """A row of a request whose server was killed."""
    return replace(row, status=0, error=INTERRUPTED, estimated=True)


def test_a_request_that_was_admitted_is_known(folder: Path) -> None:
    """Killed before anything was relayed, it is there with no token, and costs nothing."""
    journal = Journal.open(folder)
    journal.begin(Request())
    abandon(journal)
    assert left(folder) == [interrupted(ROW)]


def test_a_request_that_was_over_is_known_as_it_ended(folder: Path) -> None:
    """Its last row is the one that counts, whether or not it had been opened."""
    journal = Journal.open(folder)
    entry = journal.begin(Request())
    ended, refused = replace(ROW, completion_tokens=5), replace(ROW, id="refused", status=400, error="invalid_request")
    journal.settle(ended, entry)
    journal.settle(refused)
    abandon(journal)
    assert left(folder) == [ended, refused]


async def test_what_was_relayed_is_known_as_of_the_last_checkpoint(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who answers, and what was relayed, are written down by themselves; the price of it is the row's own."""
    monkeypatch.setattr(journal_module, "INTERVAL", 0.0)
    journal, request = Journal.open(folder), Request()
    entry = journal.begin(request)
    for completion in (3, 4, 9):
        request.row = replace(ROW, provider="second")
        request.used = Usage(prompt=20, completion=completion, cached=5, reasoning=2, knowledge=1)
        entry.relayed()
        entry.relayed()
        await request.told.wait()
        request.told.clear()
    request.used = Usage(prompt=20, completion=1000)  # relayed, and not yet written
    abandon(journal)
    expected = replace(
        interrupted(ROW), provider="second", prompt_tokens=20, completion_tokens=9, cached_tokens=5,
        reasoning_tokens=2, knowledge_tokens=1, cost=7 + 15 + 1 + 9 * 10,
    )  # fmt: skip
    assert left(folder) == [expected]


async def test_a_checkpoint_is_a_tenth_of_a_second_behind(folder: Path) -> None:
    """It tells of all that was relayed by then, and is not put off by what is relayed meanwhile."""
    journal, request, loop = Journal.open(folder), Request(), asyncio.get_running_loop()
    entry, behind = journal.begin(request), asyncio.Event()

    def relay(tokens: int) -> None:
        request.used = Usage(completion=tokens)
        entry.relayed()

    for tokens in (10, 20):
        began = loop.time()
        relay(tokens)
        # Timers go off in the order of their times: however slow the machine is, the journal's is the second of three.
        loop.call_at(began + 0.05, relay, tokens + 5)
        loop.call_later(0.102, behind.set)
        await behind.wait()
        behind.clear()
        [*_, last] = lines(journal._file.path)
        assert last == b'["checkpoint",1,0,%d,0,0,0]' % (tokens + 5)
    abandon(journal)


async def test_what_is_over_has_no_checkpoint(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that ends before its checkpoint is written has none after its end."""
    monkeypatch.setattr(journal_module, "INTERVAL", 0.0)
    journal = Journal.open(folder)
    entry = journal.begin(Request())
    entry.relayed()
    journal.settle(ROW, entry)
    entry.relayed()
    await asyncio.sleep(0.01)
    abandon(journal)
    assert left(folder) == [ROW]


async def test_what_was_held_of_limits_is_settled_by_what_was_relayed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what was under way to the last checkpoint; of what was over it is told what its end had changed."""
    monkeypatch.setattr(journal_module, "INTERVAL", 0.0)
    journal = Journal.open(folder, limiter=Heir("me"))
    over, cut, early, free = (Request(number) for number in range(4))
    for request in (over, cut, early):
        request.trail = Trail((Entry("t", "tokens", 7, 100), Entry("m", "money", 7, 500)))
    entries = [journal.begin(request) for request in (over, cut, early, free)]
    cut.used = Usage(prompt=30, completion=12, knowledge=8)
    entries[1].relayed()
    await cut.told.wait()
    over.trail = Trail((Entry("t", "tokens", 7, -99),), 4)
    journal.settle(over.row, entries[0])
    abandon(journal)
    cost = (30 + 8) * 1 + 12 * 10 + 7
    (orphan,) = orphans(folder)
    legacy = orphan.legacy()
    assert legacy.process == "me"
    assert [*legacy.trails] == [
        over.trail,
        Trail((Entry("t", "tokens", 7, -50), Entry("m", "money", 7, cost - 500))),
        Trail((Entry("t", "tokens", 7, -100), Entry("m", "money", 7, -500))),
    ]


def test_whose_it_is_and_who_was_let_in_is_known_whatever_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That a request was let in is told even when it is over and stored, and its file is gone: no call is given back
    that was served.
    """
    monkeypatch.setattr(journal_module, "MAX_FILE", 0)
    nothing = Journal.open(folder, limiter=Heir("nothing"))
    abandon(nothing)
    (orphan,) = orphans(folder)
    assert orphan.legacy() == Legacy("nothing", told=frozenset())
    orphan.remove()
    journal = Journal.open(folder, limiter=Heir("me"))
    for number in range(MAX_BATCH):
        request = Request()
        request.trail = Trail((Entry("r", "requests", 7, 1),), admission=number + 1)
        entry = journal.begin(request)
        request.trail = None  # nothing of it comes back
        journal.settle(request.row, entry)
        journal.stored(1)
    journal.begin(Request())
    abandon(journal)
    (orphan,) = orphans(folder)
    assert len([*orphan.rows()]) < 3
    assert orphan.legacy() == Legacy("me", told=frozenset(range(1, MAX_BATCH + 1)))


def test_after_a_power_cut_nobody_knows_who_was_let_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last lines may never have reached the disk."""
    journal = Journal.open(folder, limiter=Heir("me"))
    abandon(journal)
    monkeypatch.setattr(orphans_module, "machine", lambda: "the same one, started anew")
    (orphan,) = orphans(folder)
    assert orphan.legacy() == Legacy("me", told=None)


def test_what_ends_change_stays_until_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where limits are not counted by the store of rows, which may work when the other one does not."""
    monkeypatch.setattr(journal_module, "MAX_FILE", 0)
    limiter = Heir("me")
    ends: list[Trail] = []
    for written in (4, 5):
        journal = Journal.open(folder, limiter=limiter)
        request = Request()
        entry = journal.begin(request)
        request.trail = Trail((Entry("t", "tokens", 7, -99),), 5)
        journal.settle(ROW, entry)
        journal.begin(other := Request(1))  # in another file
        journal.settle(other.row, journal._entries[2])
        limiter.written = written
        journal.stored(2)
        journal.close()
        for orphan in orphans(folder):
            ends += orphan.legacy().trails
            orphan.remove()
    assert ends == [Trail((Entry("t", "tokens", 7, -99),), 5)]
    assert list(folder.iterdir()) == []


def test_what_no_trail_tells_stays_until_it_is_written(folder: Path) -> None:
    """A process whose last step may have been written, or not, leaves that to somebody else."""
    limiter = Heir("me")
    for limiter.owes, left_over in ((True, 1), (False, 0)):
        journal = Journal.open(folder, limiter=limiter)
        journal.close()
        orphaned = [*orphans(folder)]
        assert len(orphaned) == left_over
        for orphan in orphaned:
            assert orphan.legacy() == Legacy("me", told=frozenset())
            orphan.remove()


def test_while_another_file_is_begun_what_ends_is_under_way(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the new file and the line that tells of the end, it is interrupted; it is never forgotten."""
    journal = Journal.open(folder)
    entry = journal.begin(Request())
    monkeypatch.setattr(journal_module, "MAX_FILE", 0)
    write, lines_written = os.write, 0

    def killed(descriptor: int, data: bytes) -> int:
        nonlocal lines_written
        lines_written += 1
        return write(descriptor, data) if lines_written == 1 else len(data)

    monkeypatch.setattr(os, "write", killed)
    journal.settle(ROW, entry)
    monkeypatch.setattr(os, "write", write)
    journal._file.path.with_name("00000001").unlink(missing_ok=True)
    abandon(journal)
    assert lines_written == 2
    assert left(folder) == [interrupted(ROW)]


def test_the_journal_of_a_living_process_is_its_own(folder: Path) -> None:
    """Nobody takes it for an orphan, whether it looks from the same process or from another one."""
    journal = Journal.open(folder)
    journal.begin(Request())
    code = "import sys, pathlib, rixin.accounts.orphans as j; print(len(list(j.orphans(pathlib.Path(sys.argv[1])))))"

    def seen() -> str:
        return subprocess.run(
            [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=60
        ).stdout

    assert seen() == "0\n"
    assert left(folder) == []
    abandon(journal)
    assert seen() == "1\n"


def test_an_orphan_is_taken_up_once(folder: Path) -> None:
    """While one looks after it, another one does not see it; removed, it is gone."""
    journal = Journal.open(folder)
    journal.begin(Request())
    abandon(journal)
    found = orphans(folder)
    orphan = next(found)
    assert list(orphans(folder)) == []
    orphan.remove()
    assert list(found) == []
    assert list(folder.iterdir()) == []


def test_in_good_order_nothing_is_left(folder: Path) -> None:
    """A journal whose requests are over and stored leaves no file."""
    journal = Journal.open(folder)
    for number in range(3):
        journal.settle(ROW, journal.begin(Request(number)))
    journal.stored(3)
    journal.close()
    assert list(folder.iterdir()) == []


def test_what_the_store_has_not_got_stays(folder: Path) -> None:
    """Closed in good order while the store does not work, a journal keeps what is missing there, for the next start."""
    journal = Journal.open(folder)
    rows = [replace(ROW, id=f"request-{number}") for number in range(3)]
    for row in rows:
        journal.settle(row)
    journal.stored(1)
    journal.close()
    assert left(folder) == rows


def files(journal: Journal) -> list[str]:
    """The names of a journal's files."""
    return sorted(path.name for path in journal._directory.iterdir() if path.name.isdigit())


def test_files_are_followed_by_others_and_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file goes when its rows are stored, though a request that began in it goes on: the next one tells of it."""
    monkeypatch.setattr(journal_module, "MAX_FILE", 2000)
    journal = Journal.open(folder)
    long, count = journal.begin(Request(1000)), 50
    for number in range(count):
        journal.settle(replace(ROW, id=str(number)), journal.begin(Request(number)))
    assert len(files(journal)) > 10
    assert sorted(row.id for row in Orphan(journal._directory).rows()) == sorted(
        [*map(str, range(count)), "request-1000"]
    )
    for _ in range(count):
        journal.stored(1)
    assert len(files(journal)) == 1
    assert [row.id for row in Orphan(journal._directory).rows()][-1] == "request-1000"
    journal.settle(replace(ROW, id="long"), long)
    journal.stored(1)
    journal.close()
    assert list(folder.iterdir()) == []


def test_however_many_are_under_way_there_is_room_for_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests under way that fill a file by themselves do not make every line begin another one."""
    monkeypatch.setattr(journal_module, "MAX_FILE", 2000)
    journal = Journal.open(folder)
    entries = [journal.begin(Request(number)) for number in range(100)]
    begun = journal._begun
    journal.settle(ROW, entries[0])
    assert journal._begun <= begun + 1
    abandon(journal)
    assert len(left(folder)) == 100


def test_rows_that_nobody_remembers_are_read_again(folder: Path) -> None:
    """What there was no memory for is found in the files, which go when it was taken."""
    journal = Journal.open(folder)
    open_entry = journal.begin(Request(7))
    journal.settle(replace(ROW, id="forgotten"), remembered=False)
    rows: list[str] = []
    for path in journal.spilled():
        rows += [row.id for row in settled(path)]
        assert path.exists()
    assert rows == ["forgotten"]
    assert list(journal.spilled()) == []
    journal.settle(ROW, open_entry)
    journal.stored(1)
    journal.close()
    assert list(folder.iterdir()) == []


def test_what_is_over_is_over_though_its_file_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays for other rows tells that a request began, and the one is gone that told of its end."""
    journal = Journal.open(folder)
    entry = journal.begin(Request(1))
    journal.settle(replace(ROW, id="forgotten"), remembered=False)
    monkeypatch.setattr(journal_module, "MAX_FILE", 0)
    journal.settle(ROW, entry)
    journal.begin(Request(2))
    journal.stored(1)
    assert len(files(journal)) == 2
    abandon(journal)
    assert [row.id for row in left(folder)] == ["forgotten", "request-2"]


def _full(_descriptor: int, _data: bytes) -> int:
    """What `os.write` comes to where there is no room."""
    return 0


def test_what_is_under_way_is_known_though_another_file_cannot_be_begun(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk costs no file that tells of it; when there is room, it is told anew."""
    journal = Journal.open(folder, limiter=Heir("me"))
    held = Request(1), Request(2)
    for request in held:
        request.trail = Trail((Entry("t", "tokens", 7, 100),), admission=3)
    long, over = map(journal.begin, held)
    write = os.write
    monkeypatch.setattr(journal_module, "MAX_FILE", 0)
    monkeypatch.setattr(os, "write", _full)
    journal.settle(replace(ROW, id="request-2"), over)
    journal.stored(1)
    kept = Orphan(journal._directory)
    assert [row.id for row in kept.rows()] == ["request-1", "request-2"]
    assert kept.legacy() == Legacy("me")  # one of them is over, and nobody shall end it once more
    monkeypatch.setattr(os, "write", write)
    journal.begin(Request(3))
    journal.stored(0)
    assert len(files(journal)) == 1
    assert [row.id for row in kept.rows()] == ["request-1", "request-3"]
    assert kept.legacy() == Legacy("me", (Trail((Entry("t", "tokens", 7, -100),)),), frozenset({3}))
    journal.settle(ROW, long)
    abandon(journal)


def test_a_line_that_was_cut_is_passed_over(folder: Path) -> None:
    """A process killed in the middle of a line loses that line only, wherever the cut is."""
    journal = Journal.open(folder)
    journal.settle(ROW)
    second = replace(ROW, id="second")
    journal.settle(second)
    path = journal._file.path
    abandon(journal)
    whole = path.read_bytes()
    first_end = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(first_end, len(whole)):
        path.write_bytes(whole[:cut])
        expected = [ROW, second] if cut == len(whole) - 1 else [ROW]
        assert left(folder) == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_costs_the_journal_only(folder: Path) -> None:
    """Nothing is raised; the log says it once, and once more when there is room again."""
    journal = Journal.open(folder, limiter=Heir("me"))
    good = journal._file.descriptor
    with structlog.testing.capture_logs() as logs:
        journal._file.descriptor = os.open("/dev/full", os.O_WRONLY)
        for number in range(3):
            journal.settle(ROW, journal.begin(Request(number)))
        os.close(journal._file.descriptor)
        journal._file.descriptor = good
        os.truncate(good, 0)  # as if it had been full from the start
        journal.settle(ROW)
    assert [entry["log_level"] for entry in logs] == ["error", "warning"]
    abandon(journal)
    (orphan,) = orphans(folder)
    assert [*orphan.rows()] == [ROW]
    assert orphan.legacy() == Legacy("me", told=frozenset())


def test_a_row_that_cannot_be_written_raises_nothing(folder: Path) -> None:
    """Half a character, which no store takes either, is nobody else's trouble."""
    journal = Journal.open(folder)
    journal.settle(replace(ROW, model_asked="\ud800"))
    journal.settle(ROW)
    abandon(journal)
    assert left(folder) == [ROW]


def test_only_its_owner_reads_a_journal(folder: Path) -> None:
    """Whose keys asked for which models is nobody else's business."""
    journal = Journal.open(folder)
    own = journal._directory
    assert [path.stat().st_mode & 0o077 for path in (folder, own, journal._file.path)] == [0, 0, 0]
    abandon(journal)


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file."""
    yield from path.read_bytes().splitlines()


def test_a_checkpoint_is_small(folder: Path) -> None:
    """A thousand streams write ten of them a second each: figures and nothing else."""
    journal, request = Journal.open(folder), Request()
    entry = journal.begin(request)
    entry.due = True
    journal._due.append(entry)
    journal._write_checkpoints()
    assert len([*lines(journal._file.path)][-1]) < 40
    abandon(journal)
