"""The forms of configuration files: each reads a text, and edits it without touching what is not concerned."""
