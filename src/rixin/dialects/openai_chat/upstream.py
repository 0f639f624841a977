"""The upstream half of the dialect, put together."""

from rixin.dialects.base import Upstream
from rixin.dialects.openai_chat.body import build_body
from rixin.dialects.openai_chat.embeddings import EMBEDDING
from rixin.dialects.openai_chat.images import DRAWING
from rixin.dialects.openai_chat.plain_answer import read_plain
from rixin.dialects.openai_chat.reader import ChatReader, read_response
from rixin.dialects.upstream_errors import parse_error
from rixin.settings.fast_path import FAST_PATH


def auth_headers(key: str) -> dict[str, str]:
    """The header that carries an API key."""
    return {"authorization": f"Bearer {key}"}


UPSTREAM = Upstream(
    path="/chat/completions",
    prompt_path="/completions",
    embedding=EMBEDDING,
    drawing=DRAWING,
    build_body=build_body,
    parse_response=read_response,
    parse_error=parse_error,
    reader=ChatReader,
    auth_headers=auth_headers,
    read_plain=read_plain if FAST_PATH else None,
    relayed=True,
)
