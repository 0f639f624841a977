"""What a worker and the embedder say to each other over HTTP: `POST /v1/embed`, a `Texts` to a `Vectors`."""

from msgspec import Struct

from rixin.core.requests import TextKind

EMBED_PATH = "/v1/embed"
WINDOW = 512
"""Tokens that the model reads at a time."""
MAX_TOKENS = 8192
"""Tokens of one text. What is longer than a window is read in several, whose vectors are averaged by their lengths."""
DIMENSIONS = 384
MEMORY = 200 * 2**20
"""Bytes that the embedder takes: 72 MiB of weights, and what it computes with."""


class Texts(Struct, frozen=True, kw_only=True):
    """What is asked."""

    texts: tuple[str, ...]
    kind: TextKind
    most_tokens: int = MAX_TOKENS
    """Tokens that each text may have."""
    key: str = ""
    """Who asks; the queue takes turns between them."""


class Vectors(Struct, frozen=True, kw_only=True):
    """What is answered."""

    vectors: bytes
    """Of one text after the other, each `DIMENSIONS` little-endian 32-bit floats of length 1."""
    tokens: int
    """Of all texts, with what the model puts around each."""
