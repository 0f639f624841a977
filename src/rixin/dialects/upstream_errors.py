"""What an upstream's error means, for every vendor.

A body becomes an `ErrorReport`, whatever its shape. Then tables decide, in this order: the words of our own engine
children, an overflowing context, the reasons for a 429, refused content, codes, and last the status. Vendors disagree
most about 429 and about overflow, so there the message's words count more than any code.
"""

import re
from collections.abc import Mapping

from rixin.core.json import JsonObject
from rixin.dialects.error_report import ErrorReport, looks_like_error, page_text, read_report, read_value
from rixin.dialects.overflow import find_overflow
from rixin.dialects.retry_after import read_wait
from rixin.errors import Kind, RixinError

MAX_MESSAGE = 1_000
MAX_DETAIL = 500
MAX_CODE = 100

_ABOUT_THE_KEY = frozenset({Kind.UPSTREAM_CREDENTIAL, Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED})
"""Errors whose words the log may have: others often quote the prompt."""

STATUSES: dict[int, Kind] = {
    400: Kind.INVALID_REQUEST,
    401: Kind.UPSTREAM_CREDENTIAL,
    402: Kind.QUOTA_EXHAUSTED,
    403: Kind.PERMISSION_DENIED,
    404: Kind.MODEL_NOT_FOUND,
    408: Kind.UPSTREAM_TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.INVALID_REQUEST,
    429: Kind.RATE_LIMITED,
    451: Kind.CONTENT_POLICY,
    499: Kind.UPSTREAM_INTERRUPTED,
    501: Kind.NOT_IMPLEMENTED,
    502: Kind.UPSTREAM_UNREACHABLE,
    503: Kind.OVERLOADED,
    504: Kind.UPSTREAM_TIMEOUT,
    520: Kind.UPSTREAM_UNREACHABLE,
    521: Kind.UPSTREAM_UNREACHABLE,
    522: Kind.UPSTREAM_UNREACHABLE,
    523: Kind.UPSTREAM_UNREACHABLE,
    524: Kind.UPSTREAM_TIMEOUT,
    529: Kind.OVERLOADED,
}
"""What a status means where nothing else does; any other one is `UPSTREAM_INVALID`."""

CODES: dict[str, Kind] = {
    # SenseNova and other gRPC gateways, numbers as text
    "1": Kind.UPSTREAM_INTERRUPTED,
    "3": Kind.INVALID_REQUEST,
    "4": Kind.UPSTREAM_TIMEOUT,
    "5": Kind.MODEL_NOT_FOUND,
    "6": Kind.CONFLICT,
    "7": Kind.PERMISSION_DENIED,
    "8": Kind.RATE_LIMITED,
    "9": Kind.INVALID_REQUEST,
    "10": Kind.CONFLICT,
    "11": Kind.INVALID_REQUEST,
    "12": Kind.NOT_IMPLEMENTED,
    "13": Kind.UPSTREAM_INVALID,
    "14": Kind.OVERLOADED,
    "16": Kind.UPSTREAM_CREDENTIAL,
    "17": Kind.CONTEXT_OVERFLOW,
    "18": Kind.CONTENT_POLICY,
    "429001": Kind.RATE_LIMITED,
    "429003": Kind.RATE_LIMITED,
    # MiniMax, GLM
    "1000": Kind.UPSTREAM_INVALID,
    "1001": Kind.UPSTREAM_TIMEOUT,
    "1002": Kind.RATE_LIMITED,
    "1004": Kind.UPSTREAM_CREDENTIAL,
    "1008": Kind.QUOTA_EXHAUSTED,
    "1026": Kind.CONTENT_POLICY,
    "1027": Kind.CONTENT_POLICY,
    "1039": Kind.RATE_LIMITED,
    "1113": Kind.QUOTA_EXHAUSTED,
    "1261": Kind.CONTEXT_OVERFLOW,
    "1301": Kind.CONTENT_POLICY,
    "1302": Kind.RATE_LIMITED,
    "1305": Kind.OVERLOADED,
    "2013": Kind.INVALID_REQUEST,
    # OpenAI and those who follow it
    "context_length_exceeded": Kind.CONTEXT_OVERFLOW,
    "exceed_context_size_error": Kind.CONTEXT_OVERFLOW,
    "content_filter": Kind.CONTENT_POLICY,
    "content_policy_violation": Kind.CONTENT_POLICY,
    "data_inspection_failed": Kind.CONTENT_POLICY,
    "datainspectionfailed": Kind.CONTENT_POLICY,
    "responsibleaipolicyviolation": Kind.CONTENT_POLICY,
    "invalid_request_error": Kind.INVALID_REQUEST,
    "invalid_api_key": Kind.UPSTREAM_CREDENTIAL,
    "invalid_authentication_error": Kind.UPSTREAM_CREDENTIAL,
    "authentication_error": Kind.UPSTREAM_CREDENTIAL,
    "permission_denied_error": Kind.PERMISSION_DENIED,
    "permission_error": Kind.PERMISSION_DENIED,
    "model_not_found": Kind.MODEL_NOT_FOUND,
    "not_found_error": Kind.MODEL_NOT_FOUND,
    "rate_limit_exceeded": Kind.RATE_LIMITED,
    "rate_limit_error": Kind.RATE_LIMITED,
    "rate_limit_reached_error": Kind.RATE_LIMITED,
    "insufficient_quota": Kind.QUOTA_EXHAUSTED,
    "insufficient_balance": Kind.QUOTA_EXHAUSTED,
    "exceeded_current_quota_error": Kind.QUOTA_EXHAUSTED,
    "billing_error": Kind.QUOTA_EXHAUSTED,
    "quota_exceeded_error": Kind.RATE_LIMITED,
    "engine_overloaded_error": Kind.OVERLOADED,
    "overloaded_error": Kind.OVERLOADED,
    "service_unavailable": Kind.OVERLOADED,
    "server_error": Kind.UPSTREAM_INVALID,
    "internal_server_error": Kind.UPSTREAM_INVALID,
    "api_error": Kind.UPSTREAM_INVALID,
    "timeout_error": Kind.UPSTREAM_TIMEOUT,
}
"""What an error's code or type means, in lower case. Beside an error status they count only where `DECISIVE`."""

DECISIVE = frozenset({
    Kind.CONTEXT_OVERFLOW, Kind.CONTENT_POLICY, Kind.QUOTA_EXHAUSTED, Kind.UPSTREAM_CREDENTIAL,
})  # fmt: skip
"""Kinds that a code may say against the status: vendors send them with 400, 403, 429 and 500 alike."""

LIMITS: tuple[tuple[str, Kind], ...] = (
    (
        r"(invalid|incorrect|expired).{0,20}(api.?key|token)\b|unauthori[sz]ed|authenticat",
        Kind.UPSTREAM_CREDENTIAL,
    ),
    (
        r"entitlement|balance|free_quota|current quota|billing|credits|plan limit|insufficient funds|余额|欠费",
        Kind.QUOTA_EXHAUSTED,
    ),
    (
        r"busy|overload|capacity|endpoint[tr]pmexceeded|繁忙|过载",
        Kind.OVERLOADED,
    ),
    (
        r"\b[rtq]p[smhd]\b|rate.?limit|throttl|too many|per (second|minute|hour|day)|频率|限流",
        Kind.RATE_LIMITED,
    ),
)
"""The reasons for a 429 by the words of message, code and type in lower case; the first that matches wins.

SenseNova uses code "8" for all of them, and others send `insufficient_quota` for a mere rate.
"""

BY_PROXIES = frozenset({
    Kind.UPSTREAM_CREDENTIAL, Kind.RATE_LIMITED, Kind.OVERLOADED, Kind.UPSTREAM_TIMEOUT, Kind.UPSTREAM_UNREACHABLE,
})  # fmt: skip
"""Kinds that the status of a web page may say: what stands before an API knows these as well."""

OURS: dict[Kind, str] = {
    Kind.UPSTREAM_CREDENTIAL: "The upstream did not accept our credential.",
    Kind.CONFIGURATION: "The upstream has no such route: its base URL may be wrong.",
}
"""Kinds whose words are ours: the upstream's would make a client look for the fault in its own request."""

SAFETY = re.compile(
    r"content.{0,12}(filter|polic|safety|sensitive|risk)|sensitive (content|word)|safety check|risk.?control"
    r"|inappropriate content|内容(安全|违规|敏感)|敏感(词|内容)|data inspection",
    re.IGNORECASE,
)
"""Words of an upstream that refuses what was asked; they count where the request was refused (4xx)."""

SECRETS = re.compile(r"\b(Bearer\s+|(?:sk|pk|ak|rk|gsk|xai|tp|key)-)[A-Za-z0-9_\-.*]{3,}[A-Za-z0-9*]")
"""Keys, whole or in part, that some upstreams repeat in their errors."""


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> RixinError:
    """What an answer with an error status means.

    Args:
        status: The HTTP status.
        headers: The answer's headers, names in lower case.
        body: What came, in whatever shape.
    """
    return _error(read_report(body), status, headers)


def body_error(value: JsonObject) -> RixinError | None:
    """The error that an object amounts to although its status was 200, or that stands in a stream; None for none."""
    base = value.get("base_resp")
    failed = isinstance(base, dict) and base.get("status_code") not in (None, 0, "0")
    error = value.get("error")
    if not failed and not error and not looks_like_error(value):
        return None
    return _error(read_value(base if failed and not error else value), None, {})


def event_error(data: str) -> RixinError:
    """The error of a stream's `event: error`."""
    return _error(read_report(data.encode("utf-8", "replace")), None, {})


def page_error(body: bytes) -> RixinError:
    """The error for a web page where an answer belongs."""
    return _error(ErrorReport(message=page_text(body.decode("utf-8", "replace")), page=True), None, {})


def unreadable(data: bytes | str) -> RixinError:
    """The error for what is no JSON object."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    message = "The upstream sent something that is not an answer."
    return RixinError(Kind.UPSTREAM_INVALID, message, detail=f"{len(text)} characters, the first is {text[:1]!r}")


def _error(report: ErrorReport, status: int | None, headers: Mapping[str, str]) -> RixinError:
    limit, requested, detail = report.limit, report.requested, None
    kind, message = _own_kind(report), report.message
    if kind is None:
        overflow = find_overflow(report.message) if status is None or 400 <= status <= 500 else None
        if overflow is not None:
            limit, requested = limit or overflow.limit, requested or overflow.requested
        kind = Kind.CONTEXT_OVERFLOW if overflow is not None else _kind(report, status)
        message = _message(report, kind, status)
        code = report.code or report.type or "none"
        detail = f"upstream status {status}, code {code[:MAX_CODE]}"
        if kind in _ABOUT_THE_KEY or report.page:
            detail += f": {_redact(report.message[:MAX_DETAIL])}"
    return RixinError(
        kind,
        message,
        param=report.param,
        retry_after=read_wait(headers, report),
        limit=limit,
        requested=requested,
        detail=detail,
    )


def _own_kind(report: ErrorReport) -> Kind | None:
    """The kind in the words of our own engine child: type and code both name it."""
    kind = next((kind for kind in Kind if kind.value == report.type == report.code), None)
    # Whoever the upstream did not recognise, it was not the client.
    return Kind.UPSTREAM_CREDENTIAL if kind is Kind.UNAUTHENTICATED else kind


def _kind(report: ErrorReport, status: int | None) -> Kind:
    words = f"{report.message[:MAX_MESSAGE]} {report.code} {report.type}".lower()
    by_code = next((CODES[word] for word in (report.code.lower(), report.type.lower()) if word in CODES), None)
    if status is None and len(report.code) == 3 and report.code.isdecimal():
        status = int(report.code)
    if report.page or (status == 404 and not report.code and not report.type and "model" not in words):
        return _page_kind(status)
    if status == 429 or by_code in (Kind.RATE_LIMITED, Kind.QUOTA_EXHAUSTED):
        reason = next((kind for pattern, kind in LIMITS if re.search(pattern, words)), None)
        return reason or by_code or Kind.RATE_LIMITED
    if by_code is not None and (by_code in DECISIVE or status is None):
        return by_code
    if (status is None or 400 <= status < 500) and SAFETY.search(words):
        return Kind.CONTENT_POLICY
    return STATUSES.get(status or 0, Kind.UPSTREAM_INVALID)


def _page_kind(status: int | None) -> Kind:
    """A web page, or a 404 without any code, is no word of the API: the address may be wrong, or something blocks."""
    if status == 404:
        return Kind.CONFIGURATION
    kind = STATUSES.get(status or 0, Kind.UPSTREAM_INVALID)
    return kind if kind in BY_PROXIES else Kind.UPSTREAM_INVALID


def _message(report: ErrorReport, kind: Kind, status: int | None) -> str:
    if kind in OURS:
        return OURS[kind]
    if report.page:
        return "The upstream answered with a web page instead of JSON."
    text = _redact(report.message).strip()
    if not text:
        return f"The upstream answered with status {status}." if status else "The upstream reported an error."
    return text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "..."


def _redact(text: str) -> str:
    return SECRETS.sub(lambda found: found[1] + "***", text)
