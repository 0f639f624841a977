"""Logging in by a provider of identities (OpenID Connect): who that is here.

A person is known by the provider's subject, which it never gives to another one. When somebody comes for the first
time, their e-mail address counts, if the provider has verified it: it makes them the user who was invited under it, or
a new one where the settings allow that. It never opens an account that has a password or an identity already.
"""

import base64
import hmac
from collections.abc import Mapping
from typing import Any, Protocol, cast

import msgspec
from msgspec import Struct

from rixin.accounts.audit import Act, Actor
from rixin.accounts.logins import NewLogin
from rixin.accounts.people import People
from rixin.accounts.refused_login import Refusal, RefusedLoginError
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.accounts.user_rules import UserChange, UserWish, normalize_email
from rixin.clock import Clock, random_text
from rixin.errors import Kind, RixinError
from rixin.settings import Oidc, Role
from rixin.store import users as store
from rixin.store.database import Database
from rixin.store.schema import users as columns
from rixin.store.users import Identity, User

LIFETIME = 600.0
"""Seconds in which somebody must have come back from the provider."""
PROVIDER = Actor(id="oidc", name="OpenID Connect")
MAX_SUBJECT = 255


class Question(Struct, frozen=True, kw_only=True):
    """What a browser was sent to the provider with; it keeps that, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str
    expires_at: float
    back: str = ""
    """Where the browser was, as whoever began the login tells it."""


class Start(Struct, frozen=True):
    """Where a browser is sent, and what it keeps meanwhile."""

    url: str
    kept: str


class Arrival(Struct, frozen=True):
    """Somebody who has come in, and where their browser was before."""

    login: NewLogin
    back: str


class Provider(Protocol):
    """The provider, as far as it matters here: an `OidcProvider`."""

    issuer: str

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent."""
        ...

    async def claims(self, query: Mapping[str, str], *, nonce: str, verifier: str) -> dict[str, Any]:
        """What the provider says of somebody who comes back with a query. Raises `UNAUTHENTICATED`."""
        ...


class OidcLogin:
    """Logs people in.

    Args:
        settings: Of the provider.
        provider: Which.
        people: Of this server.
        database: Where they are stored.
        root_secret: What browsers keep is sealed with.
        clock: Time.
    """

    def __init__(
        self,
        settings: Oidc,
        provider: Provider,
        people: People,
        database: Database,
        root_secret: RootSecret,
        clock: Clock,
    ) -> None:
        self.name = settings.name
        self._settings = settings
        self._provider = provider
        self._people = people
        self._database = database
        self._box = SealedBox(root_secret, "oidc")
        self._clock = clock

    async def start(self, back: str = "") -> Start:
        """Begins. Raises where the provider cannot be asked.

        Args:
            back: Where the browser is; `finish` gives it back.
        """
        expires_at = self._clock.now() + LIFETIME
        question = Question(
            state=random_text(24), nonce=random_text(24), verifier=random_text(48), expires_at=expires_at, back=back
        )
        url = await self._provider.authorization_url(
            state=question.state, nonce=question.nonce, verifier=question.verifier
        )
        sealed = self._box.seal(msgspec.json.encode(question), "login")
        return Start(url, base64.urlsafe_b64encode(sealed).decode().rstrip("="))

    async def finish(self, query: Mapping[str, str], kept: str | None, address: str | None) -> Arrival:
        """Logs somebody in who comes back from the provider.

        Args:
            query: What they come with.
            kept: What their browser has kept.
            address: Where they are.

        Raises:
            RefusedLoginError: `UNAUTHENTICATED` where they were not sent from here, took too long, or the provider does
                not stand for them; `PERMISSION_DENIED` where they are nobody here; `CONFLICT` where their e-mail
                address is somebody's who logs in another way.
            RixinError: What `OidcProvider` raises where it cannot be asked.
        """
        question = self._opened(kept)
        if not hmac.compare_digest(query.get("state", "").encode(), question.state.encode()):
            raise RefusedLoginError(Refusal.STRAY, "The login was begun in another browser, or twice. Begin it again.")
        claims = await self._provider.claims(query, nonce=question.nonce, verifier=question.verifier)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_SUBJECT:
            raise RefusedLoginError(Refusal.UNTRUSTED, "The provider does not say who you are.")
        user = await self._user(Identity(self._provider.issuer, subject), claims, address)
        user = await self._with_role(user, claims)
        async with self._database.begin() as connection:
            if user.disabled_at is not None:
                raise RefusedLoginError(Refusal.DISABLED, "This user is disabled.")
            await store.change(connection, user.id, last_login_at=self._clock.now())
            login = await self._people.logins.begin(connection, user.id, "oidc")
            by = Actor(id=user.id, name=user.name, address=address)
            await self._people.audit.append(connection, Act(actor=by, action="login", target=user.id))
        return Arrival(login, question.back)

    def _opened(self, kept: str | None) -> Question:
        try:
            sealed = base64.urlsafe_b64decode((kept or "") + "=" * (-len(kept or "") % 4))
            question = msgspec.json.decode(self._box.open(sealed, "login"), type=Question)
        except (ValueError, RixinError):
            message = "This login was not begun here, or not in this browser. Begin it again."
            raise RefusedLoginError(Refusal.STRAY, message) from None
        if question.expires_at <= self._clock.now():
            raise RefusedLoginError(Refusal.EXPIRED, "The login took too long. Begin it again.")
        return question

    async def _user(self, identity: Identity, claims: Mapping[str, Any], address: str | None) -> User:
        async with self._database.read() as connection:
            known = await store.identified(connection, identity)
        if known is not None:
            return known
        email = _verified_email(claims)
        draft = await self._people.users.draft(
            UserWish(email=email, name=_name(claims, email), role=self._role(claims) or self._settings.default_role)
        )
        by = Actor(id=PROVIDER.id, name=self.name, address=address)
        async with self._people.users.changing() as connection:
            user = await store.find(connection, columns.c.email == email)
            if user is None:
                self._check_allowed(email)
                user = await self._people.users.add(connection, draft, by)
            elif await store.password_of(connection, user.id) or await store.has_identity(connection, user.id):
                message = "There is a user with your e-mail address who logs in another way. Ask an owner."
                raise RefusedLoginError(Refusal.OTHER_WAY, message, Kind.CONFLICT)
            await store.link(connection, user.id, identity, self._clock.now())
            detail = {"issuer": identity.issuer, "subject": identity.subject}
            await self._people.audit.append(
                connection, Act(actor=by, action="user.link", target=user.id, detail=detail)
            )
        return user

    async def _with_role(self, user: User, claims: Mapping[str, Any]) -> User:
        """A user with the role that their claims say, where claims do."""
        if self._settings.role_claim is None:
            return user
        role = self._role(claims) or self._settings.default_role
        if role == user.role:
            return user
        try:
            return await self._people.users.change(user.id, UserChange(role=role), PROVIDER)
        except RixinError as error:
            if error.kind is not Kind.CONFLICT:
                raise
            return user  # the last owner stays one, whatever the provider says

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """What claims make somebody; None where they say nothing."""
        said: object = claims.get(self._settings.role_claim or "")
        values = cast("list[object]", said) if isinstance(said, list) else [said]
        return next((role for value, role in self._settings.roles.items() if value in values), None)

    def _check_allowed(self, email: str) -> None:
        settings = self._settings
        domains = {domain.lower().removeprefix("@") for domain in settings.allowed_domains}
        if email.rpartition("@")[2] not in domains and email not in {each.lower() for each in settings.allowed_emails}:
            message = "You are no user of this server. Ask an owner to invite you."
            raise RefusedLoginError(Refusal.STRANGER, message, Kind.PERMISSION_DENIED)


def _verified_email(claims: Mapping[str, Any]) -> str:
    email, verified = claims.get("email"), claims.get("email_verified")
    if not isinstance(email, str) or verified not in (True, "true"):
        message = "The provider of identities has not verified your e-mail address."
        raise RefusedLoginError(Refusal.UNVERIFIED, message, Kind.PERMISSION_DENIED)
    return normalize_email(email)


def _name(claims: Mapping[str, Any], email: str) -> str:
    """What somebody is called: the first of what the provider tells that can be a name."""
    told = (claims.get(name) for name in ("name", "preferred_username"))
    name = next((text for text in told if isinstance(text, str) and text.strip() and text.isprintable()), email)
    return name.strip()[:100]
