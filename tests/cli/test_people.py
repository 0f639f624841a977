"""`rixin users`, `rixin teams` and `rixin audit`, beside a running server or without one."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.program import environment
from tests.support.databases import execute, served_place

pytestmark = pytest.mark.timeout(300)

Run = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = "a password of some length\n"


@pytest.fixture
def rixin(tmp_path: Path) -> Run:
    """Runs a command on a data directory of the test's own."""

    def run(*arguments: str, given: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rixin", *arguments]
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
            cwd=tmp_path,
            env=environment(tmp_path),
        )
        assert done.returncode == code, done
        return done

    return run


def test_people_and_teams(rixin: Run) -> None:
    """Are made, listed, changed and removed; what is wrong is said in one line."""
    made = json.loads(
        rixin(
            "users", "create", "Ada@example.com", "--role", "owner", "--password-stdin", "--json", given=PASSWORD
        ).stdout
    )
    assert (made["email"], made["role"]) == ("ada@example.com", "owner")
    assert "last owner" in rixin("users", "disable", "ada@example.com", code=1).stderr
    assert "12 to 1000" in rixin("users", "create", "b@example.com", "--password-stdin", given="short\n", code=1).stderr
    rixin("users", "create", "bob@example.com", "--name", "Bob", "--no-password")
    assert "now auditor" in rixin("users", "role", "bob@example.com", "auditor").stdout
    assert "no plan 'nope'" in rixin("users", "plan", "bob@example.com", "nope", code=1).stderr
    rixin("users", "plan", "bob@example.com", "sensenova-token-plan")
    rixin("users", "password", "bob@example.com", "--password-stdin", given=PASSWORD)
    listed = json.loads(rixin("users", "list", "--json").stdout)
    assert [(user["email"], user["role"], user["plan"]) for user in listed] == [
        ("ada@example.com", "owner", None),
        ("bob@example.com", "auditor", "sensenova-token-plan"),
    ]
    rixin("teams", "create", "core")
    assert "as admin" in rixin("teams", "add", "core", "bob@example.com", "--role", "admin").stdout
    assert json.loads(rixin("teams", "members", "core", "--json").stdout)[0]["role"] == "admin"
    assert "no such team" in rixin("teams", "remove", "none", "bob@example.com", code=1).stderr
    rixin("teams", "remove", "core", "bob@example.com")
    rixin("teams", "delete", "core", "--yes")
    rixin("users", "delete", "bob@example.com", "--yes")
    assert "no such user" in rixin("users", "enable", "bob@example.com", code=1).stderr


def test_an_audit_log_that_was_touched(rixin: Run, tmp_path: Path) -> None:
    """Verification names the row, and ends with exit code 1."""
    for name in ("one", "two", "three"):
        rixin("teams", "create", name)
    assert "3 rows are as they were written" in rixin("audit", "verify").stdout
    execute(served_place(tmp_path), "UPDATE audit SET actor = 'somebody' WHERE sequence = 2")
    assert rixin("audit", "verify", code=1).stdout == "Row 2 was changed.\n"
    problems = json.loads(rixin("audit", "verify", "--json", code=1).stdout)["problems"]
    assert [(problem["sequence"], problem["tampering"]) for problem in problems] == [(2, "changed")]
    listed = json.loads(rixin("audit", "list", "--action", "team.create", "--limit", "2", "--json").stdout)
    assert [row["sequence"] for row in listed] == [3, 2]
