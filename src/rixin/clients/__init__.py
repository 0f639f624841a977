"""Setting agents up: their configuration, and the skills that teach them."""
