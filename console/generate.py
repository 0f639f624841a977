"""Writes what the console takes from the program itself: the description of the admin API, which its types are made of,
and the English of what the API says by codes.

`python console/generate.py` writes it, `--check` only tells whether it is stale (exit code 1).
"""

import json
import re
import sys
from pathlib import Path

from rixin.profiles.phrases import PHRASES
from rixin.web.admin.app import make_api

HERE = Path(__file__).parent
PLACE = re.compile(r"\{(\w+)\}")


def document() -> object:
    """The description of the admin API, but for the version of the program."""
    document = make_api("rixin").openapi()
    document["info"]["version"] = "1"
    return document


def phrases() -> object:
    """What the API says by codes, with places as the console's texts have them."""
    return {code: PLACE.sub(r"{{\1}}", english) for code, english in PHRASES.items()}


WRITTEN = {HERE / "openapi.json": document, HERE / "src" / "i18n" / "en" / "explanations.json": phrases}


def main() -> int:
    """Writes the files or checks them; the exit code."""
    stale = 0
    for path, make in WRITTEN.items():
        fresh = json.dumps(make(), indent=1, sort_keys=True) + "\n"
        if path.is_file() and path.read_text(encoding="utf-8") == fresh:
            continue
        name = path.relative_to(HERE.parent)
        if "--check" in sys.argv[1:]:
            sys.stdout.write(f"{name} is stale; run: make docs\n")
            stale = 1
            continue
        path.write_text(fresh, encoding="utf-8")
        sys.stdout.write(f"{name} written\n")
    return stale


if __name__ == "__main__":
    sys.exit(main())
