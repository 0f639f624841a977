"""Where the build of the web console leaves its files, and whether it has. It imports nothing that is heavy."""

from importlib.resources import files
from typing import Final

PATH: Final = "/console/"
"""Where the console is served."""
BUILT: Final = files("rixin.web") / "static" / "console"
"""What the build leaves."""
PAGE: Final = "index.html"
HOW_TO_BUILD: Final = "The console is not built here. Run `make console` in a checkout; wheels have it built in."


def is_built() -> bool:
    """Whether there is a console to serve."""
    return (BUILT / PAGE).is_file()
