"""Envelopes: what a client keeps for us between two requests and can neither read nor change.

A model's thoughts, and the summary that a long history was replaced by, travel in the fields that each dialect has for
such things (`encrypted_content`, `signature`, `data`). An envelope is `rx1.` and base64url of the sealed content, which
is bound to the account that it was made for.
"""

import base64
import binascii
import re
import zlib
from enum import Enum
from typing import Protocol, TypeAlias

import msgspec
from msgspec import Struct

from rixin.clock import Clock
from rixin.errors import RixinError

PURPOSE = "reasoning envelopes"
"""The purpose of the key that seals them."""
PREFIX = "rx1."
"""How an envelope of this version begins."""
THOUGHT_AGE = 30 * 86400.0
"""Seconds after which a thought is of no use. Summaries do not age: they are all that is left of a conversation."""

_ANY_VERSION = re.compile(r"rx\d+\.")


class Box(Protocol):
    """Seals values for an owner, and opens them for no other one."""

    def seal(self, value: bytes, owner: str) -> bytes:
        """The sealed value."""
        ...

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The value.

        Raises:
            RixinError: It was changed, or sealed with another key or for another owner.
        """
        ...


class Thought(Struct, frozen=True, kw_only=True, tag="thought"):
    """What a model thought. `signature` is its upstream's own proof of it, and `issuer` that upstream's name."""

    text: str
    made_at: float
    """Seconds since the epoch."""
    signature: str | None = None
    issuer: str | None = None


class Summary(Struct, frozen=True, kw_only=True, tag="summary"):
    """What is left of a conversation that was compacted."""

    text: str
    made_at: float


class Refusal(Enum):
    """Why an envelope is not opened; the value says in `x-rixin-changes` what is dropped."""

    FOREIGN = "foreign"
    """It is none of ours."""
    EXPIRED = "expired"
    BROKEN = "broken"
    """It was changed, was made for another account or with another secret, or is of another version."""


Content: TypeAlias = Thought | Summary

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[Content] = msgspec.msgpack.Decoder(Content)


class Envelopes:
    """Makes and opens envelopes.

    Args:
        box: Seals them.
        clock: Time.
    """

    def __init__(self, box: Box, clock: Clock) -> None:
        self._box = box
        self._clock = clock

    def seal_thought(self, text: str, owner: str, *, signature: str | None = None, issuer: str | None = None) -> str:
        """The envelope of a thought; see `Thought`."""
        return self._seal(Thought(text=text, made_at=self._clock.now(), signature=signature, issuer=issuer), owner)

    def seal_summary(self, text: str, owner: str) -> str:
        """The envelope of a summary."""
        return self._seal(Summary(text=text, made_at=self._clock.now()), owner)

    def open(self, envelope: str, owner: str) -> Content | Refusal:
        """What an envelope holds, or why it stays closed. Never raises: it is a client's text."""
        if not envelope.startswith(PREFIX):
            return Refusal.BROKEN if _ANY_VERSION.match(envelope) else Refusal.FOREIGN
        try:
            sealed = base64.b64decode(envelope[len(PREFIX) :], altchars=b"-_", validate=True)
            content = _DECODER.decode(zlib.decompress(self._box.open(sealed, owner)))
        except (RixinError, ValueError, binascii.Error, zlib.error, msgspec.MsgspecError):
            return Refusal.BROKEN
        if isinstance(content, Thought) and self._clock.now() - content.made_at > THOUGHT_AGE:
            return Refusal.EXPIRED
        return content

    def _seal(self, content: Content, owner: str) -> str:
        # Thoughts are sent back with every later turn: their size counts, and the time to shrink them hardly does.
        sealed = self._box.seal(zlib.compress(_ENCODER.encode(content), 1), owner)
        return PREFIX + base64.urlsafe_b64encode(sealed).decode()
