"""What the supervisor and a web worker tell each other."""

from typing import Literal

import msgspec
from msgspec import Struct

from rixin.settings import Settings, path_from_text, path_to_text


class WorkerConfig(Struct, frozen=True, kw_only=True):
    """The first line of a worker's standard input."""

    settings: Settings
    control_socket: str
    """The path of the socket on which the supervisor answers."""
    config_file: str | None = None
    """The path that the settings come from, looked at for changes; None where the providers stay as they are."""
    listeners: tuple[int, ...]
    """File descriptors of sockets, bound and not yet listening."""
    log_format: Literal["text", "json"] = "json"
    index: int = 0
    first: bool = True
    """Whether it prepares the store, and makes the first key of a new one; the others start when it is ready."""
    show_first_key: bool = False
    """Whether that key, and the set-up token, are told to the supervisor, for a person to read, or else written to
    their files."""


class WorkerReady(Struct, frozen=True, kw_only=True, tag="ready"):
    """The line that a worker writes when it serves."""

    first_key: str | None = None
    setup_token: str | None = None
    providers: tuple[tuple[str, str], ...] = ()
    """Name and address of each provider that is served."""


def encode(config: WorkerConfig) -> bytes:
    """The configuration as one line of JSON, without its line feed."""
    return msgspec.json.encode(config, enc_hook=path_to_text)


def decode(line: bytes) -> WorkerConfig:
    """The configuration that a line holds. Raises `msgspec.ValidationError` for any other line."""
    return msgspec.json.decode(line, type=WorkerConfig, dec_hook=path_from_text)
