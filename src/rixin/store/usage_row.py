"""What one request used."""

from msgspec import Struct


class UsageRow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request, when it was over. Neither what was said in it nor from where it came."""

    time: float
    """When it arrived, in seconds since the epoch."""
    id: str
    """The request id. A client may have chosen it, so others may be the same."""
    key_id: str
    key_name: str
    user_id: str | None = None
    team_id: str | None = None
    dialect: str
    operation: str
    model_asked: str
    """The name in the request."""
    model: str
    """The name that it was resolved to; empty where it came to none."""
    provider: str
    status: int
    """What the client was told; 0 where the server was killed before it had told all."""
    error: str | None = None
    """The kind of error, where it failed."""
    stream: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    knowledge_tokens: int = 0
    estimated: bool = False
    """Whether the tokens are our own estimate."""
    queue_ms: float | None = None
    first_token_ms: float | None = None
    total_ms: float
    changes: str = ""
    """What was changed of the request on its way, as in `x-rixin-changes`."""
    cost: int = 0
    """In micro-units of the currency."""
    currency: str = "USD"
    price_prompt: int = 0
    """The price that counted, as `core.prices.Price` has it."""
    price_completion: int = 0
    price_cached: int = 0
    price_request: int = 0
