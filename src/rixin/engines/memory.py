"""How much memory there is, and how much a model takes."""

import os
from pathlib import Path

from rixin.engines.gguf import GgufHeader

_FALLBACK = 8 << 30
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container around us, has."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        memory = _FALLBACK  # Windows tells it another way; the budget can be set
    try:
        limit = int(_CGROUP_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return memory
    return min(memory, limit)


def estimate_memory(header: GgufHeader, pool: int, projector_size: int = 0) -> int:
    """Bytes that a loaded model takes.

    That is its weights and buffers, and the keys and values of `pool` tokens twice: of the requests that run, and of
    earlier conversations that may go on.

    Args:
        header: What its file says.
        pool: Tokens that all running requests share.
        projector_size: Bytes of the image projector's file.
    """
    return int((header.size + projector_size) * 1.1) + 2 * pool * token_size(header)


def token_size(header: GgufHeader) -> int:
    """Bytes of the keys and values of a token."""

    def number(name: str) -> int | None:
        value = header.metadata.get(f"{header.architecture}.{name}")
        return value if isinstance(value, int) else None

    heads = number("attention.head_count") or 1
    head_size = (number("embedding_length") or 0) // heads
    elements = (number("attention.key_length") or head_size) + (number("attention.value_length") or head_size)
    return (number("block_count") or 0) * (number("attention.head_count_kv") or heads) * elements * 2
