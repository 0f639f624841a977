"""A run, from the command line to the tables in the documentation."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bench import publish
from bench.build import HOME
from bench.page import PERFORMANCE, fill_section
from bench.report import sections
from bench.result import Result
from tests.support.bench_results import full_result, soak_result


def test_a_run_is_printed_kept_and_published(tmp_path: Path, program: Callable[[str], str]):
    """What was measured is printed with the goals, kept as JSON, and goes from there into the page."""
    program("cc")
    kept, page = tmp_path / "run.json", tmp_path / "performance.md"
    chosen = ["--part", "load", "--only", "whole-16", "--rounds", "1", "--seconds", "0.3", "--patience", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *chosen, "--out", str(kept)],
        cwd=HOME.parent,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "whole answers, 16 connections" in done.stdout
    assert "not measured" in done.stdout
    result = msgspec.json.decode(kept.read_bytes(), type=Result)
    assert {each.target for each in result.measurements} >= {"direct", "rixin"}
    shutil.copy(PERFORMANCE, page)
    publish.main([str(kept), "--page", str(page)])
    assert f"`{result.command}`" in page.read_text(encoding="utf-8")


def test_the_page_has_a_place_for_every_table(tmp_path: Path):
    """Whatever a run or a soak tells can be published."""
    page = tmp_path / "performance.md"
    shutil.copy(PERFORMANCE, page)
    for name, text in sections(full_result(), soak_result()).items():
        fill_section(page, name, text)


def test_a_section_that_is_missing_is_named(tmp_path: Path):
    """A page without the section stays as it is."""
    page = tmp_path / "page.md"
    page.write_text("<!-- goals -->\n<!-- end of goals -->\n")
    fill_section(page, "goals", "| a |")
    assert page.read_text() == "<!-- goals -->\n| a |\n<!-- end of goals -->\n"
    with pytest.raises(ValueError, match=r"page\.md has no section load"):
        fill_section(page, "load", "")
