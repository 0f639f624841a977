"""What is asked of a Redis: nothing that Valkey, or any server of its protocol, does not have."""

import re
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

from rixin.clock import SystemClock
from rixin.limits.base import Cost, Limit
from rixin.limits.redis_counters import RedisCounters
from rixin.limits.shared import SharedLimiter
from tests.support.redis import RedisServer

ALLOWED = frozenset({
    "CLIENT", "DEL", "EVALSHA", "EXEC", "GET", "HGET", "HMGET", "HSET", "HSETNX", "MULTI", "SCRIPT", "SELECT", "SET",
    "TIME", "ZADD", "ZRANGEBYSCORE", "ZREM",
})  # fmt: skip
"""Commands of Redis 7.2, from which Valkey goes on; `CLIENT SETINFO` is what the library says of itself."""
_COMMAND = re.compile(r'^\+\d+\.\d+ \[[^]]*\] "(\w+)"', re.MULTILINE)


@contextmanager
def overheard(redis: RedisServer) -> Generator[list[str]]:
    """The commands that a server is given meanwhile; those of scripts too."""
    heard: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.connect(redis.url.removeprefix("unix://"))
        listener.sendall(b"MONITOR\r\n")
        assert listener.recv(64) == b"+OK\r\n"
        text: list[bytes] = []

        def listen() -> None:
            while data := listener.recv(65536):
                text.append(data)

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listening.join(10)
    heard += [command.upper() for command in _COMMAND.findall(b"".join(text).decode())]


async def test_only_commands_of_the_common_protocol_are_used(redis: RedisServer) -> None:
    """For everything that a limiter does: admitting, settling, refusing, looking, sweeping, leasing."""
    limits = [
        Limit("protocol", "requests", 100, 60.0),
        Limit("protocol", "concurrency", 5),
        Limit("p", "tokens", 10, 9.0),
    ]
    with overheard(redis) as commands:
        counters = RedisCounters(redis.url, SystemClock(), "machine")
        limiter = SharedLimiter(counters, SystemClock())
        reservation = await limiter.acquire(limits, Cost(tokens=3))
        reservation.settle(Cost(tokens=5))
        (await limiter.acquire(limits[:2], Cost())).release()
        await limiter.inspect(limits, Cost())
        await counters.sweep()
        await limiter.aclose()
    assert {"TIME", "EVALSHA", "SET"} <= set(commands)
    assert set(commands) <= ALLOWED
