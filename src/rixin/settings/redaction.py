"""The settings as they may be shown: without secrets."""

import re
from typing import Any

import msgspec

from rixin.settings.reading import path_to_text
from rixin.settings.tables import Settings

HIDDEN = "***"
_SECRETS = frozenset(
    {
        *("secret_key", "api_keys", "headers", "extra_headers", "access_key_id", "secret_access_key", "token"),
        "client_secret",
    }
)
_PASSWORD = re.compile(r"(?<=://)([^/@\s]*):[^/@\s]*@")


def redacted(settings: Settings) -> dict[str, Any]:
    """The settings as a tree that JSON can hold, without secrets."""
    tree: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=path_to_text)
    return {name: _redacted(name, value) for name, value in tree.items()}


def without_password(text: str) -> str:
    """A URL without the password that may be in it."""
    return _PASSWORD.sub(rf"\1:{HIDDEN}@", text)


def _redacted(name: str, value: Any) -> Any:  # noqa: ANN401 - a tree of JSON
    if isinstance(value, dict):
        tree: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] - as above
        return {key: _redacted(name if name in _SECRETS else key, item) for key, item in tree.items()}
    if isinstance(value, list | tuple):
        items: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType] - as above
        return [_redacted(name, item) for item in items]
    if name in _SECRETS and value is not None:
        return HIDDEN
    return without_password(value) if isinstance(value, str) else value
