"""What the build of the wheel does by itself: it has the console built, and never leaves it out in silence."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "src/rixin/web/static/console/index.html"
BUILDER = "console/build.py"
STALE = "the console in this wheel is older than its sources: {why}"
MISSING = "THIS WHEEL HAS NO CONSOLE, and serves the API alone: {why}"


class ConsoleHook(BuildHookInterface[Any]):
    """Where the console's sources are, builds them unless what is built is of them; packs what there is.

    Not for an editable installation: there the checkout's own console is served, which `make console` builds.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling passes it
        """As hatchling calls it."""
        if version == "editable":
            return
        why = self._build()
        if not Path(self.root, PAGE).is_file():
            self.app.display_warning(MISSING.format(why=why or "its sources are not here"))
        elif why is not None:
            self.app.display_warning(STALE.format(why=why))

    def _build(self) -> str | None:
        """Has the console built where it must be. Returns why that cannot be done."""
        path = Path(self.root, BUILDER)
        if not path.is_file():
            return None
        builder = runpy.run_path(str(path))
        if builder["is_current"]():
            return None
        if builder["node_folder"]() is None:
            return builder["NO_NODE"]
        builder["main"]()
        return None
