"""The configuration file of a running server."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog

from rixin.cli import config_watch
from rixin.cli.config_watch import ConfigWatch
from rixin.errors import Kind, RixinError
from rixin.settings import Settings, load
from tests.support.hang import HANG

ONE = '[[providers]]\nname = "one"\nbase_url = "https://one.example.com/v1"\n'
TWO = ONE + '[[providers]]\nname = "two"\nbase_url = "https://two.example.com/v1"\n'


class Taker:
    """Takes settings, as a server does."""

    def __init__(self) -> None:
        self.taken: list[Settings] = []
        self.refusal: RixinError | None = None
        self.told: Callable[[], None] = lambda: None

    def __call__(self, settings: Settings) -> None:
        """Takes them, or refuses."""
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(settings)
        self.told()

    @property
    def names(self) -> list[list[str]]:
        """The providers' names, for each time."""
        return [[provider.name for provider in settings.providers] for settings in self.taken]


Watching = Callable[..., tuple[ConfigWatch, Taker, Path]]


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    """A watch over a file, and who takes its settings."""

    def make(text: str | None = ONE, **flags: str) -> tuple[ConfigWatch, Taker, Path]:
        path, taker = tmp_path / "rixin.toml", Taker()
        if text is not None:
            path.write_text(text)
        named = {f"server.{name}": value for name, value in flags.items()}
        running = load(path if path.exists() else None, environ={}, flags=named)
        return ConfigWatch(path, running, {}, taker), taker, path

    return make


async def looks(watch: ConfigWatch, count: int = 2) -> None:
    """As many looks as a change needs."""
    for _ in range(count):
        await watch.look()


async def test_a_change_is_taken_once(watching: Watching) -> None:
    """The file is read at the first look, then when it has changed, and not again until it changes once more."""
    watch, taker, path = watching()
    await looks(watch, 3)
    path.write_text(TWO)
    await looks(watch, 4)
    assert taker.names == [["one"], ["one", "two"]]


async def test_a_file_that_is_being_written_is_left_a_look_longer(watching: Watching) -> None:
    """While the file changes from look to look nothing is read of it."""
    watch, taker, path = watching()
    await watch.look()
    for length in range(len(ONE), len(TWO), 20):
        path.write_text(TWO[:length])
        await watch.look()
    assert taker.names == [["one"]]
    path.write_text(TWO)
    await looks(watch)
    assert taker.names == [["one"], ["one", "two"]]
    assert watch.problem is None


async def test_o7_a_file_is_read_at_once_where_that_is_asked_for(watching: Watching) -> None:
    """Its first look takes it, whether it has changed or not; a file that has gone stays a problem."""
    watch, taker, path = watching()
    await watch.look()
    path.write_text(TWO)
    await watch.look(at_once=True)
    await watch.look(at_once=True)
    await looks(watch, 3)
    assert taker.names == [["one"], ["one", "two"], ["one", "two"]]
    path.unlink()
    await watch.look(at_once=True)
    assert "has gone" in (watch.problem or "")


async def test_o7_who_asks_is_not_kept_waiting_for_the_next_second(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call ends the pause between two looks."""
    monkeypatch.setattr(config_watch, "INTERVAL", 1000.0)
    watch, taker, path = watching()
    taken = asyncio.Event()
    taker.told = taken.set
    running = asyncio.create_task(watch.run())
    try:
        async with asyncio.timeout(HANG):
            await taken.wait()
            taken.clear()
            path.write_text(TWO)
            watch.read_now()
            await taken.wait()
    finally:
        running.cancel()
        await asyncio.wait([running])
    assert taker.names == [["one"], ["one", "two"]]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("[[providers", "is not valid TOML"),
        ('[[providers]]\nnam = "x"', "did you mean `name`?"),
        (ONE.replace("https", "${NO_SUCH}"), "NO_SUCH"),
        (ONE + ONE, "two providers are named one"),
    ],
)
async def test_o7_a_broken_file_changes_nothing(watching: Watching, broken: str, says: str) -> None:
    """What counted before counts on, the problem is told once and by name, and is over when the file is mended."""
    watch, taker, path = watching()
    await watch.look()
    with structlog.testing.capture_logs() as logs:
        path.write_text(broken)
        await looks(watch, 5)
    assert taker.names == [["one"]]
    assert says in (watch.problem or "")
    assert "what counted before counts on" in (watch.problem or "")
    assert [log["log_level"] for log in logs] == ["error"]
    path.write_text(TWO)
    await looks(watch)
    assert taker.names == [["one"], ["one", "two"]]
    assert watch.problem is None


async def test_settings_that_nobody_can_serve_change_nothing(watching: Watching) -> None:
    """Valid settings that are refused, such as an unknown preset, are a problem like any other."""
    watch, taker, path = watching()
    await watch.look()
    taker.refusal = RixinError(Kind.CONFIGURATION, "provider two: there is no preset 'x'")
    path.write_text(TWO)
    await looks(watch)
    assert "no preset 'x'" in (watch.problem or "")
    taker.refusal = None
    path.write_text(TWO + "\n")
    await looks(watch)
    assert watch.problem is None


async def test_a_file_that_comes_later_counts(watching: Watching) -> None:
    """A server that was started without a file takes one that is made where it would have been."""
    watch, taker, path = watching(None)
    await looks(watch, 3)
    assert (taker.names, watch.problem) == ([], None)
    path.write_text(ONE)
    await looks(watch)
    assert taker.names == [["one"]]


async def test_a_file_that_goes_is_a_problem(watching: Watching) -> None:
    """What it said last counts on, and counts anew when it is back."""
    watch, taker, path = watching()
    await watch.look()
    path.unlink()
    await looks(watch, 3)
    assert "has gone" in (watch.problem or "")
    assert taker.names == [["one"]]
    path.write_text(TWO)
    await looks(watch)
    assert taker.names == [["one"], ["one", "two"]]
    assert watch.problem is None


async def test_a_file_that_is_replaced_with_an_older_one_counts(watching: Watching, tmp_path: Path) -> None:
    """An editor that puts a file in place, and a backup that is put back, are changes, whatever their dates."""
    watch, taker, path = watching()
    await watch.look()
    other = tmp_path / "other"
    other.write_text(ONE.replace("one", "uno"))
    os.utime(other, (1, 1))
    other.replace(path)
    await looks(watch)
    assert taker.names == [["one"], ["uno"]]


async def test_flags_are_not_judged_by_the_file(watching: Watching) -> None:
    """A file that only makes sense with the server's flags is read with them."""
    open_file = '[server]\nauth = "off"\nhost = "0.0.0.0"\n' + ONE
    watch, taker, path = watching(open_file, host="127.0.0.1")
    await watch.look()
    path.write_text(open_file.replace(ONE, TWO))
    await looks(watch)
    assert taker.names == [["one"], ["one", "two"]]


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("models", '[[models]]\nname = "m"\npath = "m.gguf"\n'),
        ("prices", "[prices.m]\nprompt = 1\n"),
        ("limits", '[[limits]]\nunit = "requests"\namount = 1\nwindow = 60\n'),
        ("credits", "[credits]\nm = 2\n"),
    ],
)
async def test_what_needs_a_restart_is_told(watching: Watching, part: str, change: str) -> None:
    """A change of it is named in the log, once, and is no problem."""
    watch, _, path = watching()
    await watch.look()
    with structlog.testing.capture_logs() as logs:
        path.write_text(ONE + change)
        await looks(watch, 4)
    assert [(log["log_level"], log["parts"]) for log in logs] == [("warning", [part])]
    assert watch.problem is None
