"""Sessions of the native platform: `POST /v1/llm/chat/sessions`. Their turns are generations."""

from rixin.accounts.account import Account
from rixin.dialects.sensenova_native.sessions import render_session
from rixin.service.sessions import SessionService
from rixin.settings import Server
from rixin.web.exchange import Exchange


class SessionsHandler:
    """Begins sessions.

    Args:
        sessions: Keeps them.
        settings: Of the server.
    """

    def __init__(self, sessions: SessionService, settings: Server) -> None:
        self._sessions = sessions
        self._settings = settings

    async def __call__(self, exchange: Exchange, account: Account, _rest: str) -> None:
        """Answers an exchange."""
        body = await exchange.read_body(self._settings.max_body_bytes, self._settings.body_timeout)
        await exchange.respond(200, render_session(await self._sessions.begin(body, account.id)))
