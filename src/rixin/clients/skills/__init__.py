"""Skills of agents (https://agentskills.io): found in a source, copied into an agent's folder, watched, removed."""
