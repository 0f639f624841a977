"""The key ring: keys are made, recognised, disabled and deleted here, and nowhere else.

An API key is known by a keyed digest only, an access key by the tokens that it signs.
"""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec
import structlog

from rixin.accounts import access_keys
from rixin.accounts.access_keys import Claims, CreatedAccessKey, MintedToken
from rixin.accounts.account import Account
from rixin.accounts.api_keys import SHOWN_LENGTH, CreatedKey, new_secret
from rixin.accounts.audit import NOBODY, OPERATOR, Act, Actor, AuditLog
from rixin.accounts.key_account import role_of
from rixin.accounts.key_rules import KeyWish, check_name, check_owner, check_wish
from rixin.accounts.known_keys import MAX_KNOWN, KnownKey, KnownKeys
from rixin.accounts.remembered import Remembered
from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.clock import Clock, random_bytes, uuid7
from rixin.dialects.sensenova_native import tokens
from rixin.errors import Kind, RixinError, invalid
from rixin.store.database import Database
from rixin.store.keys import Also, Key, KeyKind, KeyTable, Reach
from rixin.store.polling import poll_always

PURPOSE = "access key secrets"
"""What the secrets of access keys are sealed for."""
USED_INTERVAL = 30.0
"""Seconds between two writings of when keys were last used."""
MAX_TOKENS = 10_000
MAX_LISTED = 1000

_ID = re.compile(r"key_[0-9a-f]{32}")

log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(__name__)


class KeyRing:
    """The keys of one database, as one process knows them.

    Args:
        database: Where they are stored.
        root_secret: What their digests are made with.
        clock: Time.
    """

    def __init__(self, database: Database, root_secret: RootSecret, clock: Clock) -> None:
        self._table = KeyTable(database)
        self._audit = AuditLog(database, root_secret, clock)
        self._digest_key = root_secret.derive("api key digest")
        self._access_digest_key = root_secret.derive("access key digest")
        self._box = SealedBox(root_secret, PURPOSE)
        self._clock = clock
        self._quick_key = random_bytes(32)
        self._digests: Remembered[bytes] = Remembered(MAX_KNOWN)
        """By a digest that counts in this process only."""
        self._known = KnownKeys(self._table, self._box, clock)
        self._verified: Remembered[Claims] = Remembered(MAX_TOKENS)
        self._used: dict[str, float] = {}
        self._used_written = clock.monotonic()

    async def authenticate(self, credential: str, address: str | None) -> Account:
        """Whose credential this is. Waits for nothing where its key is known.

        Args:
            credential: An API key, or a token signed with an access key, as the client sent it.
            address: Where the client is; None where there is no address, as on a Unix socket.

        Raises:
            RixinError: `UNAUTHENTICATED` for a key that is unknown, disabled or expired, and for a token that is not in
                order; `RATE_LIMITED` when too many unknown ones came from the address; `OVERLOADED` when the store must
                be asked and cannot be.
        """
        digest = self._digest(credential)
        if self._known.stale:
            await self._known.poll()
        if access_keys.is_token(credential):
            known = await self._signer(credential, digest, address)
        elif (known := await self._known.find(digest, address)) is None:
            raise RixinError(Kind.UNAUTHENTICATED, "This API key is not known here.")
        if known.refusal is not None:
            raise RixinError(Kind.UNAUTHENTICATED, known.refusal)
        account = known.account
        now = self._clock.now()
        if account.expires_at is not None and account.expires_at <= now:
            raise RixinError(Kind.UNAUTHENTICATED, "This API key has expired.")
        self._used[account.id] = now
        return account

    async def create(
        self,
        name: str,
        scopes: Collection[str] = ("inference",),
        models: Sequence[str] = (),
        plan: str | None = None,
        expires_at: float | None = None,
        *,
        creator: Account | None = None,
    ) -> CreatedKey:
        """Makes an API key of what a `KeyWish` says. Raises as `create_api_key` does."""
        wish = KeyWish(
            name=name, scopes=tuple(scopes), models=tuple(models), plan=plan, expires_at=expires_at, creator=creator
        )
        return await self.create_api_key(wish)

    async def create_api_key(self, wish: KeyWish, by: Actor = OPERATOR) -> CreatedKey:
        """Makes an API key.

        Args:
            wish: What it shall be.
            by: Who makes it, for the audit log.

        Raises:
            RixinError: `INVALID_REQUEST` naming what is wrong with the wish; `PERMISSION_DENIED` when its creator may
                not give that; `OVERLOADED` when the store cannot be used.
        """
        secret = new_secret()
        key = await self._new_key(wish, "api", secret[:SHOWN_LENGTH])
        await self._table.add(key, self._digest(secret), also=self._noted(by, "key.create", key.id, _told(key)))
        self._known.distrust()
        return CreatedKey(id=key.id, key=secret)

    async def create_access_key(self, wish: KeyWish, by: Actor = OPERATOR) -> CreatedAccessKey:
        """Makes an access key, whose secret signs tokens. Raises as `create_api_key` does."""
        access_key_id, secret = access_keys.new_id(), access_keys.new_secret()
        key = await self._new_key(wish, "access", access_key_id)
        sealed = self._box.seal(secret.encode(), access_key_id)
        noted = self._noted(by, "key.create", key.id, _told(key))
        await self._table.add(key, self._access_digest(access_key_id), sealed, also=noted)
        self._known.distrust()
        return CreatedAccessKey(id=key.id, access_key_id=access_key_id, secret_access_key=secret)

    async def mint_token(self, access_key_id: str, lifetime: int = tokens.LIFETIME) -> MintedToken:
        """Signs a token as the holder of an access key would; it counts for `lifetime` seconds.

        Raises:
            RixinError: `NOT_FOUND` where there is no such access key; `OVERLOADED` when the store cannot be used.
        """
        known = await self._known.learn(self._access_digest(access_key_id))
        if known is None or known.secret is None:
            raise RixinError(Kind.NOT_FOUND, "There is no access key with this id.")
        now = int(self._clock.now())
        token = tokens.mint(access_key_id, known.secret.decode(), now, lifetime)
        return MintedToken(token=token, expires_at=now + lifetime)

    async def create_first(self, secret: str, name: str, scopes: Collection[str]) -> str | None:
        """Makes a key of a secret from `new_secret`, unless there are keys already, even if they are disabled.

        Returns:
            The key's id, or None where there are keys; of several processes, one gets an id.
        """
        key = Key(
            id=self._new_id(),
            name=name,
            prefix=secret[:SHOWN_LENGTH],
            scopes=tuple(sorted(scopes)),
            created_at=self._clock.now(),
        )
        noted = self._noted(NOBODY, "key.create", key.id, _told(key))
        if not await self._table.add_first(key, self._digest(secret), also=noted):
            return None
        self._known.distrust()
        return key.id

    async def list(
        self,
        *,
        search: str | None = None,
        after: str | None = None,
        limit: int = MAX_LISTED,
        reach: Reach | None = None,
        user: str | None = None,
        team: str | None = None,
    ) -> list[Key]:
        """Keys in the order of their making, without their secrets, which nobody has.

        Args:
            search: What the name must contain, whatever its case.
            after: The id of the last key of the page before this one.
            limit: At most so many, up to 1000.
            reach: Within which they must be; None means all.
            user: The id of the user whose they must be.
            team: The id of the team that they must count for.

        Raises:
            RixinError: `INVALID_REQUEST` naming the argument; `OVERLOADED` when the store cannot be used.
        """
        if search is not None:
            check_name(search)
        if after is not None and not _ID.fullmatch(after):
            raise invalid("after must be the id of a key", "after")
        if not 1 <= limit <= MAX_LISTED:
            raise invalid(f"limit must lie between 1 and {MAX_LISTED}", "limit")
        return await self._table.list(search=search, after=after, limit=limit, reach=reach, user_id=user, team_id=team)

    async def disable(self, id: str, by: Actor = OPERATOR, *, reach: Reach | None = None) -> None:  # noqa: A002 - it is the id
        """Lets a key count no more, until it is enabled again.

        Args:
            id: Which.
            by: Who does it, for the audit log.
            reach: Within which it must be; None means all.

        Raises:
            RixinError: `NOT_FOUND` where there is none; `OVERLOADED` when the store cannot be used.
        """
        noted = self._noted(by, "key.disable", id)
        await self._change(id, lambda: self._table.set_disabled(id, self._clock.now(), reach=reach, also=noted))

    async def enable(self, id: str, by: Actor = OPERATOR, *, reach: Reach | None = None) -> None:  # noqa: A002 - it is the id
        """Lets a disabled key count again. As `disable`."""
        noted = self._noted(by, "key.enable", id)
        await self._change(id, lambda: self._table.set_disabled(id, None, reach=reach, also=noted))

    async def delete(self, id: str, by: Actor = OPERATOR, *, reach: Reach | None = None) -> None:  # noqa: A002 - it is the id
        """Removes a key for good; what it used stays on record. As `disable`."""
        noted = self._noted(by, "key.delete", id)
        await self._change(id, lambda: self._table.delete(id, reach=reach, also=noted))

    async def poll(self) -> None:
        """Asks the store whether any key has changed, in whatever process.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be asked.
        """
        await self._known.poll()

    async def run(self) -> None:
        """Polls each second, and now and then writes when keys were last used, until it is cancelled."""

        async def keep_up() -> None:
            await self.poll()
            if self._clock.monotonic() - self._used_written >= USED_INTERVAL:
                await self.write_used()

        await poll_always(keep_up, "keys")

    async def write_used(self) -> None:
        """Writes when keys were last used.

        Raises:
            RixinError: `OVERLOADED` when the store cannot be used; nothing is forgotten.
        """
        used, self._used = self._used, {}
        self._used_written = self._clock.monotonic()
        try:
            await self._table.touch(used)
        except BaseException:
            self._used = used | self._used
            raise

    async def aclose(self) -> None:
        """Ends what is under way in the store. Call it when `run` has ended and before the database is closed."""
        await self._known.settle()
        try:
            await self.write_used()
        except RixinError as error:
            log.warning("When keys were last used could not be written", detail=error.detail or error.message)

    def _digest(self, secret: str) -> bytes:
        encoded = secret.encode("utf-8", "surrogatepass")
        # The digest that is stored takes longer to make than all else that is asked of a known key.
        quick = hashlib.blake2s(encoded, key=self._quick_key).digest()
        digest = self._digests.get(quick)
        if digest is None:
            digest = hmac.digest(self._digest_key, encoded, "sha256")
            self._digests[quick] = digest
        return digest

    def _access_digest(self, access_key_id: str) -> bytes:
        return hmac.digest(self._access_digest_key, access_key_id.encode("utf-8", "surrogatepass"), "sha256")

    async def _new_key(self, wish: KeyWish, kind: KeyKind, prefix: str) -> Key:
        wish = _with_owner(wish)
        check_wish(wish, self._clock.now())
        owner = await self._table.owner(wish.user, wish.team)
        if not owner.stands:
            message = "There is no such user or team, the user is disabled, or is not in the team."
            raise invalid(message, "user" if wish.team is None else "team")
        check_owner(wish, role_of(owner))
        return Key(
            id=self._new_id(),
            name=wish.name,
            prefix=prefix,
            scopes=tuple(sorted(set(wish.scopes))),
            models=wish.models,
            plan=wish.plan,
            created_at=self._clock.now(),
            expires_at=wish.expires_at,
            creator=None if wish.creator is None else wish.creator.id,
            kind=kind,
            user_id=wish.user,
            team_id=wish.team,
            dialects=wish.dialects,
            networks=wish.networks,
        )

    def _noted(self, by: Actor, action: str, target: str, detail: Mapping[str, object] | None = None) -> Also:
        act = Act(actor=by, action=action, target=target, detail=detail or {})
        return lambda connection: self._audit.append(connection, act)

    def _new_id(self) -> str:
        return "key_" + uuid7(self._clock.now()).replace("-", "")

    async def _change(self, id: str, change: Callable[[], Awaitable[bool]]) -> None:  # noqa: A002 - it is the id
        if not _ID.fullmatch(id) or not await change():
            raise RixinError(Kind.NOT_FOUND, "There is no API key with this id.")
        self._known.distrust()

    async def _signer(self, credential: str, digest: bytes, address: str | None) -> KnownKey:
        """The access key that signed a token. That it did is checked once; whether both still count, each time."""
        claims = self._verified.get(digest)
        if claims is not None:
            known, _ = await self._named(claims, address)
        else:
            token = access_keys.parse(credential)
            claims = token.claims
            known, secret = await self._named(claims, address)
            token.verify(secret)
            self._verified[digest] = claims
        claims.check(self._clock.now())
        return known

    async def _named(self, claims: Claims, address: str | None) -> tuple[KnownKey, bytes]:
        """The access key that a token says it was signed with, and its secret."""
        known = await self._known.find(self._access_digest(claims.iss), address)
        if known is None or known.secret is None:
            raise access_keys.unknown_signer()
        return known, known.secret


def _with_owner(wish: KeyWish) -> KeyWish:
    """A wish with the user and the team that it shall belong to, which are its creator's unless it says otherwise."""
    if wish.creator is None:
        return wish
    return msgspec.structs.replace(wish, user=wish.user or wish.creator.user, team=wish.team or wish.creator.team)


def _told(key: Key) -> dict[str, object]:
    """What the audit log tells of a new key."""
    names = ("name", "kind", "scopes", "models", "plan", "expires_at", "user_id", "team_id", "dialects", "networks")
    return {name: value for name in names if (value := getattr(key, name))}
