"""How the engine of one local model is started, as the fleet needs to know it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from rixin.engines.process import Failed, Loading
from rixin.engines.process_pipes import Program
from rixin.settings import LocalModel


class ReadyModel(Protocol):
    """What an engine says when it answers. Lengths are tokens."""

    @property
    def context_length(self) -> int: ...  # noqa: D102 - as `EnsuredModel` has them
    @property
    def pool(self) -> int: ...  # noqa: D102 - as `EnsuredModel` has them
    @property
    def max_output_length(self) -> int: ...  # noqa: D102 - as `EnsuredModel` has them
    @property
    def slots(self) -> int: ...  # noqa: D102 - as `EnsuredModel` has them
    @property
    def vision(self) -> bool: ...  # noqa: D102 - as `EnsuredModel` has them


class Launcher(Struct, frozen=True):
    """How the fleet starts an engine."""

    program: Callable[[LocalModel, Path], Program]
    """From a model, with the path of its file, and the socket on which it shall answer. Raises RixinError where the
    model's settings cannot be used."""
    decode: Callable[[bytes], Loading | Failed | ReadyModel]
    """Reads a line of its stdout, or of the embedder's. Raises `msgspec.DecodeError` for what is no status."""
    embedder: Callable[[Path], Program] | None = None
    """From the socket on which the embedder shall answer; None where there is none."""
