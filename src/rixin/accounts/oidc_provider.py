"""A provider of identities over HTTP: what it says of itself, and whom it says somebody to be.

The authorization code flow with PKCE; the provider's own words count only where they are signed by its keys, meant for
this server, and answer the question that was asked. Authlib makes and checks them; importing it takes a while, so only
a server that has a provider does.

Sources: OpenID Connect Core 1.0, sections 3.1 and 5.3; Discovery 1.0, section 4; RFC 7636 (PKCE); RFC 9207 (`iss`).
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Authlib tells few types.

import math
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp import ClientSession, ClientTimeout
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from rixin.accounts.refused_login import Refusal, RefusedLoginError
from rixin.clock import Clock
from rixin.errors import Kind, RixinError
from rixin.settings import LOOPBACK_HOSTS, Oidc

FRESH_FOR = 3600.0
"""Seconds that what a provider says of itself counts."""
GRACE = 60
"""Seconds by which its clock may differ from ours."""
DEADLINE = 15.0
"""Seconds that one question may take."""
LONGEST = 2**20
"""Bytes of an answer."""
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
"""Signatures that count: those of which only the provider has the key."""
_FORM = "application/x-www-form-urlencoded"


class Description(Struct, frozen=True):
    """What a provider says of itself; other members are passed over."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str


class _Verifies(Protocol):
    """What Authlib's claims can do."""

    def validate(self, now: int, leeway: int) -> None:
        """Raises `JoseError`."""
        ...


class OidcProvider:
    """One provider.

    Args:
        settings: Of the provider.
        redirect_uri: Where it sends browsers back to.
        clock: Time.
    """

    def __init__(self, settings: Oidc, redirect_uri: str, clock: Clock) -> None:
        assert settings.issuer is not None  # noqa: S101 - who has none has no provider
        self.issuer = settings.issuer
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._description: Description | None = None
        self._keys: KeySet | None = None
        self._learned = -math.inf

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent.

        Args:
            state: What it is to come back with.
            nonce: What the provider is to put into its word.
            verifier: Whose hash it is told; only who knows it can use the code (PKCE).

        Raises:
            RixinError: `UPSTREAM_UNREACHABLE`, `UPSTREAM_TIMEOUT` or `UPSTREAM_INVALID` where the provider cannot be
                asked.
        """
        description, _ = await self._learn()
        url = prepare_grant_uri(
            description.authorization_endpoint,
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=list(self._settings.scopes),
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return cast("str", url)

    async def claims(self, query: Mapping[str, str], *, nonce: str, verifier: str) -> dict[str, Any]:
        """What the provider says of somebody whose browser comes back.

        Args:
            query: What it comes with.
            nonce: What the provider's word must hold.
            verifier: As it was told.

        Raises:
            RefusedLoginError: The provider declines, or the code or what it is worth is not in order.
            RixinError: `UPSTREAM_UNREACHABLE`, `UPSTREAM_TIMEOUT` or `UPSTREAM_INVALID` where the provider cannot be
                asked.
        """
        code = _code(query, self.issuer)
        description, keys = await self._learn()
        async with self._session() as session:
            tokens = await self._tokens(session, description, code, verifier)
            try:
                claims = self._verified(tokens, keys, nonce)
            except JoseError:
                # Its keys may have changed since they were looked at.
                description, keys = await self._learn(anew=True)
                try:
                    claims = self._verified(tokens, keys, nonce)
                except JoseError as error:
                    raise _refused(f"The provider's word is not in order: {error.error}.") from None
            wanted = {"email", self._settings.role_claim} - {None}
            if description.userinfo_endpoint is not None and not wanted <= claims.keys():
                headers = {"authorization": f"Bearer {tokens.access_token}"}
                told = await self._ask(session, "GET", description.userinfo_endpoint, headers=headers)
                more = _decoded(told, dict[str, Any])
                if more.get("sub") != claims["sub"]:
                    raise _refused("The provider tells of somebody else than it has logged in.")
                claims = {**more, **claims}
        return claims

    async def _tokens(self, session: ClientSession, description: Description, code: str, verifier: str) -> _Tokens:
        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=self._redirect_uri, code_verifier=verifier
        )
        method = "none"
        if self._settings.client_secret is not None:
            known = description.token_endpoint_auth_methods_supported
            method = "client_secret_post" if "client_secret_basic" not in known else "client_secret_basic"
        auth = ClientAuth(self._settings.client_id, self._settings.client_secret, method)
        prepared = auth.prepare("POST", description.token_endpoint, {"Content-Type": _FORM}, body)
        url, headers, sent = cast("tuple[str, dict[str, str], str]", prepared)
        return _decoded(await self._ask(session, "POST", url, headers=headers, body=sent), _Tokens)

    def _verified(self, tokens: _Tokens, keys: KeySet, nonce: str) -> dict[str, Any]:
        """The claims of an identity token. Raises `JoseError`."""
        try:
            token = jwt.decode(tokens.id_token, keys, algorithms=ALGORITHMS)
        except ValueError:
            raise _refused("The provider's word is malformed.") from None
        options: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
        }
        params = {
            "nonce": nonce,
            "client_id": self._settings.client_id,
            "access_token": tokens.access_token,
        }
        claims = CodeIDToken(token.claims, token.header, options, params)
        cast("_Verifies", claims).validate(int(self._clock.now()), GRACE)
        return dict(token.claims)

    async def _learn(self, *, anew: bool = False) -> tuple[Description, KeySet]:
        """What the provider says of itself, and its keys."""
        now = self._clock.monotonic()
        if self._description is not None and self._keys is not None and not anew and now - self._learned < FRESH_FOR:
            return self._description, self._keys
        async with self._session() as session:
            url = get_well_known_url(self.issuer, external=True)
            description = _decoded(await self._ask(session, "GET", url), Description)
            if description.issuer != self.issuer:
                raise RixinError(Kind.UPSTREAM_INVALID, "The provider of identities calls itself by another address.")
            try:
                keys = KeySet.import_key_set(msgspec.json.decode(await self._ask(session, "GET", description.jwks_uri)))
            except (JoseError, ValueError, KeyError, TypeError, msgspec.DecodeError):
                raise RixinError(Kind.UPSTREAM_INVALID, "The keys of the provider of identities are none.") from None
        self._description, self._keys, self._learned = description, keys, now
        return description, keys

    def _session(self) -> ClientSession:
        return ClientSession(timeout=ClientTimeout(total=DEADLINE), trust_env=True)

    async def _ask(
        self, session: ClientSession, method: str, url: str, *, headers: dict[str, str] | None = None, body: str = ""
    ) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
            raise RixinError(Kind.UPSTREAM_INVALID, "The provider of identities names an address that is not https.")
        sent = {"accept": "application/json", **(headers or {})}
        try:
            async with session.request(
                method, url, headers=sent, data=body.encode() or None, allow_redirects=False
            ) as response:
                answer = await response.content.read(LONGEST + 1)
                while len(answer) <= LONGEST and (more := await response.content.read(LONGEST)):
                    answer += more
        except TimeoutError:
            raise RixinError(Kind.UPSTREAM_TIMEOUT, "The provider of identities takes too long.") from None
        except aiohttp.ClientError as error:
            message = "The provider of identities cannot be reached."
            raise RixinError(Kind.UPSTREAM_UNREACHABLE, message, detail=str(error)) from None
        if len(answer) > LONGEST:
            raise RixinError(Kind.UPSTREAM_INVALID, "The provider of identities talks too much.")
        if response.status in (400, 401, 403):
            raise _refused("The provider of identities did not accept what the browser has brought.")
        if response.status != 200:
            message = f"The provider of identities answered with status {response.status}."
            raise RixinError(Kind.UPSTREAM_INVALID, message)
        return answer


def _code(query: Mapping[str, str], issuer: str) -> str:
    """The code that a browser brings. Raises `UNAUTHENTICATED` where it brings none that counts."""
    if query.get("iss", issuer) != issuer:
        raise _refused("The browser comes from another provider of identities than it was sent to.")
    error = query.get("error", "")
    if error:
        # RFC 6749, section 4.1.2.1: a word such as `access_denied`.
        word = error if error.isascii() and error.replace("_", "").isalnum() and len(error) < 50 else "error"
        raise RefusedLoginError(Refusal.DECLINED, f"The provider of identities did not log you in: {word}.")
    if not query.get("code"):
        raise _refused("The provider of identities sent no code.")
    return query["code"]


def _decoded(answer: bytes, kind: type[Any]) -> Any:  # noqa: ANN401 - of the kind that is asked for
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RixinError(Kind.UPSTREAM_INVALID, "The provider of identities gave an answer that is none.") from None


def _refused(message: str) -> RefusedLoginError:
    return RefusedLoginError(Refusal.UNTRUSTED, message)
