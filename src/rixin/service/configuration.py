"""What is set on a server and where it comes from, as its operators are shown it."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from rixin.errors import RixinError
from rixin.settings import SINGLE, Origin, Settings, load, origins, redacted

Source: TypeAlias = Literal["default", "file", "environment", "flag"]

LIVE: Final = frozenset({"providers", "aliases", "routes"})
"""What counts as soon as the configuration file says it."""
_FLAGS: Final = frozenset(
    {"models", "providers", "routes"}
    | {f"server.{name}" for name in ("host", "port", "workers", "log_level", "log_format", "record_dir", "data_dir")}
)
"""What the command line can say."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting, or a list or map of them."""

    name: str
    """Such as `server.port` or `providers`."""
    value: Any
    """In force, as JSON, without secrets."""
    source: Source
    origin: str | None
    """The path of the file, or the name of the variable."""
    restart: bool
    """Whether another value counts from the next start on."""
    pending: bool
    """Whether the file or the environment says another value by now, which the next start will take."""


class Configuration:
    """The settings of a running server.

    Args:
        running: Those that it was started with.
        current: The same, with what counts without a restart.
        file: Where they come from; it need not be there. None where none is read.
        environ: For variables.
        reload: Reads the file again; gives why it does not count, or None.
    """

    def __init__(
        self,
        running: Settings,
        current: Callable[[], Settings],
        file: Path | None,
        environ: Mapping[str, str],
        reload: Callable[[], Awaitable[str | None]],
    ) -> None:
        self._running = running
        self._current = current
        self._environ = environ
        self.file = file
        self.reload = reload

    def told(self) -> list[Setting]:
        """All settings, in the order of the documentation. The file is read; one that is not in order says nothing."""
        running, current = _flat(redacted(self._running)), _flat(redacted(self._current()))
        try:
            file = self.file if self.file is not None and self.file.is_file() else None
            written = _flat(redacted(load(file, environ=self._environ))) if self.file is not None else running
            found = origins(file, environ=self._environ)
        except RixinError:
            written, found = running, origins(None, environ=self._environ)
        return [
            _told(name, current[name] if name in LIVE else value, written[name], found.get(name))
            for name, value in running.items()
        ]


def _told(name: str, value: object, written: object, origin: Origin | None) -> Setting:
    differs = value != written
    flagged = differs and name in _FLAGS
    return Setting(
        name=name,
        value=value,
        source="flag" if flagged else "default" if origin is None else origin.source,
        origin=None if flagged or origin is None else origin.name,
        restart=name not in LIVE,
        pending=differs and not flagged,
    )


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name; lists and maps of them stay whole."""
    flat: dict[str, Any] = {}
    for table, value in tree.items():
        if table in SINGLE:
            flat |= {f"{table}.{name}": item for name, item in value.items()}
        else:
            flat[table] = value
    return flat
