"""Passwords: what they must be, and their hashes (Argon2id, RFC 9106), which are worked out away from the event loop.

Importing this takes a while (argon2-cffi), so nothing does before somebody has to do with passwords.
"""

import asyncio
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from rixin.clock import random_text
from rixin.errors import invalid

SHORTEST = 12
LONGEST = 1000
"""Characters."""
AT_A_TIME = 2
"""Hashes that are worked out at a time: each takes 64 MiB."""


def check_password(password: str, *, email: str = "") -> None:
    """Raises `INVALID_REQUEST` unless it can be somebody's password."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise invalid(f"password must be {SHORTEST} to {LONGEST} characters long", "password")
    if len(set(password)) <= 2 or password.lower() == email:
        raise invalid("password must not be the e-mail address, nor one character again and again", "password")


class Passwords:
    """Makes and checks hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._turn = asyncio.Semaphore(AT_A_TIME)
        self._nobodys = self._hasher.hash(random_text(16))

    async def hash(self, password: str) -> str:
        """The hash of a password, with its salt and parameters."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _plain(password))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether a hash was made of this password. Takes as long where there is no hash, and is False then."""
        async with self._turn:
            return await asyncio.to_thread(self._fits, _plain(password), kept or self._nobodys) and kept is not None

    def is_old(self, kept: str) -> bool:
        """Whether a hash was made with other parameters than are used today."""
        return self._hasher.check_needs_rehash(kept)

    def _fits(self, password: str, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False


def _plain(password: str) -> str:
    """The password as everybody types it: keyboards write the same letters in different code points."""
    return unicodedata.normalize("NFKC", password)
