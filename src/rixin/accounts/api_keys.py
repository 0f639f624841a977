"""API keys: one secret text each."""

from msgspec import Struct

from rixin.clock import random_text

SECRET_PREFIX = "sk-rx-"  # noqa: S105 - what every key begins with
SECRET_BYTES = 32
SHOWN_LENGTH = len(SECRET_PREFIX) + 4
"""Characters of a key that are kept, so that its owner knows it again."""


class CreatedKey(Struct, frozen=True, kw_only=True):
    """A new key. The secret can be seen here, and never again."""

    id: str
    key: str

    def __repr__(self) -> str:
        return f"CreatedKey(id={self.id!r})"


def new_secret() -> str:
    """A secret for a key: `sk-rx-` and 256 random bits."""
    return SECRET_PREFIX + random_text(SECRET_BYTES)
