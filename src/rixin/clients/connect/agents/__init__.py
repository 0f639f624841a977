"""The agents that can be wired, by name."""

from rixin.clients.connect.agent import Agent
from rixin.clients.connect.agents import claude, codex, hermes, openclaw, opencode

AGENTS: dict[str, Agent] = {module.AGENT.name: module.AGENT for module in (codex, claude, opencode, openclaw, hermes)}
"""In the order of the help text."""
