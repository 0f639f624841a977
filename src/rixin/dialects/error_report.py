"""Error bodies of any shape, read into one.

Shapes: `{"error": {...}}`, `{"error": "..."}`, `{"code", "msg"}`, `{"detail": [...]}` (FastAPI), `{"base_resp": {...}}`
(MiniMax), `{"errors": [...]}`, arrays (Gemini), plain text, web pages.
"""

import re
from typing import Any, cast

import msgspec
from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue

MAX_DEPTH = 8
MAX_PAGE = 20_000
MAX_TITLE = 500
MAX_TEXT = 10_000

_MESSAGES = (
    "message",
    "msg",
    "error_message",
    "errorMessage",
    "error_msg",
    "errorMsg",
    "status_msg",
    "detail",
    "title",
)
_CODES = ("code", "status_code", "error_code", "errorCode", "status")
_NESTED = ("error", "errors", "base_resp", "detail")

_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class ErrorReport(Struct, kw_only=True):
    """What an error body says. Texts are empty where it says nothing."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str | None = None
    limit: int | None = None
    requested: int | None = None
    retry_after: float | None = None
    page: bool = False
    """It is a web page: a proxy or a firewall answered instead of the API."""


def looks_like_error(value: JsonObject) -> bool:
    """Whether an object without choices is one of the bare shapes: `{code, msg}`, `{detail}`, `{type: error}`."""
    if value.get("choices") is not None or "usage" in value:
        return False
    if value.get("object") == "error" or value.get("type") == "error" or value.get("errors"):
        return True
    return bool(value.get("detail")) or any(value.get(name) for name in ("msg", "message", "error_msg", "errorMsg"))


def read_report(body: bytes) -> ErrorReport:
    """The report in a body."""
    text = body.decode("utf-8", "replace").strip().removeprefix("data:").strip()
    try:
        value = cast("JsonValue", _DECODER.decode(text))
    except (msgspec.DecodeError, RecursionError):
        if text.startswith("<"):
            return ErrorReport(message=page_text(text), page=True)
        return ErrorReport(message=text)
    return read_value(value)


def read_value(value: JsonValue, depth: int = MAX_DEPTH) -> ErrorReport:
    """The report in a JSON value, which may be nested under `error`, in a list, or be a mere text."""
    if isinstance(value, list) and depth:
        return _read_list(value, depth - 1)
    if not isinstance(value, dict) or not depth:
        return ErrorReport(message="" if value is None else str(value)[:MAX_TEXT])
    inner = next((value[name] for name in _NESTED if value.get(name)), None)
    if inner is None or ("message" in value and not isinstance(inner, dict)):
        return _read_fields(value)
    report = read_value(inner, depth - 1)
    outer = _read_fields({name: entry for name, entry in value.items() if isinstance(entry, str | int | float)})
    report.message = report.message or outer.message
    report.code, report.type = report.code or outer.code, report.type or outer.type
    return report


def _read_list(values: list[JsonValue], depth: int) -> ErrorReport:
    """A list of errors, such as FastAPI's `[{"loc": [...], "msg": ...}]`: the first one's codes, everyone's words."""
    reports = [read_value(value, depth) for value in values]
    if not reports:
        return ErrorReport()
    reports[0].message = "; ".join(report.message for report in reports if report.message)
    return reports[0]


def _read_fields(value: JsonObject) -> ErrorReport:
    place = value.get("loc")
    where = ".".join(str(step) for step in place if step != "body") if isinstance(place, list) else ""
    message = next((text for name in _MESSAGES if isinstance(text := value.get(name), str) and text), "")
    code = next((str(found) for name in _CODES if isinstance(found := value.get(name), str | int)), "")
    kind, param = value.get("type"), value.get("param")
    return ErrorReport(
        message=f"{where}: {message}" if where else message,
        code=code,
        type=kind if isinstance(kind, str) else "",
        param=param if isinstance(param, str) and param else where or None,
        limit=_count(value, "limit", "n_ctx"),
        requested=_count(value, "requested", "n_prompt_tokens"),
        retry_after=_number(value.get("retry_after")),
    )


def _count(value: JsonObject, *names: str) -> int | None:
    number = next((number for name in names if (number := _number(value.get(name))) is not None), None)
    return None if number is None else int(number)


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None


def page_text(text: str) -> str:
    """What a web page calls itself: its title, else its first heading.

    Its other words may be anything, such as the request that it answers, and would go to the log.
    """
    named = re.search(r"<(title|h1)\b[^>]*>(.*?)</\1>", text[:MAX_PAGE], re.IGNORECASE | re.DOTALL)
    words = re.sub(r"<[^>]*>", " ", named[2]) if named else ""
    return " ".join(words.split())[:MAX_TITLE]
