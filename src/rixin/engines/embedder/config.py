"""What the parent tells the embedder first: one line of JSON on stdin."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from rixin.errors import Kind, RixinError
from rixin.settings import path_from_text


class EmbedderConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the model is served. Durations are seconds."""

    socket: Path
    """The Unix socket to answer on; whatever is there is replaced."""
    threads: int = 0
    """Threads that compute; 0 is the number of cores."""
    queue: int = 64
    """Requests that may wait."""
    queue_deadline: float = 60.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"


_DECODER = msgspec.json.Decoder(EmbedderConfig, dec_hook=path_from_text)


def read_config(line: bytes) -> EmbedderConfig:
    """Reads the first line of stdin.

    Raises:
        RixinError: `CONFIGURATION`, naming the field that is wrong.
    """
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError as error:
        raise RixinError(Kind.CONFIGURATION, f"the embedder's configuration is wrong: {error}") from None
