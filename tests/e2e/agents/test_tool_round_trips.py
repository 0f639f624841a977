"""Agents, unmodified, in front of upstreams that speak Chat Completions: their tools run."""

from collections.abc import Callable

import pytest

from tests.e2e.agents.conftest import Ask, Nonce
from tests.e2e.conftest import InFrontOf
from tests.profiles.strict_upstream import Rules
from tests.support.tool_user import FOUND, ToolUser


async def check(ask: Ask, model: str, rules: Rules | None, in_front_of: InFrontOf, nonce: Callable[[], Nonce]) -> None:
    """Lets an agent read a file that was written after the server had started: its last words hold what is in it."""
    async with ToolUser("unheard-of", "gpt-5.5", "gpt-6.1-sol", rules=rules) as upstream:
        server = in_front_of(upstream)
        secret = nonce()
        ran = await ask(server, model, f"What is in {secret.path} ?")
    assert ran.code == 0, ran.out + ran.err
    assert FOUND in ran.out
    assert secret.word in ran.out.rpartition(FOUND)[2]


@pytest.mark.parametrize("model", ["unheard-of", "gpt-5.5", "gpt-6.1-sol"])
async def test_codex_runs_a_tool(
    model: str, codex: Ask, rules: Rules | None, in_front_of: InFrontOf, nonce: Callable[[], Nonce]
) -> None:
    """In each of its three shapes of tools, which it chooses by the model's name."""
    await check(codex, model, rules, in_front_of, nonce)


@pytest.mark.parametrize("model", ["unheard-of", "claude-sonnet-4-5"])
async def test_claude_code_runs_a_tool(
    model: str, claude: Ask, rules: Rules | None, in_front_of: InFrontOf, nonce: Callable[[], Nonce]
) -> None:
    """By a name of the upstream's, and by one of its own that stands for it."""
    await check(claude, model, rules, in_front_of, nonce)


@pytest.mark.parametrize("model", ["unheard-of", "gemini-2.5-pro"])
async def test_g1_gemini_cli_runs_a_tool(
    model: str, gemini: Ask, rules: Rules | None, in_front_of: InFrontOf, nonce: Callable[[], Nonce]
) -> None:
    """By a name of the upstream's, and by one of its own that stands for it."""
    await check(gemini, model, rules, in_front_of, nonce)
