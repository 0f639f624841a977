"""What a model thought before it called tools, found again by its calls.

Many clients send calls back without the thoughts that led to them, and some providers refuse such a history. The memory
is one process's own: another worker does not find the thought, and then the profile's placeholder stands in for it.
"""

import re
from collections import OrderedDict
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from rixin.clock import Clock
from rixin.core.messages import ReasoningPart, ToolCall

MAX_AGE = 6 * 3600.0
"""Seconds after which a thought is forgotten."""
MAX_BYTES = 64 * 2**20
"""What all owners' thoughts may take together."""
MAX_OWNER_BYTES = 8 * 2**20
"""What one owner's may take."""

_OVERHEAD = 400
"""Bytes that an entry takes beside its text."""
_CHANGED_BY_CLIENTS = re.compile(r"[^0-9A-Za-z]")
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder(order="sorted")


class _Entry(Struct, frozen=True):
    thought: ReasoningPart
    size: int
    expires_at: float


class CallMemory:
    """Thoughts by the calls that they led to, least recently used ones forgotten first.

    A call is known by its id without what clients take out of ids (OpenClaw strips `_`), together with its name and
    arguments, because some models count their calls from zero in every conversation.

    Args:
        clock: Time.
        max_bytes: What all owners' thoughts may take together.
        max_owner_bytes: What one owner's may take.
    """

    def __init__(self, clock: Clock, *, max_bytes: int = MAX_BYTES, max_owner_bytes: int = MAX_OWNER_BYTES) -> None:
        self.size = 0
        """Bytes that are taken, about."""
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_owner_bytes = max_owner_bytes
        self._owners: OrderedDict[str, _Shelf] = OrderedDict()

    def keep(self, owner: str, calls: list[ToolCall], thought: ReasoningPart) -> None:
        """Remembers what was thought before some calls of one turn."""
        size = 2 * len(thought.text) + len(thought.signature or "") + _OVERHEAD
        if size > self._max_owner_bytes:
            return
        shelf = self._owners.setdefault(owner, _Shelf())
        self._owners.move_to_end(owner)
        expires_at = self._clock.monotonic() + MAX_AGE
        for call in calls:
            # Calls of one turn share their text; it is counted with the first of them.
            self.size += shelf.put(_key(call), _Entry(thought, size if call is calls[0] else _OVERHEAD, expires_at))
        while shelf.size > self._max_owner_bytes:
            self.size -= shelf.drop_oldest()
        while self.size > self._max_bytes:
            name, oldest = next(iter(self._owners.items()))
            self.size -= oldest.drop_oldest()
            if not oldest.entries:
                del self._owners[name]

    def recall(self, owner: str, call: ToolCall) -> ReasoningPart | None:
        """What an owner's model thought before a call; None where that is not known any more."""
        shelf, key = self._owners.get(owner), _key(call)
        entry = None if shelf is None else shelf.entries.get(key)
        if shelf is None or entry is None:
            return None
        if entry.expires_at <= self._clock.monotonic():
            self.size -= shelf.drop(key)
            if not shelf.entries:
                del self._owners[owner]
            return None
        shelf.entries.move_to_end(key)
        self._owners.move_to_end(owner)
        return entry.thought


class _Shelf:
    """The entries of one owner, the least recently used first."""

    def __init__(self) -> None:
        self.size = 0
        self.entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def put(self, key: bytes, entry: _Entry) -> int:
        """Adds an entry, and tells how many bytes more are taken."""
        grown = entry.size - self.drop(key)
        self.entries[key] = entry
        self.size += entry.size
        return grown

    def drop(self, key: bytes) -> int:
        """Removes an entry, and tells how many bytes it took."""
        entry = self.entries.pop(key, None)
        if entry is None:
            return 0
        self.size -= entry.size
        return entry.size

    def drop_oldest(self) -> int:
        return self.drop(next(iter(self.entries)))


def _key(call: ToolCall) -> bytes:
    parts = (_CHANGED_BY_CLIENTS.sub("", call.id), call.name, _canonical(call.arguments))
    return blake2b(_ENCODER.encode(parts), digest_size=16).digest()


def _canonical(arguments: str) -> str:
    """Arguments as they are compared: clients parse them and write them anew."""
    if not arguments.strip():
        return "{}"
    try:
        return _ENCODER.encode(_DECODER.decode(arguments)).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return arguments
