"""The page about deployment: what can be run here is, and what it says of files and times is so."""

import re
import stat
from pathlib import Path

from rixin.settings import Server as ServerSettings
from rixin.settings import load
from tests.support.pages import DOCS, blocks, run
from tests.support.server import ROOT, Server

PAGE = DOCS / "deployment.md"


def test_the_commands(server: Server, tmp_path: Path) -> None:
    """The secrets that are made are valid ones, which only their owner's folder holds; a running server is healthy."""
    secrets, health = blocks(PAGE, "sh")
    run(secrets, server.url, server.environ, cwd=tmp_path)
    folder = tmp_path / "deploy" / "compose" / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    variables = {"RIXIN_DATABASE_URL_FILE": "database-url", "RIXIN_SECRET_KEY_FILE": "root-secret"}
    settings = load(environ={name: str(folder / file) for name, file in variables.items()})
    password = (folder / "postgres-password").read_text(encoding="utf-8").strip()
    assert settings.server.database_url == f"postgresql://rixin:{password}@postgres/rixin"
    assert settings.server.shares_database
    assert '"ready"' in run(health, server.url, server.environ).stdout


def test_the_files_that_it_names() -> None:
    """They are there, and none of deploy/ goes untold."""
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\bdeploy/[\w./-]*\w/?", page)) - {"deploy/compose/secrets"}
    named = {name for name in named if not name.startswith("deploy/compose/secrets/")}
    assert not [name for name in named if not (ROOT / name).exists()]
    told = tuple(str(ROOT / name) for name in named)
    files = [path for path in (ROOT / "deploy").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not [path for path in files if not str(path).startswith(told) and path.name != "sbom.py"]


def test_the_times_that_it_tells() -> None:
    """Compose waits for longer than requests may take to end."""
    for file in ("compose.yaml", "deploy/compose/cluster.yaml"):
        [waits] = re.findall(r"stop_grace_period: (\d+)s", (ROOT / file).read_text(encoding="utf-8"))
        assert int(waits) > ServerSettings().shutdown_grace + 10
