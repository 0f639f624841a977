"""What a server's processes hold open."""

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

import msgspec

from bench.processes import tree
from bench.targets import request

_TASKS = re.compile(rb"^rixin_tasks (\S+)$", re.MULTILINE)


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What is open. Connections to the upstream that wait for the next request are told apart: they may stay."""

    descriptors: int
    """Of all kinds, but for connections to the upstream."""
    sockets: int
    """Of these, sockets."""
    upstream: int
    """Connections to the upstream."""
    tasks: int
    """Of the workers' event loops."""

    def at_most(self, other: "Counts") -> bool:
        """Whether nothing is more than there, connections to the upstream aside."""
        return self.descriptors <= other.descriptors and self.sockets <= other.sockets and self.tasks <= other.tasks


def count(pid: int, port: int, upstream_port: int) -> Counts:
    """What a server and all its processes hold open.

    Args:
        pid: Of its first process.
        port: Where it tells its metrics.
        upstream_port: Of the upstream.
    """
    status, metrics = request(port, "GET", "/metrics")
    if status != 200 or (tasks := _TASKS.search(metrics)) is None:
        raise RuntimeError(f"/metrics was answered with status {status} and tells no tasks")
    links = [link for each in tree(pid) for link in _links(each)]
    sockets = [link for link in links if link.startswith("socket:")]
    to_upstream = _connections_to(upstream_port)
    upstream = sum(link in to_upstream for link in sockets)
    return Counts(
        descriptors=len(links) - upstream,
        sockets=len(sockets) - upstream,
        upstream=upstream,
        tasks=int(float(tasks[1])),
    )


def _links(pid: int) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                yield str(entry.readlink())


def _connections_to(port: int) -> set[str]:
    """The sockets of this machine that are connected to a port, as links in `/proc` name them."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return {f"socket:[{row[9]}]" for row in rows if int(row[2].rsplit(":", 1)[1], 16) == port}
