"""A provider of identities (OpenID Connect) that does what a test says: a real HTTP server with keys of its own.

It conforms where it is not told to lie: discovery, authorization code flow with PKCE, tokens, keys, user information.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "rixin-test"
CLIENT_SECRET = "a secret between two servers"


@dataclass
class Grant:
    """What a code is worth, once."""

    redirect_uri: str
    challenge: str
    nonce: str | None


@dataclass
class IdentityProvider:
    """The server: `async with IdentityProvider() as provider`, then `provider.issuer`."""

    claims: dict[str, Any] = field(default_factory=lambda: {"sub": "1"})
    """What it says of whoever logs in."""
    user_info: dict[str, Any] | None = None
    """What it tells besides, at another address; nothing unless set."""
    lies: dict[str, Any] = field(default_factory=dict[str, Any])
    """Claims that it puts in place of true ones; None leaves one out."""
    algorithm: str = "RS256"
    refusal: str | None = None
    """The error that it sends browsers back with."""
    issuer: str = ""
    asked: list[str] = field(default_factory=list[str])
    """The paths of all requests."""

    async def __aenter__(self) -> Self:
        self.renew_keys()
        self._grants: dict[str, Grant] = {}
        self._tokens: set[str] = set()
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._describe)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_post("/token", self._token)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/userinfo", self._user_info)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self.issuer = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def renew_keys(self) -> None:
        """Signs with another key from now on, and tells that one only."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    async def _describe(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(
            {
                "issuer": self.lies.get("issuer", self.issuer),
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        asked = request.query
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        answer = {"state": asked["state"], "iss": self.lies.get("iss_parameter", self.issuer)}
        if self.refusal is not None:
            answer["error"] = self.refusal
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self._grants[answer["code"]] = Grant(asked["redirect_uri"], asked["code_challenge"], asked.get("nonce"))
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        form = await request.post()
        credentials = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        grant = self._grants.pop(str(form.get("code")), None)
        digest = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        if (
            request.headers.get("authorization") != f"Basic {credentials}"
            or form.get("grant_type") != "authorization_code"
            or grant is None
            or grant.redirect_uri != form.get("redirect_uri")
            or grant.challenge != _text(digest)
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        access_token = secrets.token_urlsafe(16)
        self._tokens.add(access_token)
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": grant.nonce}
        claims = {name: value for name, value in (said | self.claims | self.lies).items() if value is not None}
        for name in ("issuer", "iss_parameter"):
            claims.pop(name, None)
        return web.json_response(
            {"access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": self._signed(claims)}
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm in ("none", "HS256"):
            signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
            # The public key taken for a shared secret.
            public = self.key.as_pem(private=False)
            signature = hmac.digest(public, signed.encode(), "sha256") if self.algorithm == "HS256" else b""
            return f"{signed}.{_text(signature)}"
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    async def _keys(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def _user_info(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response(self.user_info or {"sub": self.claims["sub"]})


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
