"""A child program's life, with real programs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from rixin.clock import SystemClock
from rixin.engines.process import (
    ALIVE,
    TRANSITIONS,
    ChildProcess,
    Cue,
    Exit,
    Failed,
    Loading,
    Restart,
    State,
)
from rixin.engines.process_pipes import Program, without_secrets
from rixin.errors import Kind, RixinError
from tests.support.hang import HANG

SOON = Restart(first=0.02, longest=0.1, steady=60.0, limit=3)

PROGRAM = """
import json, os, signal, sys, threading
config = json.loads(sys.stdin.readline())
with open(config["count"], "a") as count:
    count.write(f"{os.getpid()}\\n")
runs = len(open(config["count"]).readlines())
def say(kind, **fields):
    print(json.dumps({"type": kind, **fields}), flush=True)
def until_stdin_ends():
    sys.stdin.read()
    os._exit(0)
exec(config["body"])
until_stdin_ends()
"""


class Up(Struct, frozen=True, tag="ready"):
    """What the scripted child says when it is ready."""

    pid: int


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.instant = 1000.0

    def now(self) -> float:
        """The instant it was set to."""
        return self.instant

    def monotonic(self) -> float:
        """The instant it was set to."""
        return self.instant


decode = msgspec.json.Decoder(Loading | Failed | Up).decode
READY = 'say("ready", pid=os.getpid())'


class Children:
    """Makes children that run a few lines of Python, and ends them after the test."""

    def __init__(self, tmp_path: Path) -> None:
        self.script = tmp_path / "child.py"
        self.script.write_text(PROGRAM)
        self.count = tmp_path / "runs"
        self.made: list[ChildProcess[Up]] = []
        self.lines: list[str] = []
        self.states: list[State] = []
        self.exits: list[Exit] = []
        self.clock = ManualClock()

    def make(self, body: str, restart: Restart = SOON, start_deadline: float = HANG) -> ChildProcess[Up]:
        """A child that reads its configuration, runs these lines and then waits for the end of its stdin."""
        configuration = msgspec.json.encode({"body": body, "count": str(self.count)})
        program = Program(arguments=(sys.executable, str(self.script)), configuration=configuration)
        return self.run(program, restart, start_deadline)

    def run(self, program: Program, restart: Restart = SOON, start_deadline: float = HANG) -> ChildProcess[Up]:
        """A child that runs any program."""
        child = ChildProcess(
            "the child",
            program,
            decode,
            clock=self.clock,
            restart=restart,
            start_deadline=start_deadline,
            log=self.lines.append,
            on_change=lambda: self.states.append(child.state),
            on_exit=self.exits.append,
        )
        self.made.append(child)
        return child

    @property
    def runs(self) -> int:
        """How many processes were started."""
        return len(self.count.read_text().splitlines()) if self.count.exists() else 0


@pytest.fixture
async def children(tmp_path: Path) -> AsyncIterator[Children]:
    """A maker of children, all of them gone after the test."""
    children = Children(tmp_path)
    yield children
    for child in children.made:
        await child.stop(grace=0)


async def until(child: ChildProcess[Up], met: Callable[[], bool]) -> None:
    """Waits for a change of the child's state after which a condition holds."""
    async with asyncio.timeout(HANG):
        while not met():
            await child.changed()


def is_gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_every_state_can_be_stopped_and_left() -> None:
    """From every state but `stopped` there is a way to `stopped`, and no cue leads out of the set."""
    for state in State:
        reached, seen = {state}, set[State]()
        while reached - seen:
            here = (reached - seen).pop()
            seen.add(here)
            reached |= {after for (before, _), after in TRANSITIONS.items() if before is here}
        assert State.STOPPED in seen
        assert state is State.STOPPED or (state, Cue.STOP) in TRANSITIONS or (state, Cue.EXIT) in TRANSITIONS


def test_back_off_doubles_up_to_its_limit() -> None:
    """Each failure in a row doubles the wait until the longest, also after very many."""
    restart = Restart(first=0.5, longest=10.0)
    assert [restart.delay(failures) for failures in range(1, 8)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert restart.delay(100_000) == 10.0


async def test_ensure_starts_the_child_and_gives_what_it_says(children: Children) -> None:
    """The first `ensure` starts the program and returns the status it reports, after its progress was seen."""
    child = children.make('say("loading", progress=0.5)\n' + READY)
    up = await child.ensure()
    assert up.pid == child.pid
    assert child.progress == 0.5
    assert child.state is State.READY
    assert children.states == [State.STARTING, State.STARTING, State.READY]


async def test_concurrent_callers_share_one_start(children: Children) -> None:
    """Ten callers at once get the same process."""
    child = children.make(READY)
    statuses = await asyncio.gather(*(child.ensure() for _ in range(10)))
    assert {status.pid for status in statuses} == {child.pid}
    assert children.runs == 1


async def test_cancelling_one_caller_leaves_the_others(children: Children) -> None:
    """A caller that gives up does not take the start away from another."""
    child = children.make(READY)
    gives_up, stays = asyncio.create_task(child.ensure()), asyncio.create_task(child.ensure())
    await asyncio.sleep(0)
    gives_up.cancel()
    assert (await stays).pid == child.pid


async def test_killed_child_comes_back_for_everyone(children: Children) -> None:
    """After SIGKILL the exit is noticed, the child restarts, and all who ask meanwhile get the new process."""
    child = children.make(READY)
    first = await child.ensure()
    os.kill(first.pid, signal.SIGKILL)
    await until(child, lambda: child.state is not State.READY)
    assert child.status is None
    statuses = await asyncio.gather(*(child.ensure() for _ in range(5)))
    assert {status.pid for status in statuses} == {child.pid} != {first.pid}
    assert [(end.pid, end.reason, end.expected) for end in children.exits] == [(first.pid, "signal SIGKILL", False)]
    assert any("signal SIGKILL" in line for line in children.lines)


async def test_child_that_keeps_crashing_stays_failed(children: Children) -> None:
    """After the limit of crashes in a row callers get OVERLOADED with the reason for the log, without another start."""
    child = children.make("sys.exit(3)")
    with pytest.raises(RixinError) as caught:
        await child.ensure()
    assert caught.value.kind is Kind.OVERLOADED
    assert caught.value.detail == "exit code 3"
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
    assert child.state is State.FAILED
    assert children.runs == SOON.limit
    with pytest.raises(RixinError, match="the child cannot be started"):
        await child.ensure()
    assert children.runs == SOON.limit


async def test_failed_child_is_tried_again_after_its_back_off(children: Children) -> None:
    """Once the back-off is over, the next `ensure` starts a failed child anew."""
    child = children.make(f"sys.exit(3) if runs <= {SOON.limit} else None\n{READY}")
    with pytest.raises(RixinError):
        await child.ensure()
    children.clock.instant += child.retry_after
    assert (await child.ensure()).pid == child.pid
    assert children.runs == SOON.limit + 1


async def test_explained_failure_is_not_retried(children: Children) -> None:
    """A child that says why it cannot run fails at once, with its message as detail."""
    child = children.make('say("failed", message="no such file"); sys.exit(1)')
    with pytest.raises(RixinError) as caught:
        await child.ensure()
    assert caught.value.detail == "no such file"
    assert child.message == "no such file"
    assert children.runs == 1


async def test_steady_child_has_a_clean_record(children: Children) -> None:
    """A child that stayed up long enough between crashes never runs into the limit of failures in a row."""
    child = children.make(READY)
    for _ in range(SOON.limit + 1):
        up = await child.ensure()
        children.clock.instant += SOON.steady
        os.kill(up.pid, signal.SIGKILL)
        await until(child, lambda: child.state is not State.READY)
        assert child.state is State.BACKING_OFF


async def test_unsteady_child_runs_into_the_limit(children: Children) -> None:
    """Crashes right after becoming ready count as failures in a row."""
    child = children.make(READY + "\nos.kill(os.getpid(), signal.SIGKILL)")
    child.start()
    await until(child, lambda: child.state is State.FAILED)
    assert children.runs == SOON.limit


async def test_start_deadline_ends_a_child_that_hangs(children: Children) -> None:
    """A child that never becomes ready is killed, and the error says how long it had."""
    child = children.make("signal.pause()", start_deadline=0.5)
    with pytest.raises(RixinError) as caught:
        await child.ensure()
    assert caught.value.detail == "was not ready within 0.5 s"
    assert all(is_gone(end.pid) for end in children.exits if end.pid)


async def test_program_that_does_not_exist_is_a_failure(children: Children, tmp_path: Path) -> None:
    """Where there is nothing to run, callers are told after the usual tries."""
    child = children.run(Program(arguments=(str(tmp_path / "missing"),), configuration=b"{}"))
    with pytest.raises(RixinError) as caught:
        await child.ensure()
    assert caught.value.detail == "cannot be run: No such file or directory"


async def test_stop_ends_the_child_gently(children: Children) -> None:
    """`stop` sends SIGTERM and waits for what the child still has to do."""
    body = f"""
def end(*_):
    print("put away", file=sys.stderr, flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
{READY}
"""
    child = children.make(body)
    up = await child.ensure()
    await child.stop(grace=HANG)
    assert child.state is State.STOPPED
    assert is_gone(up.pid)
    assert children.lines == ["put away"]
    assert [end.expected for end in children.exits] == [True]


async def test_stop_kills_a_child_that_does_not_listen(children: Children) -> None:
    """A child that ignores SIGTERM is gone after the grace."""
    child = children.make(f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{READY}")
    up = await child.ensure()
    await child.stop(grace=0.05)
    assert is_gone(up.pid)
    assert children.exits[-1].reason == "signal SIGKILL"


async def test_stop_while_starting_refuses_the_callers(children: Children) -> None:
    """Callers that wait for a child that is stopped meanwhile get an error instead of a hang."""
    child = children.make("pass")
    caller = asyncio.create_task(child.ensure())
    await until(child, lambda: child.state is State.STARTING)
    await child.stop(grace=HANG)
    with pytest.raises(RixinError, match="was stopped"):
        await caller
    assert child.state is State.STOPPED


async def test_stop_during_back_off_cancels_the_restart(children: Children) -> None:
    """A child that waits for its restart is stopped at once and starts no more."""
    child = children.make("sys.exit(1)", restart=Restart(first=HANG))
    child.start()
    await until(child, lambda: child.state is State.BACKING_OFF)
    await child.stop(grace=HANG)
    assert child.state is State.STOPPED
    assert children.runs == 1


async def test_ensure_after_stop_starts_anew(children: Children) -> None:
    """A child asked for while it is being stopped comes back as a new process after the old one's end."""
    child = children.make(READY)
    first = await child.ensure()
    stopping = asyncio.create_task(child.stop(grace=HANG))
    await until(child, lambda: child.state is State.STOPPING)
    second = await child.ensure()
    await stopping
    assert second.pid != first.pid
    assert is_gone(first.pid)


async def test_log_lines_arrive_whole(children: Children) -> None:
    """Stderr and unreadable stdout reach the log line by line, the last one without a line feed included."""
    body = f"""
sys.stderr.write("one\\ntwo\\n\\nthr"); sys.stderr.flush(); sys.stderr.write("ee"); sys.stderr.flush()
print("not a status", flush=True)
{READY}
"""
    child = children.make(body)
    await child.ensure()
    await child.stop(grace=HANG)
    assert sorted(children.lines) == ["not a status", "one", "three", "two"]


async def test_endless_line_is_cut(children: Children) -> None:
    """A line without an end costs bounded memory and does not stop what follows."""
    child = children.make(f'print("x" * (5 << 20), flush=True)\n{READY}')
    await child.ensure()
    assert [len(line) for line in children.lines] == [1 << 20]


async def test_grandchild_that_holds_the_pipes_does_not_hide_the_exit(children: Children) -> None:
    """The end of a process is noticed although a process it started keeps its stdout and stderr open."""
    body = f"""
if runs == 1:
    import subprocess
    subprocess.Popen(["sleep", "{HANG:g}"], stdin=subprocess.DEVNULL)
{READY}
"""
    child = children.make(body)
    first = await child.ensure()
    os.kill(first.pid, signal.SIGKILL)
    await until(child, lambda: child.state is not State.READY)
    assert not children.exits, "the exit is noticed before the pipes have ended"
    assert (await child.ensure()).pid != first.pid
    assert children.exits


async def test_configuration_larger_than_a_pipe_arrives(children: Children) -> None:
    """The first line may be larger than what a pipe holds."""
    body = f"assert len(config['body']) > 300000\n{READY}\n#" + "x" * 300_000
    child = children.make(body)
    assert (await child.ensure()).pid == child.pid


def test_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """A parent that dies by SIGKILL takes its children along: the end of their stdin tells them."""
    children = Children(tmp_path)
    parent = tmp_path / "parent.py"
    parent.write_text(
        f"""
import asyncio, sys, msgspec
from rixin.clock import SystemClock
from rixin.engines.process import ChildProcess, Failed, Loading
from rixin.engines.process_pipes import Program
class Up(msgspec.Struct, tag="ready"):
    pid: int
async def main():
    program = Program(
        arguments=(sys.executable, {str(children.script)!r}),
        configuration=msgspec.json.encode({{"body": {READY!r}, "count": {str(children.count)!r}}}),
    )
    decode = msgspec.json.Decoder(Loading | Failed | Up).decode
    child = ChildProcess("it", program, decode, clock=SystemClock(), share_stderr=True)
    print((await child.ensure()).pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    )

    async def scenario() -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(parent), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert process.stdout
        assert process.stderr
        assert not is_gone(int(await process.stdout.readline()))
        process.kill()
        await process.wait()
        await process.stderr.read()  # parent and child share their stderr, so that it ends with the last of them

    asyncio.run(asyncio.wait_for(scenario(), HANG))


def test_environment_without_secrets() -> None:
    """An engine's environment holds what programs need and nothing that may be a secret."""
    environment = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONPATH": "x",
        "SystemRoot": "C:\\Windows",
        "RIXIN_SECRET_KEY": "s",
        "OPENAI_API_KEY": "s",
        "HF_TOKEN": "s",
        "DATABASE_URL": "postgresql://me:secret@host/db",
        "HTTPS_PROXY": "http://me:secret@proxy",
    }
    assert without_secrets(environment) == {
        "PATH": "/bin",
        "LC_ALL": "C",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONPATH": "x",
        "SystemRoot": "C:\\Windows",
    }


def test_states_with_a_process() -> None:
    """The states that have a process are those that a process's exit can leave."""
    assert {state for state, cue in TRANSITIONS if cue is Cue.EXIT} == ALIVE
    assert SystemClock().monotonic() > 0
