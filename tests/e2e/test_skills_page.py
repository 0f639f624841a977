"""Every command of the page about skills, and of Rixin's own skill, executed with a running server."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rixin.clients.skills.discovery import read_skills
from rixin.clients.skills.source import SourceName, opened
from tests.clients.skills.official import make_official
from tests.support.pages import DOCS, blocks, run
from tests.support.server import ROOT, Server

LINK = re.compile(r"\]\(([^)#]+)\)")
SKILL = ROOT / "skills" / "rixin"
OFFICIAL = "https://github.com/OpenSenseNova/SenseNova-Skills"

pytestmark = pytest.mark.timeout(300)


def printed_by(commands: str, server: Server, home: Path, **extra: str) -> str:
    """What commands print; the skill's have `rixin` wherever a shell finds it."""
    commands = re.sub(r"(?:\.venv/bin/)?\brixin (?=\w)", ".venv/bin/rixin ", commands)
    return run(commands, server.url, server.shell | {"HOME": str(home), **extra}, cwd=home).stdout


def test_the_page(server: Server, tmp_path: Path, program: Callable[[str], str]) -> None:
    """From its top to its end, with a repository of the same shape in the place of the one on the network."""
    program("bash")
    home = tmp_path / "home"
    home.mkdir()
    official = make_official(tmp_path / "official")
    commands = "\n".join(blocks(DOCS / "skills.md", "sh")).replace(OFFICIAL, official.url)
    printed = printed_by(commands, server, home)
    assert "openclaw: sn-image-base would be added\n" in printed
    assert "openclaw: sn-image-base added\n" in printed
    assert server.key not in printed
    assert f"SN_API_KEY={server.key}\nSN_BASE_URL={server.url}/v1\n" in (home / ".openclaw/.env").read_text()
    assert sorted(path.name for path in (home / ".openclaw/skills").iterdir()) == [
        "sn-da-excel-workflow", "sn-image-base", "sn-ppt-workbench",
    ]  # fmt: skip
    assert (home / ".claude/skills/rixin/SKILL.md").is_file()


@pytest.mark.parametrize(
    "page", ["SKILL.md", "references/chat.md", "references/usage.md", "references/server.md", "references/images.md"]
)
@pytest.mark.timeout(600)
def test_the_skill(page: str, server: Server, tmp_path: Path, program: Callable[[str], str]) -> None:
    """What an agent is told to run works as it stands, and no answer is an error."""
    for name in ("bash", "curl"):
        program(name)
    created = subprocess.run(
        server.cli("keys", "create", "operator", "--scope", "admin", "--json"),
        capture_output=True, check=True, env=server.environ, timeout=60,
    )  # fmt: skip
    for block in blocks(SKILL / page, "sh"):
        printed = printed_by(block, server, tmp_path, RIXIN_ADMIN_KEY=json.loads(created.stdout)["key"])
        assert printed.strip()
        assert '"error":{' not in printed.replace(" ", "")


def test_the_skill_is_well_made() -> None:
    """Every page of it is tested above and linked from the first; each link leads to a file; it is short enough."""
    with opened(SourceName(kind="bundled")) as source:
        (skill,) = read_skills(source)
    pages = {file.path: file.content.decode() for file in skill.files}
    assert set(pages) == {"SKILL.md", *(f"references/{name}.md" for name in ("chat", "usage", "server", "images"))}
    assert set(LINK.findall(pages["SKILL.md"])) == set(pages) - {"SKILL.md"}
    assert len(pages["SKILL.md"].splitlines()) < 500
