"""Writes `console/openapi.json`, which the console's API types are made of, from the admin API itself.

`python console/generate.py` writes it, `--check` only tells whether it is stale (exit code 1).
"""

import json
import sys
from pathlib import Path

from rixin.web.admin.app import make_api

DOCUMENT = Path(__file__).parent / "openapi.json"


def text() -> str:
    """The description of the admin API, but for the version of the program."""
    document = make_api("rixin").openapi()
    document["info"]["version"] = "1"
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Writes the document or checks it; the exit code."""
    fresh = text()
    if DOCUMENT.is_file() and DOCUMENT.read_text(encoding="utf-8") == fresh:
        return 0
    if "--check" in sys.argv[1:]:
        sys.stdout.write("console/openapi.json is stale; run: make docs\n")
        return 1
    DOCUMENT.write_text(fresh, encoding="utf-8")
    sys.stdout.write("console/openapi.json written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
