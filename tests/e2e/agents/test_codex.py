"""Codex, unmodified, in front of upstreams that speak Chat Completions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.agents.conftest import Nonce, Run
from tests.profiles.strict_upstream import Rules
from tests.support.server import Server
from tests.support.tool_user import FOUND, ToolUser

CONFIG = """
check_for_update_on_startup = false
model = "{model}"
model_provider = "rixin"
approval_policy = "never"
sandbox_mode = "danger-full-access"

[analytics]
enabled = false

[model_providers.rixin]
name = "Rixin"
base_url = "{url}/v1"
env_key = "RIXIN_API_KEY"
wire_api = "responses"
"""


@pytest.mark.parametrize("model", ["unheard-of", "gpt-5.5", "gpt-6.1-sol"])
async def test_codex_runs_a_tool(
    model: str,
    program: Callable[[str], str],
    in_front_of: Callable[[ToolUser], Server],
    rules: Rules | None,
    run_agent: Run,
    nonce: Callable[[], Nonce],
    tmp_path: Path,
) -> None:
    """Each of its three tool shapes: the tool ran, and the last words hold what it printed."""
    codex = program("codex")
    async with ToolUser(model, rules=rules) as upstream:
        server = in_front_of(upstream)
        (tmp_path / "home" / "config.toml").write_text(CONFIG.format(model=model, url=server.url), encoding="utf-8")
        secret = nonce()
        ran = await run_agent(
            [codex, "exec", "--skip-git-repo-check", f"What is in {secret.path} ?"],
            {"CODEX_HOME": str(tmp_path / "home"), "RIXIN_API_KEY": server.key},
        )
    assert ran.code == 0, ran.err
    assert FOUND in ran.out
    assert secret.word in ran.out.rpartition(FOUND)[2]
