"""A child program of ours: one state machine that starts it, watches it and brings it back.

The conversation with a child: the first line of its stdin is its configuration (JSON); stdin then stays open, and its
end tells the child to exit, so that no child outlives a parent that was killed. Its stdout carries one status a line
(JSON): `Loading`, then what it says when it is ready, or `Failed`. Its stderr is its log.
"""

import asyncio
import signal
import sys
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar, cast

from msgspec import DecodeError, Struct

from rixin.clock import Clock, jitter
from rixin.engines.process_pipes import ProcessPipes, Program
from rixin.errors import Kind, RixinError


class State(StrEnum):
    """Where a child is in its life."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing_off"
    FAILED = "failed"
    STOPPING = "stopping"


class Cue(StrEnum):
    """What moves a child from one state to the next."""

    START = "start"
    READY = "ready"
    EXIT = "exit"
    GIVE_UP = "give_up"
    STOP = "stop"


TRANSITIONS: dict[tuple[State, Cue], State] = {
    (State.STOPPED, Cue.START): State.STARTING,
    (State.STARTING, Cue.READY): State.READY,
    (State.STARTING, Cue.EXIT): State.BACKING_OFF,
    (State.STARTING, Cue.STOP): State.STOPPING,
    (State.READY, Cue.EXIT): State.BACKING_OFF,
    (State.READY, Cue.STOP): State.STOPPING,
    (State.BACKING_OFF, Cue.START): State.STARTING,
    (State.BACKING_OFF, Cue.GIVE_UP): State.FAILED,
    (State.BACKING_OFF, Cue.STOP): State.STOPPED,
    (State.FAILED, Cue.START): State.STARTING,
    (State.FAILED, Cue.STOP): State.STOPPED,
    (State.STOPPING, Cue.EXIT): State.STOPPED,
}

ALIVE = frozenset({State.STARTING, State.READY, State.STOPPING})
"""The states in which there is a process."""


class Loading(Struct, frozen=True, tag="loading"):
    """The child is at work on becoming ready."""

    progress: float | None = None
    """The part that is done, from 0 to 1; None while it is at work on something of unknown length."""


class Failed(Struct, frozen=True, tag="failed"):
    """The child knows why it cannot run, says so and exits."""

    message: str


class Restart(Struct, frozen=True, kw_only=True):
    """When a child that ended by itself is started again. Durations are seconds."""

    first: float = 0.5
    """The wait after the first failure; it doubles with each further one in a row."""
    longest: float = 30.0
    steady: float = 60.0
    """A child that was ready for this long has not failed in a row with those before it."""
    limit: int = 4
    """After so many failures in a row the child stays `failed` until it is asked for again; after one that it explained
    itself, at once: what is wrong with a file or a setting is not cured by trying again."""

    def delay(self, failures: int) -> float:
        """The wait in seconds after so many failures in a row, without jitter."""
        return min(self.first * 2.0 ** min(failures - 1, 32), self.longest)


class Exit(Struct, frozen=True, kw_only=True):
    """How a process of a child ended."""

    pid: int
    reason: str
    expected: bool
    """Whether it was told to end."""


R = TypeVar("R")


class ChildProcess(Generic[R]):
    """One child program, started on demand and kept running from then on.

    Args:
        name: What errors and logs call it, such as "the model `local`".
        program: How it is started.
        decode: Reads a line of its stdout; raises `msgspec.DecodeError` for what is no status.
        clock: Tells how long it stayed up.
        restart: When it is started again.
        start_deadline: Seconds in which it must become ready.
        log: Takes its stderr and what happens to it, line by line.
        share_stderr: Lets it write to our stderr instead.
        on_change: Called after each change of state and each `Loading`.
        on_exit: Called when a process has ended.
    """

    def __init__(
        self,
        name: str,
        program: Program,
        decode: Callable[[bytes], Loading | Failed | R],
        *,
        clock: Clock,
        restart: Restart | None = None,
        start_deadline: float = 120.0,
        log: Callable[[str], None] = lambda _: None,
        share_stderr: bool = False,
        on_change: Callable[[], None] = lambda: None,
        on_exit: Callable[[Exit], None] = lambda _: None,
    ) -> None:
        self.name = name
        self.state = State.STOPPED
        self.status: R | None = None
        """What the child said when it became ready, while it is ready."""
        self.progress: float | None = None
        self.message: str | None = None
        """Why it failed last."""
        self._program = program
        self._decode = decode
        self._clock = clock
        self._restart = restart or Restart()
        self._start_deadline = start_deadline
        self._log = log
        self._share_stderr = share_stderr
        self._on_change = on_change
        self._on_exit = on_exit
        self._failures = 0
        self._explained: str | None = None
        self._retry_at = 0.0
        self._ready_since = 0.0
        self._changed: asyncio.Future[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._pipes: ProcessPipes | None = None
        self._reaper: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """The process id, while there is a process."""
        return self._pipes.pid if self._pipes else None

    @property
    def retry_after(self) -> float:
        """Seconds until a failed child may be asked for again."""
        return max(self._retry_at - self._clock.monotonic(), 0.0)

    def start(self) -> None:
        """Begins to start the child where nothing else is under way; a failed one regardless of its back-off."""
        if self.state in (State.STOPPED, State.FAILED):
            self._move(Cue.START)
            self._keeper = asyncio.get_running_loop().create_task(self._keep())

    async def ensure(self) -> R:
        """What the child says when it is ready, started first where need be. Callers at the same time share one start.

        Raises:
            RixinError: `OVERLOADED` where it failed, with the seconds after which asking again makes sense, or where
                it was stopped meanwhile.
        """
        if self.state is State.FAILED and self.retry_after > 0:
            raise self._refusal()
        while self.state is State.STOPPING:
            await self.changed()
        self.start()
        while self.state is not State.READY:
            if self.state is State.FAILED:
                raise self._refusal()
            if self.state in (State.STOPPED, State.STOPPING):
                raise RixinError(Kind.OVERLOADED, f"{self.name} was stopped while it started", retry_after=1.0)
            await self.changed()
        return cast("R", self.status)

    async def stop(self, grace: float) -> None:
        """Ends the child for good: SIGTERM, and SIGKILL after `grace` seconds. Returns when it is gone."""
        if self.state in (State.BACKING_OFF, State.FAILED):
            self._move(Cue.STOP)
            await self._end_keeper()
        elif self.state in (State.STARTING, State.READY):
            self._move(Cue.STOP)
            if self._pipes:
                self._pipes.signal(signal.SIGTERM)
        if self.state is State.STOPPING and self._keeper:
            if self._reaper:
                self._reaper.cancel()
            # A timer, so that the child also ends when nobody waits for it any more.
            self._reaper = asyncio.get_running_loop().call_later(grace, self.kill)
            await asyncio.wait({self._keeper})

    def kill(self) -> None:
        """Ends the process at once. Unless the child is being stopped, it comes back like after a crash."""
        if self._pipes:
            self._pipes.signal(signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    def hang_up(self) -> None:
        """Sends SIGHUP to a child that is ready; before, it may not know what to make of it."""
        if self._pipes and self.state is State.READY:
            self._pipes.signal(signal.SIGHUP)

    async def changed(self) -> None:
        """Waits until the state has changed."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    async def _keep(self) -> None:
        """Runs the program over and over, until it is stopped or has failed too often in a row."""
        while True:
            reason = await self._run()
            if self.state is State.STOPPING:
                if self._reaper:
                    self._reaper.cancel()
                self._failures = 0
                self._move(Cue.EXIT)
                return
            self._failures += 1
            self.message = reason
            delay = jitter(self._restart.delay(self._failures))
            self._retry_at = self._clock.monotonic() + delay
            if self._explained or self._failures >= self._restart.limit:
                self._log(f"stays down after {self._failures} failures in a row: {reason}")
                self._move(Cue.GIVE_UP)
                return
            self._log(f"ended unasked ({reason}), starts again in {delay:.1f} s")
            await asyncio.sleep(delay)
            self._move(Cue.START)

    async def _run(self) -> str:
        """Runs one process to its last words, and gives the reason of its end."""
        self.progress = self._explained = None
        pipes = ProcessPipes(self._hear, None if self._share_stderr else self._log)
        try:
            await pipes.start(self._program)
        except OSError as error:
            self._over()
            return f"cannot be run: {error.strerror}"
        self._pipes = pipes
        deadline = asyncio.get_running_loop().call_later(self._start_deadline, self._give_up_waiting)
        try:
            if self.state is State.STOPPING:
                self.kill()  # it was stopped before it lived, and has nothing to put away
            code = await pipes.exited()
            expected = self.state is State.STOPPING
            self._over()
            await pipes.drained()
        finally:
            deadline.cancel()
            pipes.close()
        reason = self._explained or _reason(code)
        self._on_exit(Exit(pid=pipes.pid, reason=reason, expected=expected))
        return reason

    def _over(self) -> None:
        """Notes the end of a process, at once and before its last words are read."""
        up_for = self._clock.monotonic() - self._ready_since if self.status is not None else 0.0
        if up_for >= self._restart.steady:
            self._failures = 0
        self.status = None
        self._pipes = None
        if self.state is not State.STOPPING:
            self._move(Cue.EXIT)

    def _give_up_waiting(self) -> None:
        if self.state is State.STARTING:
            self._explained = f"was not ready within {self._start_deadline:g} s"
            self.kill()

    def _hear(self, line: bytes) -> None:
        """Takes a line of the child's stdout."""
        try:
            status = self._decode(line)
        except DecodeError:
            self._log(line.decode("utf-8", "replace"))
            return
        if isinstance(status, Loading):
            self.progress = status.progress
            self._on_change()
        elif isinstance(status, Failed):
            self._explained = status.message
        elif self.state is State.STARTING:
            self.status = status
            self._ready_since = self._clock.monotonic()
            self._move(Cue.READY)

    def _move(self, cue: Cue) -> None:
        self.state = TRANSITIONS[self.state, cue]
        changed, self._changed = self._changed, None
        if changed:
            changed.set_result(None)
        self._on_change()

    async def _end_keeper(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})

    def _refusal(self) -> RixinError:
        return RixinError(
            Kind.OVERLOADED, f"{self.name} cannot be started", retry_after=self.retry_after, detail=self.message
        )


def _reason(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
