"""Golden cases: a folder is a case.

`request.json` is what a client asks, `events.json` what it is answered; `client.sse`, `client.json` and `response.json`
are how it is told: as events, as an array, and whole.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from rixin.core import events as core_events
from rixin.core.events import Event
from rixin.core.requests import Generate
from rixin.core.responses import collect
from rixin.core.usage import Usage
from rixin.dialects.gemini import DIALECT
from tests.dialects.gemini.asking import parse
from tests.dialects.support import STAMP

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/events.json"))
FORMS = {"sse": "client.sse", "json": "client.json"}
EACH_CASE = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])


def request_of(case: Path, action: str, alt: str = "") -> Generate:
    """What was asked."""
    request = parse((case / "request.json").read_bytes(), action, alt=alt)
    assert isinstance(request, Generate)
    return request


def events_of(case: Path) -> list[Event]:
    """What the answer means."""
    types: dict[str, Any] = {**vars(core_events), "Usage": Usage}
    entries: list[dict[str, Any]] = json.loads((case / "events.json").read_text(encoding="utf-8"))
    return [types[entry.pop("type")](**entry) for entry in entries]


@EACH_CASE
@pytest.mark.parametrize("alt", FORMS)
def test_a_client_is_streamed_exactly_this(case: Path, alt: str) -> None:
    """To the last byte, written at once and event by event."""
    expected, request = (case / FORMS[alt]).read_bytes(), request_of(case, "streamGenerateContent", alt)
    writer = DIALECT.writer(request, STAMP)
    assert writer.feed(events_of(case)) + writer.close() == expected
    writer = DIALECT.writer(request, STAMP)
    assert b"".join(writer.feed([event]) for event in events_of(case)) + writer.close() == expected


@EACH_CASE
def test_a_client_is_answered_exactly_this(case: Path) -> None:
    """The whole answer, key by key."""
    body = DIALECT.render_response(collect(events_of(case)), request_of(case, "generateContent"), STAMP)
    assert msgspec.json.format(body, indent=1) == msgspec.json.format((case / "response.json").read_bytes(), indent=1)
