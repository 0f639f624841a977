"""How long a test waits for what should have happened."""

HANG = 60.0
"""Seconds after which it counts as never: many times what anything takes, however busy the machine is."""
