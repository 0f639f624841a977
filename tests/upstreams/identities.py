"""A provider of identities (OpenID Connect) that does what a test says: `python -m tests.upstreams.identities`.

A real HTTP server with keys of its own. It conforms where it is not told to lie: discovery, authorization code flow
with PKCE, tokens, keys, user information. Its first line tells where it is. Then a line of its input is a `Behaviour`,
which holds until the next one; each is answered by a line with the paths that were asked for since the one before. It
ends when its input does. Tests have it by `tests.support.identity_provider`.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT_ID = "rixin-test"
CLIENT_SECRET = "a secret between two servers"


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says of whoever logs in, and of itself."""

    claims: dict[str, Any] = msgspec.field(default_factory=lambda: {"sub": "1"})
    """What it says of whoever logs in."""
    user_info: dict[str, Any] | None = None
    """What it tells besides, at another address; nothing unless set."""
    lies: dict[str, Any] = {}
    """Claims that it puts in place of true ones; None leaves one out."""
    algorithm: str = "RS256"
    key: int = 0
    """Which of its keys it signs with, and tells: that one only. Each is made when it is first named."""
    refusal: str | None = None
    """The error that it sends browsers back with."""


@dataclass
class Grant:
    """What a code is worth, once."""

    redirect_uri: str
    challenge: str
    nonce: str | None


class Provider:
    """The server's routes."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.issuer = ""
        self.asked: list[str] = []
        """The paths of all requests, until somebody takes them."""
        self._grants: dict[str, Grant] = {}
        self._tokens: set[str] = set()
        self._keys_made: dict[int, RSAKey] = {}
        self.app = web.Application()
        self.app.router.add_get("/.well-known/openid-configuration", self._describe)
        self.app.router.add_get("/authorize", self._authorize)
        self.app.router.add_post("/token", self._token)
        self.app.router.add_get("/keys", self._keys)
        self.app.router.add_get("/userinfo", self._user_info)

    @property
    def _key(self) -> RSAKey:
        number = self.behaviour.key
        if number not in self._keys_made:
            self._keys_made[number] = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})
        return self._keys_made[number]

    async def _describe(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(
            {
                "issuer": self.behaviour.lies.get("issuer", self.issuer),
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
        answer = {"state": asked["state"], "iss": self.behaviour.lies.get("iss_parameter", self.issuer)}
        if self.behaviour.refusal is not None:
            answer["error"] = self.behaviour.refusal
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
        said: dict[str, Any] = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
        }
        said |= self.behaviour.claims | self.behaviour.lies
        elsewhere = ("issuer", "iss_parameter")
        claims = {name: value for name, value in said.items() if value is not None and name not in elsewhere}
        return web.json_response(
            {"access_token": access_token, "token_type": "Bearer", "expires_in": 300, "id_token": self._signed(claims)}
        )

    def _signed(self, claims: dict[str, Any]) -> str:
        algorithm = self.behaviour.algorithm
        header = {"alg": algorithm, "kid": self._key.kid}
        if algorithm in ("none", "HS256"):
            signed = ".".join(_text(json.dumps(part).encode()) for part in (header, claims))
            # The public key taken for a shared secret.
            public = self._key.as_pem(private=False)
            signature = hmac.digest(public, signed.encode(), "sha256") if algorithm == "HS256" else b""
            return f"{signed}.{_text(signature)}"
        return jwt.encode(header, claims, self._key, algorithms=[algorithm])

    async def _keys(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(KeySet([self._key]).as_dict(private=False))

    async def _user_info(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response(self.behaviour.user_info or {"sub": self.behaviour.claims["sub"]})


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


async def main() -> None:
    """Serves until the input ends."""
    provider = Provider()
    runner = web.AppRunner(provider.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    provider.issuer = f"http://127.0.0.1:{port}"
    print(provider.issuer, flush=True)  # noqa: T201 - the program's answer
    while line := await asyncio.to_thread(sys.stdin.readline):
        provider.behaviour = msgspec.json.decode(line, type=Behaviour)
        print(json.dumps(provider.asked), flush=True)  # noqa: T201 - the program's answer
        provider.asked.clear()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
