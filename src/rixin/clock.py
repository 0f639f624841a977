"""The one home of time and randomness.

Rooms that decide (limits, routing, accounts) take instants as arguments or a `Clock` in their constructor, so that a
test can own time; `core`, `dialects` and `profiles` may not import this at all.
"""

import ctypes
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Time, as a room sees it."""

    def now(self) -> float:
        """Seconds since the epoch; jumps when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some instant; never jumps."""
        ...


class SystemClock:
    """The machine's own time."""

    # The functions themselves and no methods that call them: every request asks some twenty times.
    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def machine() -> str:
    """Names this machine since it was started: processes with the same name have the same monotonic clock.

    Where the system tells no such name, each call makes one up.
    """
    if sys.platform == "linux":
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            pass  # a sandbox without it
    elif sys.platform == "darwin":
        name = ctypes.create_string_buffer(64)
        size = ctypes.c_size_t(len(name))
        if not ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", name, ctypes.byref(size), None, 0):
            return name.value.decode("ascii")
    return random_text(16)


def uuid7(now: float) -> str:
    """A UUID version 7 (RFC 9562): sortable by the instant `now` (seconds since the epoch), otherwise random."""
    value = int.from_bytes(os.urandom(10), "big") | int(now * 1000) << 80
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def random_bytes(count: int) -> bytes:
    """Bytes fit for secrets."""
    return secrets.token_bytes(count)


def random_text(count: int) -> str:
    """Text of letters, digits, `-` and `_` from `count` random bytes, fit for secrets."""
    return secrets.token_urlsafe(count)


def jitter(seconds: float, share: float = 0.25) -> float:
    """`seconds` lengthened by a random part of itself, at most `share`; for waits that many would end together."""
    return seconds * (1 + share * secrets.randbelow(1000) / 1000)


def uniform() -> float:
    """A number from 0 up to but not including 1, each as likely as any other."""
    return secrets.randbelow(2**53) / 2**53
