"""What the documentation says of the limits."""

import re
from pathlib import Path

from rixin.server.limits import Limits

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"


def test_the_documented_limits_are_those() -> None:
    """Each figure of the table is the one that counts."""
    table = PAGE.read_text(encoding="utf-8").partition("### What clients may do")[2].partition("## Kubernetes")[0]
    limits = Limits()
    figures = {
        "head of a request": [limits.head_bytes // 1024, limits.fields, limits.head_timeout],
        "its target": [limits.target_bytes // 1024],
        "between two requests": [limits.idle],
        "before the first is answered": [limits.ahead + 1],
    }
    for row, expected in figures.items():
        (line,) = [line for line in table.splitlines() if row in line]
        assert [int(number) for number in re.findall(r"\d+", line.split("|")[2])] == expected
