"""What the console says: checked by `console/texts.mjs`, without a browser."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.profiles.phrases import PHRASES
from tests.support.server import ROOT

CONSOLE = ROOT / "console"
MODULES = CONSOLE / "node_modules"

FAULTS = {
    "src/i18n/en/usage.ts": ('  range: "Range",', '  range: "Range of {{what}}",\n  idle: "Idle",'),
    "src/i18n/zh/usage.ts": ('  csv: "CSV",\n', ""),
    "src/pages/usage.tsx": ('t("usage.daily")', 't("usage.hourly")'),
    "src/pages/requests/timeline.tsx": ('t("requests.firstToken")', '"First token"'),
    "src/pages/overview/latency.tsx": ('t("overview.median")', 't("requests.total")'),
    "src/components/panel.tsx": ("{extra}", "{extra} more"),
    "src/router.tsx": ('["files"]', '["files", "team"]'),
}
"""What is put in place of what."""
PAGE = "src/pages/overview/index.tsx"
FOUND = {
    "overview.median: is never said",
    "src/components/panel.tsx: words in the code: more",
    "src/pages/files/index.tsx: is loaded with team, of which it says nothing",
    f"{PAGE}: says something of requests, which is not loaded with it: src/pages/overview/latency.tsx",
    "src/pages/requests/timeline.tsx: words in the code: First token",
    "src/pages/usage.tsx: there is no text usage.hourly",
    "src/pages/usage.tsx: usage.range is not given what",
    "usage.csv: is not in zh",
    "usage.daily: is never said",
    "usage.idle: is never said",
    "usage.idle: is not in zh",
    "usage.range: has the places {} in zh, and {what}",
}


ENGLISH = CONSOLE / "src" / "i18n" / "en" / "explanations.json"
CHINESE = CONSOLE / "src" / "i18n" / "zh" / "explanations.ts"


def places(text: str) -> set[str]:
    """What a text of the console has places for."""
    return set(re.findall(r"\{\{(\w+)\}\}", text))


def test_all_that_the_server_explains_has_a_text_in_every_language() -> None:
    """Each code that the server has a phrase for, with the same places."""
    english = json.loads(ENGLISH.read_text(encoding="utf-8"))
    chinese = dict(re.findall(r'^  (\w+): "(.+)",$', CHINESE.read_text(encoding="utf-8"), re.MULTILINE))
    assert chinese.keys() == english.keys() == PHRASES.keys()
    for code, phrase in PHRASES.items():
        wanted = set(re.findall(r"\{(\w+)\}", phrase))
        assert places(english[code]) == places(chinese[code]) == wanted, code


def check(node: str, folder: Path) -> set[str]:
    """What is found in a console's folder, without the lines."""
    if not (MODULES / "typescript").is_dir():
        missing = "the console's packages are not installed; `make console` does it"
        if os.environ.get("RIXIN_TEST_ALL"):
            pytest.fail(missing)
        pytest.skip(missing)
    command = [node, str(CONSOLE / "texts.mjs"), str(folder)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert ran.stderr == ""
    assert ran.returncode == bool(ran.stdout)
    return {re.sub(r":\d+:", ":", line) for line in ran.stdout.splitlines()}


@pytest.mark.timeout(600)
def test_all_is_said_in_every_language(program: Callable[[str], str]) -> None:
    """Every language has the texts that the code says and no others, with the same places; none stands in the code."""
    assert check(program("node"), CONSOLE) == set()


@pytest.mark.timeout(600)
def test_whatever_is_wrong_is_found(program: Callable[[str], str], tmp_path: Path) -> None:
    """A text that one language lacks, that nobody says, that is not there, not loaded or not whole, and words."""
    shutil.copytree(CONSOLE / "src", tmp_path / "src")
    shutil.copy(CONSOLE / "tsconfig.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(MODULES)
    for name, (before, after) in FAULTS.items():
        path = tmp_path / name
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    assert check(program("node"), tmp_path) == FOUND
