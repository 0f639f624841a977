"""The one shape of the admin API's errors."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from rixin.errors import Kind, RixinError
from rixin.limits.headers import retry_after
from rixin.web.admin.policy import methods_at

_KINDS = {
    400: Kind.INVALID_REQUEST,
    404: Kind.NOT_FOUND,
    405: Kind.METHOD_NOT_ALLOWED,
    413: Kind.TOO_LARGE,
    415: Kind.UNSUPPORTED_MEDIA_TYPE,
}
_MESSAGES = {
    Kind.INVALID_REQUEST: "The body cannot be read.",
    Kind.NOT_FOUND: "There is nothing at this path.",
    Kind.METHOD_NOT_ALLOWED: "This path does not take this method.",
    Kind.TOO_LARGE: "The body is too large.",
}


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str
    type: str
    """A stable word for programs, such as `not_found`."""
    param: str | None
    """The field that is at fault, such as `models[0]`."""


class ErrorBody(BaseModel):
    """Every answer with a status of 400 or more."""

    error: ErrorDetail


def render(error: RixinError) -> JSONResponse:
    """An error as it leaves."""
    body = ErrorBody(error=ErrorDetail(message=error.message, type=error.kind.value, param=error.param))
    headers: dict[str, str] = {}
    if error.kind is Kind.UNAUTHENTICATED:
        headers["www-authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["retry-after"] = retry_after(error.retry_after)
    return JSONResponse(body.model_dump(), error.status, headers)


async def on_error(request: Request, error: Exception) -> JSONResponse:
    """Renders what FastAPI itself raises: no route, a wrong method, a body that is none."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    kind = _KINDS.get(error.status_code, Kind.INTERNAL)
    response = render(RixinError(kind, _MESSAGES.get(kind, "This request cannot be answered.")))
    response.headers.update(error.headers or {})
    if kind is Kind.METHOD_NOT_ALLOWED:
        # The router tells of the first route that it finds; each method has one of its own (RFC 9110, section 15.5.6).
        response.headers["allow"] = ", ".join(methods_at(request.scope["path"]))
    return response


def from_validation(error: RequestValidationError) -> RixinError:
    """The first thing that is wrong with a request, by the name that its sender gave it. Its value is not repeated."""
    first: dict[str, Any] = error.errors()[0]
    if first["type"] == "json_invalid":
        return RixinError(Kind.INVALID_REQUEST, "The body is not valid JSON.")
    param = _name(first["loc"][1:])
    if first["type"] == "extra_forbidden":
        return RixinError(Kind.INVALID_REQUEST, f"There is no field {param[:100]}.", param=param[:100])
    if not param:
        return RixinError(Kind.INVALID_REQUEST, "The body must be a JSON object, sent as application/json.")
    return RixinError(Kind.INVALID_REQUEST, f"{param}: {first['msg']}.", param=param)


def _name(steps: Sequence[str | int]) -> str:
    name = ""
    for step in steps:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name
