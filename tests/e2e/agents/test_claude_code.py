"""Claude Code, unmodified, in front of upstreams that speak Chat Completions."""

from collections.abc import Callable

import pytest

from tests.e2e.agents.conftest import Nonce, Run
from tests.profiles.strict_upstream import Rules
from tests.support.server import Server
from tests.support.tool_user import FOUND, ToolUser

QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "IS_SANDBOX": "1",
}


@pytest.mark.parametrize("model", ["unheard-of", "claude-sonnet-4-5"])
async def test_claude_code_runs_a_tool(
    model: str,
    program: Callable[[str], str],
    in_front_of: Callable[[ToolUser], Server],
    rules: Rules | None,
    run_agent: Run,
    nonce: Callable[[], Nonce],
) -> None:
    """By a name of the upstream's, and by one of its own that stands for it."""
    claude = program("claude")
    async with ToolUser("unheard-of", rules=rules) as upstream:
        server = in_front_of(upstream)
        secret = nonce()
        ran = await run_agent(
            [claude, "-p", "--dangerously-skip-permissions", f"What is in {secret.path} ?"],
            {
                **QUIET,
                "ANTHROPIC_BASE_URL": server.url,
                "ANTHROPIC_AUTH_TOKEN": server.key,
                "ANTHROPIC_MODEL": model,
            },
        )
    assert ran.code == 0, ran.out + ran.err
    assert FOUND in ran.out
    assert secret.word in ran.out.rpartition(FOUND)[2]
