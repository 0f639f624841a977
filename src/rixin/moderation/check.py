"""A check that a program of the operator's makes: it is asked over HTTP whether texts may pass.

It is sent `{"stage": "input" or "output", "model": NAME, "texts": [...]}` and answers `{"allowed": true or false}`.
"""

import re
from typing import Literal, Self, TypeAlias

import msgspec
import structlog
from msgspec import Struct

from rixin.engines import connections
from rixin.engines.transport import Timeouts, Transport
from rixin.errors import Kind, RixinError
from rixin.settings import Moderation

Stage: TypeAlias = Literal["input", "output"]

_LONGEST_ANSWER = 2**16
_OK = 200
_RETRY_AFTER = 5.0
_URL = re.compile(r"https?://[^\s/@?#]+(/[^\s#]*)?")

log = structlog.get_logger("rixin.moderation")


class Question(Struct, frozen=True):
    """What the check is asked."""

    stage: Stage
    model: str
    texts: list[str]


class Verdict(Struct, frozen=True):
    """What it answers; other members are passed over."""

    allowed: bool


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Verdict, strict=True).decode


class ExternalCheck:
    """Asks.

    Args:
        transport: To the check, and nowhere else.
        key: Its bearer token; None where it asks for none.
        open_on_failure: Whether texts pass that it cannot tell of.
    """

    def __init__(self, transport: Transport, key: str | None, *, open_on_failure: bool) -> None:
        self._transport = transport
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._open = open_on_failure

    @classmethod
    def connect(cls, url: str, settings: Moderation) -> Self:
        """A check at a URL, asked directly: no proxy sees the texts, and no redirect is followed.

        Raises:
            RixinError: `CONFIGURATION` for a URL that is not a plain http or https one.
        """
        if not _URL.fullmatch(url):
            message = "moderation.check_url must be like https://check.example.com/texts, without user name or fragment"
            raise RixinError(Kind.CONFIGURATION, message)
        deadline = settings.check_deadline
        timeouts = Timeouts(connect=deadline, first_byte=deadline, idle=deadline, total=deadline)
        transport = connections.to_url(url, timeouts, label="The content check")
        return cls(transport, settings.check_key, open_on_failure=settings.on_failure == "open")

    async def allows(self, stage: Stage, model: str, texts: list[str]) -> bool:
        """Whether texts may pass.

        Raises:
            RixinError: `OVERLOADED` where it cannot be told, and nothing passes then.
        """
        try:
            return await self._ask(_encode(Question(stage, model, texts)))
        except RixinError as error:
            log.warning("The content check failed", stage=stage, detail=error.detail or error.message, open=self._open)
            if self._open:
                return True
            message = "The content check of this server cannot be reached now. Try again later."
            raise RixinError(Kind.OVERLOADED, message, retry_after=_RETRY_AFTER, detail=error.detail) from error

    async def _ask(self, question: bytes) -> bool:
        async with self._transport.exchange("POST", "", headers=self._headers, body=question) as exchange:
            if exchange.status != _OK:
                raise RixinError(Kind.UPSTREAM_INVALID, f"It answered with status {exchange.status}.")
            answer = await exchange.read_all(_LONGEST_ANSWER)
        try:
            return _decode(answer).allowed
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise RixinError(Kind.UPSTREAM_INVALID, "Its answer is no verdict.") from None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()
