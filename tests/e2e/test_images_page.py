"""The page on images: its commands, its configuration and its figures."""

from importlib.resources import files
from pathlib import Path

from rixin.cli.local_models import DRAWER_CARD
from rixin.profiles.cards import load_models
from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import Server

PAGE = DOCS / "images.md"


def test_the_commands(server: Server, tmp_path: Path) -> None:
    """A picture in a file, and a link to one."""
    (commands,) = blocks(PAGE, "sh")
    printed = run(commands.replace("rixin draw", ".venv/bin/rixin draw"), server.url, server.shell, cwd=tmp_path).stdout
    assert printed.startswith("tea.png")
    assert '"url":"http://' in printed
    assert (tmp_path / "tea.png").read_bytes().startswith(b"\x89PNG")


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    """It keeps copies."""
    (text,) = blocks(PAGE, "toml")
    (tmp_path / "rixin.toml").write_text(text, encoding="utf-8")
    assert load(tmp_path / "rixin.toml", environ={}).files.keep_images


def test_its_figures_are_those_of_the_cards() -> None:
    """How many, and how large."""
    page = PAGE.read_text(encoding="utf-8")
    cards = load_models(files("rixin.profiles").joinpath("models.toml").read_bytes()).cards
    for name, card in {**cards, "draw": DRAWER_CARD}.items():
        if (rules := card.drawing) is None:
            continue
        row = next(line for line in page.splitlines() if line.startswith("| `") and f"`{name}`" in line)
        assert f"| {f'1 to {rules.most}' if rules.most > 1 else '1'} |" in row
        assert f"| {f'1 to {rules.most_edited}' if rules.most_edited else 'none'} |" in row
        if not rules.sizes:
            assert f"edges of {rules.shortest_edge} to {rules.longest_edge} pixels" in row
