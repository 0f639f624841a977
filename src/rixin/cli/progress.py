"""Bars that show how far a download, a model's start or a drawing has come; nothing where nobody watches."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    ProgressColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from rixin.engines.control_messages import PULLING
from rixin.engines.process import State
from rixin.engines.pull import OnProgress, Progress

_DOING: dict[str, str] = {PULLING: "downloading", State.STARTING: "loading", State.BACKING_OFF: "loading again"}
"""The states of a model that is on its way to be ready."""


@contextmanager
def download_bar(console: Console, name: str) -> Generator[OnProgress]:
    """A bar for the pull of the model `name`, to be told of progress while the context lasts."""
    bars = _bars(console, DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    task = bars.add_task(name, total=None)

    def show(progress: Progress) -> None:
        bars.start()
        description = f"{name} from {progress.source}"
        bars.update(task, completed=progress.done, total=progress.total, description=description)

    try:
        yield show
    finally:
        bars.stop()


@contextmanager
def drawing_bar(console: Console, name: str) -> Generator[Callable[[str, float], None]]:
    """A bar for what the model `name` draws, to be told the stage and the part of the work while the context lasts."""
    bars = _bars(console, TaskProgressColumn())
    task = bars.add_task(f"{name} draws", total=None)

    def show(stage: str, part: float) -> None:
        bars.update(task, description=f"{name}: {stage}", completed=part, total=1.0, refresh=True)

    with bars:
        yield show


class ModelBars:
    """A bar for each local model that is on its way to be ready; it is gone as soon as none is.

    Args:
        console: Where they are drawn.
    """

    def __init__(self, console: Console) -> None:
        self._bars = _bars(console, TextColumn("{task.fields[share]}"))
        self._tasks: dict[str, TaskID] = {}
        self._measured: dict[str, bool] = {}

    def show(self, name: str, state: str, part: float | None) -> None:
        """Takes the state of a model, and the part from 0 to 1 of what is done in it, where that is known."""
        measured = part is not None
        if name in self._tasks and (state not in _DOING or measured != self._measured[name]):
            self._remove(name)  # a bar of a known length never loses it again
        if state in _DOING:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=1.0 if measured else None, share="")
                self._measured[name] = measured
                self._bars.start()
            share = "" if part is None else f"{part:.0%}"
            doing = f"{_DOING[state]} {name}"
            task = self._tasks[name]
            self._bars.update(task, description=doing, completed=part or 0.0, share=share, refresh=True)
        elif not self._tasks:
            self._bars.stop()

    def close(self) -> None:
        """Removes every bar."""
        for name in list(self._tasks):
            self._remove(name)
        self._bars.stop()

    def _remove(self, name: str) -> None:
        self._bars.remove_task(self._tasks.pop(name))


def _bars(console: Console, *figures: ProgressColumn) -> Bars:
    return Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        *figures,
        console=console,
        disable=not console.is_terminal,
        transient=True,
        # What is printed meanwhile goes above the bar, unless it is meant for a file.
        redirect_stdout=sys.stdout.isatty(),
    )
