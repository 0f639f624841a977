"""Encryption at rest, with a key for each purpose that is derived from the root secret."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rixin.accounts.root_secret import RootSecret
from rixin.clock import random_bytes
from rixin.errors import Kind, RixinError

_VERSION = b"\x01"
_NONCE = 12
"""Random bytes; AES-GCM keeps its promise for 2**32 of them under one key."""


class SealedBox:
    """Seals values and opens them again (AES-256-GCM).

    What is sealed begins with its version and the root secret's id, so that it can be told which secret opens it.

    Args:
        root_secret: Of the server.
        purpose: What the values are; a box of another purpose does not open them.
    """

    def __init__(self, root_secret: RootSecret, purpose: str) -> None:
        self._cipher = AESGCM(root_secret.derive(purpose))
        self.head = _VERSION + bytes.fromhex(root_secret.key_id)
        """How everything begins that it seals."""

    def seal(self, value: bytes, owner: str) -> bytes:
        """The sealed value. Only who names the same `owner`, such as the row that holds it, can open it."""
        nonce = random_bytes(_NONCE)
        return self.head + nonce + self._cipher.encrypt(nonce, value, self.head + owner.encode())

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The value.

        Raises:
            RixinError: `INTERNAL` when it was sealed with another secret or for another owner, or was changed since.
        """
        head, rest = sealed[: len(self.head)], sealed[len(self.head) :]
        try:
            if head != self.head:
                raise InvalidTag
            return self._cipher.decrypt(rest[:_NONCE], rest[_NONCE:], head + owner.encode())
        except (InvalidTag, ValueError):
            raise RixinError(
                Kind.INTERNAL,
                "Something that the server keeps encrypted cannot be opened: it was sealed with another root secret, "
                "or changed since.",
            ) from None
