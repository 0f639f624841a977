"""The bars of a download and of a model's start."""

import io
import sys

import pytest
from rich.console import Console

from rixin.cli.progress import ModelBars, download_bar
from rixin.engines.pull import Progress


def drawn(*steps: Progress, terminal: bool) -> str:
    """What a console is sent for these steps."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    with download_bar(console, "tiny") as show:
        for step in steps:
            show(step)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_sees_name_source_and_bytes() -> None:
    """The bar says what comes from where, and how much of it is here; it is gone at the end."""
    shown = drawn(Progress(5_000_000, 10_000_000, "Hugging Face"), terminal=True)
    assert "tiny from Hugging Face" in shown
    assert "5.0/10.0 MB" in shown
    assert shown.endswith("\x1b[2K")


def test_output_that_is_piped_on_stays_in_its_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """While a terminal shows the bar, what a program reads from stdout still goes there."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with download_bar(console, "tiny") as show:
        show(Progress(1, 2, "hub"))
        sys.stdout.write("a line for a program\n")
    assert capsys.readouterr().out == "a line for a program\n"


@pytest.mark.parametrize(
    ("steps", "terminal"), [([Progress(1, 2, "hub")], False), ([], True)], ids=["no terminal", "nothing to get"]
)
def test_otherwise_nothing_is_drawn(steps: list[Progress], terminal: bool) -> None:
    """A log file sees no bar, and neither does somebody who has the model already."""
    assert drawn(*steps, terminal=terminal) == ""


def shown(*states: tuple[str, str, float | None], terminal: bool = True) -> str:
    """What a console is sent for these states of models."""
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    bars = ModelBars(console)
    for state in states:
        bars.show(*state)
    bars.close()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("state", "part", "words"),
    [
        ("pulling", 0.25, "downloading tiny"),
        ("starting", 0.25, "loading tiny"),
        ("starting", None, "loading tiny"),
        ("backing_off", None, "loading again tiny"),
    ],
)
def test_a_model_on_its_way_has_a_bar(state: str, part: float | None, words: str) -> None:
    """It says what is done with it, and how much of that, where it is known."""
    drawn = shown(("tiny", state, part))
    assert words in drawn
    assert ("25%" in drawn) == (part is not None)
    assert "0%" not in drawn
    assert "tiny" not in drawn.rpartition("\x1b[2K")[2], "it is gone at the end"


def test_a_measure_comes_and_goes() -> None:
    """A part that is known, then none, then another: the last is what stays."""
    assert "75%" in shown(("tiny", "starting", 0.5), ("tiny", "starting", None), ("tiny", "starting", 0.75))


def test_every_model_has_its_own_bar() -> None:
    """One that is ready takes its own away, and nobody else's."""
    drawn = shown(("a", "starting", 0.5), ("b", "starting", 0.5), ("a", "ready", None), ("b", "starting", 0.75))
    assert "loading a" in drawn
    assert "75%" in drawn


@pytest.mark.parametrize(("state", "terminal"), [("starting", False), ("ready", True), ("stopped", True)])
def test_nothing_is_drawn_of_other_models(state: str, terminal: bool) -> None:
    """One that is on no way has no bar, and a log file sees none."""
    assert shown(("tiny", state, None), terminal=terminal) == ""
