"""Writes the bill of materials of a Rixin wheel: its lock's packages and their hashes, as CycloneDX 1.6.

`python deploy/sbom.py [FILE]` writes to a file, else to the standard output. The same lock gives the same document.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rixin import __version__

LOCK = Path(__file__).parents[1] / "requirements" / "rixin.txt"
_PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def document(lock: str) -> dict[str, Any]:
    """The bill of materials of a lock's text."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _component("rixin", __version__) | {"type": "application"}},
        "components": list(_components(lock)),
    }


def _components(lock: str) -> Iterator[dict[str, Any]]:
    pinned = list(_PINNED.finditer(lock))
    for package, following in zip(pinned, [*pinned[1:], None], strict=True):
        hashes = _HASH.findall(lock[package.end() : following.start() if following else len(lock)])
        # A package is any one of its files, by the machine that it is installed on.
        files = [{"type": "distribution", "url": _purl(package[1], package[2]), "hashes": [_digest(h)]} for h in hashes]
        yield _component(package[1], package[2]) | {"externalReferences": files}


def _component(name: str, version: str) -> dict[str, Any]:
    purl = _purl(name, version)
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version.replace('+', '%2B')}"


def _digest(text: str) -> dict[str, str]:
    return {"alg": "SHA-256", "content": text}


def main() -> None:
    """Writes it."""
    text = json.dumps(document(LOCK.read_text(encoding="utf-8")), indent=1) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
