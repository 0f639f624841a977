"""The upstream half of the dialect, put together."""

from rixin.dialects.base import Upstream
from rixin.dialects.openai_chat.upstream import auth_headers
from rixin.dialects.sensenova_native.body import build_body, unsaid
from rixin.dialects.sensenova_native.embeddings import EMBEDDING
from rixin.dialects.sensenova_native.reader import NativeReader, read_response
from rixin.dialects.sensenova_native.tokens import SEPARATOR, mint
from rixin.dialects.upstream_errors import parse_error


def sign(key: str, now: int) -> str:
    """A token for an access key, which is given as `id|secret`; an API key is its own token."""
    access_key_id, separator, secret = key.partition(SEPARATOR)
    return mint(access_key_id, secret, now) if separator else key


UPSTREAM = Upstream(
    path="/llm/chat-completions",
    prompt_path="/llm/completions",
    models_path="/llm/models",
    embedding=EMBEDDING,
    build_body=build_body,
    parse_response=read_response,
    parse_error=parse_error,
    reader=NativeReader,
    auth_headers=auth_headers,
    unsaid=unsaid,
    sign=sign,
)
