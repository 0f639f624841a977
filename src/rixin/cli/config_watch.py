"""Looks at the configuration file for changes, and takes over what needs no restart."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
import structlog

from rixin.errors import RixinError
from rixin.service.configuration import LIVE
from rixin.settings import Settings, load, path_to_text

INTERVAL = 1.0
"""Seconds between two looks."""
NEED_RESTART = tuple(name for name in Settings.__struct_fields__ if name not in LIVE)
"""Parts of the settings whose changes count after a restart."""

_Look: TypeAlias = tuple[int, int, int] | None
"""What tells one state of the file from another; None where there is none."""

log = structlog.get_logger("rixin.worker")


class ConfigWatch:
    """The configuration file of a running server.

    Args:
        path: The file; it need not be there yet.
        running: The settings that are in force, flags included.
        environ: For the variables that the file names.
        apply: Takes new settings, of which it may refuse some by raising `RixinError`; what it raises is told.
    """

    def __init__(
        self, path: Path, running: Settings, environ: Mapping[str, str], apply: Callable[[Settings], None]
    ) -> None:
        self.path = path
        self._environ = environ
        self._apply = apply
        self._running = running
        self._last: Settings | None = None
        server: dict[str, object] = msgspec.to_builtins(running.server, enc_hook=path_to_text)
        # What flags have said of the server counts on, so that the file is not judged by what they overrule.
        self._flags = {f"server.{name}": value for name, value in server.items()}
        self._known: _Look = None
        self._pending: _Look = None
        self._called = asyncio.Event()
        self.problem: str | None = None
        """Why what the file says now does not count; None where it does."""

    @property
    def problems(self) -> list[str]:
        """The problem, if there is one."""
        return [] if self.problem is None else [self.problem]

    @property
    def current(self) -> Settings:
        """What the file said when it was last in order, or else what the server runs with."""
        return self._last or self._running

    def read_now(self) -> None:
        """The file is as it should be: it is read at once, and whether it looks changed or not."""
        self._called.set()

    async def run(self) -> None:
        """Looks each second, and whenever it is called, until it is cancelled."""
        while True:
            at_once = self._called.is_set()
            self._called.clear()
            await self.look(at_once=at_once)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL):
                    await self._called.wait()

    async def look(self, *, at_once: bool = False) -> None:
        """Takes the file's changes over once it has stayed as it is for one look: it may be half written before.

        Args:
            at_once: Whether the file is read as it is, changed or not.
        """
        found = await asyncio.to_thread(_look, self.path)
        if found is None and self._known is not None:
            self._fail(f"{self.path} has gone; what it said last counts on")
            self._known = None
        elif found is None or (found == self._known and not at_once):
            self._pending = None
        elif found != self._pending and self._known is not None and not at_once:
            self._pending = found
        else:
            self._known, self._pending = found, None
            await self._read()

    async def _read(self) -> None:
        try:
            settings = await asyncio.to_thread(load, self.path, environ=self._environ, flags=self._flags)
            self._apply(settings)
        except RixinError as error:
            self._fail(f"{error.message}; what counted before counts on")
            return
        if self.problem is not None:
            log.info("the configuration is in order again", file=str(self.path))
        self.problem = None
        last, self._last = self._last or settings, settings
        changed = [name for name in NEED_RESTART if getattr(settings, name) != getattr(last, name)]
        if changed:
            log.warning("changes of the configuration count after a restart", parts=changed)

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            log.error("the configuration cannot be used", file=str(self.path), reason=problem)
        self.problem = problem


def _look(path: Path) -> _Look:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
