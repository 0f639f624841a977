"""Reads the settings: a file, then variables, then flags."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from rixin.errors import Kind, RixinError
from rixin.settings.checks import check
from rixin.settings.tables import TABLES, Settings

CONFIG_NAME = "rixin.toml"
PREFIX = "RIXIN_"

SINGLE = frozenset(field.name for field in msgspec.structs.fields(Settings) if field.type in TABLES)
"""The tables that hold single settings, such as `server`; the others are lists and maps."""

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_STANDALONE = frozenset({"SECRET_KEY", "BASE_URL", "API_KEY", "ADMIN_KEY"})
"""Variables that are not settings of the server: the last three tell its clients which server to speak to, and how."""
_OF_TESTS = "TEST_"
"""How the names of those begin that tell our tests how to run."""
_LISTS = frozenset(
    {
        ("server", "cors_origins"),
        ("server", "trusted_proxies"),
        ("media", "private_hosts"),
        ("media", "ports"),
        ("oidc", "scopes"),
        ("oidc", "allowed_domains"),
        ("oidc", "allowed_emails"),
    }
)
"""Settings that a variable gives as texts between commas."""
_LEVELS = {"trace": "debug", "notice": "info", "warn": "warning", "critical": "error", "fatal": "error"}
"""What other programs call the log levels."""
_UNKNOWN_FIELD = re.compile(r"unknown field `(.+?)`")
_PLACE = re.compile(r"at `\$\.([\w.]+)`")


def config_file(config: Path | None) -> Path | None:
    """The file that `load` reads: the one that was named, else `rixin.toml` in the working directory if it exists."""
    return config or (Path(CONFIG_NAME) if Path(CONFIG_NAME).is_file() else None)


def load(
    config: Path | None = None, *, environ: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
) -> Settings:
    """Reads the settings.

    Args:
        config: The file; `rixin.toml` in the working directory is taken when it exists and none is named.
        environ: The environment; the process's own unless given.
        flags: Values that win over all, by dotted name (`server.port`); None values are passed over.

    Raises:
        RixinError: `CONFIGURATION`, naming the file or variable and the setting.
    """
    environ = os.environ if environ is None else environ
    path = config_file(config)
    tree: dict[str, Any] = {}
    if path is not None:
        tree = _read_file(path)
    tree = _expand(tree, environ)
    variables = _from_environment(environ)
    for variable, name, value in variables:
        _put(tree, name, value, variable)
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(tree, dotted.split("."), value, dotted)
    try:
        settings = msgspec.convert(tree, Settings, strict=False, dec_hook=path_from_text)
    except msgspec.ValidationError as error:
        names = {".".join(name): variable for variable, name, _ in variables}
        raise _configuration_error(str(error), path, names) from None
    check(settings)
    return settings


class Origin(Struct, frozen=True):
    """Where a setting comes from that is not its default."""

    source: Literal["file", "environment"]
    name: str
    """The file's path, or the variable's name."""


def origins(config: Path | None, *, environ: Mapping[str, str]) -> dict[str, Origin]:
    """Where settings come from that are not their defaults.

    Args:
        config: The file that is read; None, or one that is not there, gives none.
        environ: The environment.

    Returns:
        By name: `server.port` for one of a table of single settings, `providers` for a whole list or map of them.

    Raises:
        RixinError: `CONFIGURATION` for a file or variable that cannot be read.
    """
    found: dict[str, Origin] = {}
    tree = _read_file(config) if config is not None and config.is_file() else {}
    for table, value in tree.items():
        names: list[str] = [f"{table}.{name}" for name in value] if table in SINGLE else [table]
        found |= dict.fromkeys(names, Origin("file", str(config)))
    for variable, path, _ in _from_environment(environ):
        found[".".join(path[:2]) if path[0] in SINGLE else path[0]] = Origin("environment", variable)
    return found


def path_from_text(wanted: type, value: object) -> Path:
    """The `dec_hook` with which msgspec reads the settings' paths; `~` is the user's home."""
    if wanted is Path and isinstance(value, str):
        return Path(value).expanduser()
    raise TypeError(f"Expected `{wanted.__name__}`, got `{type(value).__name__}`")


def path_to_text(value: object) -> str:
    """The `enc_hook` with which msgspec writes the settings' paths."""
    if isinstance(value, Path):
        return str(value)
    # What msgspec wants of a hook that is given a type it does not know.
    raise NotImplementedError(f"settings hold no {type(value).__name__}")


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RixinError(Kind.CONFIGURATION, f"{path} is not valid TOML: {error}") from None


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, list[str], str | list[str]]]:
    """The settings that variables give: each one's name, the setting's and the value.

    `LOG_LEVEL`, which many programs share, gives way to `RIXIN_LOG_LEVEL`.
    """
    found: list[tuple[str, list[str], str]] = []
    if level := environ.get("LOG_LEVEL", "").lower():
        found.append(("LOG_LEVEL", ["server", "log_level"], _LEVELS.get(level, level)))
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable.startswith(PREFIX + _OF_TESTS):
            continue
        name, text = variable.removeprefix(PREFIX), value
        if name.endswith("_FILE"):
            name = name.removesuffix("_FILE")
            try:
                text = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise RixinError(Kind.CONFIGURATION, f"{variable}: cannot read {value}: {error.strerror}") from None
        if name == "SECRET_KEY":
            found.append((variable, ["secret_key"], text))
        elif "__" in name:
            found.append((variable, name.lower().split("__"), text))
        elif name not in _STANDALONE:
            found.append((variable, ["server", name.lower()], text))
    return [(variable, path, text.split(",") if tuple(path) in _LISTS else text) for variable, path, text in found]


def _put(tree: dict[str, Any], path: list[str], value: object, source: str) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
        if not isinstance(tree, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - a file may hold anything there
            raise RixinError(Kind.CONFIGURATION, f"{source}: `{step}` is no table of settings")
    tree[path[-1]] = value


def _expand(value: Any, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - a TOML tree
    if isinstance(value, str):
        return _REFERENCE.sub(lambda match: _reference(match, environ), value)
    if isinstance(value, list):
        return [_expand(item, environ) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return {key: _expand(item, environ) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return value


def _reference(match: re.Match[str], environ: Mapping[str, str]) -> str:
    default: str | None = match.group(2)
    name = match.group(1)
    value = environ.get(name, default)
    if value is None:
        raise RixinError(Kind.CONFIGURATION, f"the variable {name} that the configuration refers to is not set")
    return value


def _names(table: str) -> list[str]:
    """The settings that a table has; those of all tables where it is none of a single kind."""
    kind = next((field.type for field in msgspec.structs.fields(Settings) if field.name == table), None)
    tables = [kind] if kind in TABLES else [*TABLES, Settings]
    return sorted({name for part in tables for name in part.__struct_fields__})


def _configuration_error(message: str, path: Path | None, variables: Mapping[str, str]) -> RixinError:
    """The error for what msgspec says; `variables` are those that gave settings, by the dotted names of these."""
    unknown, place = _UNKNOWN_FIELD.search(message), _PLACE.search(message)
    setting = ".".join(found.group(1) for found in (place, unknown) if found)
    if unknown:
        near = difflib.get_close_matches(unknown.group(1), _names(place.group(1) if place else ""), n=1)
        message += f"; did you mean `{near[0]}`?" if near else ""
    return RixinError(Kind.CONFIGURATION, f"{variables.get(setting) or path or 'the settings'}: {message}")
