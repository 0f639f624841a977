"""What operators see of a server: its metrics, and the traces of its requests."""
