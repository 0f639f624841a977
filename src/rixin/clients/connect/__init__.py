"""Wiring agents to a server: what each needs in its configuration, and how that gets there and away again."""
