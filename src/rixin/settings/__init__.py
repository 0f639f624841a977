"""Everything that can be set, in one frozen struct that is read once.

Sources, later ones winning: defaults here, `rixin.toml`, `RIXIN_*` variables (nesting by `__`, `*_FILE` reads a file),
flags. A string may hold `${VAR}` or `${VAR:-default}`.
"""

from rixin.settings.checks import check_provider
from rixin.settings.reading import CONFIG_NAME, config_file, load, path_from_text, path_to_text
from rixin.settings.tables import (
    DEFAULT_MODEL,
    DEFAULT_OUTPUT,
    DEFAULT_WINDOW,
    EMBEDDER,
    LOCAL,
    LOOPBACK_HOSTS,
    REPLAY,
    Engine,
    Files,
    LocalModel,
    Media,
    ModelOverride,
    ModelPrice,
    Moderation,
    Plan,
    PlanLimit,
    Provider,
    RouteTarget,
    Server,
    Settings,
    UsageKeeping,
)

__all__ = [
    "CONFIG_NAME",
    "DEFAULT_MODEL",
    "DEFAULT_OUTPUT",
    "DEFAULT_WINDOW",
    "EMBEDDER",
    "LOCAL",
    "LOOPBACK_HOSTS",
    "REPLAY",
    "Engine",
    "Files",
    "LocalModel",
    "Media",
    "ModelOverride",
    "ModelPrice",
    "Moderation",
    "Plan",
    "PlanLimit",
    "Provider",
    "RouteTarget",
    "Server",
    "Settings",
    "UsageKeeping",
    "check_provider",
    "config_file",
    "load",
    "path_from_text",
    "path_to_text",
]
