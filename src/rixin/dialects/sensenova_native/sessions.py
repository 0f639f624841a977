"""Sessions: `POST /v1/llm/chat/sessions`, and what the turns of one are asked with.

Source: the platform's Python SDK.
"""

import msgspec

from rixin.dialects.decoding import decode
from rixin.dialects.openai_chat.bounds import MAX_MESSAGES, check_size
from rixin.dialects.sensenova_native.wire import PromptMessage, SessionBody

_SESSION = msgspec.json.Decoder(SessionBody)
_ENCODER = msgspec.json.Encoder()


def parse_session(body: bytes) -> list[PromptMessage]:
    """The messages that shall stand before all turns. Raises `INVALID_REQUEST` naming the field."""
    prompt = decode(_SESSION, body).system_prompt or []
    check_size(len(prompt), MAX_MESSAGES // 4, "system_prompt", "messages")
    return prompt


def render_session(identity: str) -> bytes:
    """The answer to whoever began a session."""
    return _ENCODER.encode({"session_id": identity})
