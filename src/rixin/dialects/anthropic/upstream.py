"""The upstream half of the dialect, put together."""

from rixin.dialects.anthropic.body import build_body, unsaid
from rixin.dialects.anthropic.models import MAX_LIMIT
from rixin.dialects.anthropic.reader import make_reader, read_response
from rixin.dialects.base import Upstream
from rixin.dialects.upstream_errors import parse_error

VERSION = "2023-06-01"

_ANTHROPIC = "sk-ant-"
_ANTHROPIC_TOKEN = "sk-ant-oat"  # noqa: S105 - how such a token begins


def auth_headers(key: str) -> dict[str, str]:
    """The headers that carry an API key.

    Anthropic's own keys go where Anthropic looks for them. Of gateways some read `x-api-key` and some the bearer, and
    none is known to mind both.
    """
    version = {"anthropic-version": VERSION}
    if key.startswith(_ANTHROPIC_TOKEN):
        return {"authorization": f"Bearer {key}", **version}
    if key.startswith(_ANTHROPIC):
        return {"x-api-key": key, **version}
    return {"authorization": f"Bearer {key}", "x-api-key": key, **version}


UPSTREAM = Upstream(
    path="/messages",
    build_body=build_body,
    parse_response=read_response,
    parse_error=parse_error,
    reader=make_reader,
    auth_headers=auth_headers,
    unsaid=unsaid,
    models_path=f"/models?limit={MAX_LIMIT}",
)
