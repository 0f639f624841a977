"""Access keys, and the tokens that they sign, in one process and in several."""

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.accounts.access_keys import CreatedAccessKey, is_token, parse
from rixin.accounts.account import Account
from rixin.accounts.credentials import MAX_LENGTH
from rixin.accounts.key_rules import KeyWish
from rixin.accounts.keys import KeyRing
from rixin.accounts.root_secret import RootSecret
from rixin.dialects.sensenova_native.tokens import mint
from rixin.errors import Kind, RixinError
from rixin.store.database import Database
from tests.accounts.manual_clock import ManualClock
from tests.support.databases import content, outage

HERE = "192.0.2.1"
HEADER = {"alg": "HS256", "typ": "JWT"}


def segment(data: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode_jwt_token(access_key_id: str, secret: str, now: float, header: object = None, **claims: Any) -> str:
    """A token made by hand, as a client without any library makes one; a claim that is `...` is left out."""
    payload = {"iss": access_key_id, "exp": int(now) + 1800, "nbf": int(now) - 5, **claims}
    payload = {name: value for name, value in payload.items() if value is not ...}
    parts = [segment(json.dumps(part).encode()) for part in (HEADER if header is None else header, payload)]
    signed = ".".join(parts)
    return f"{signed}.{segment(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())}"


@pytest.fixture
async def pair(ring: KeyRing) -> CreatedAccessKey:
    """An access key."""
    return await ring.create_access_key(KeyWish(name="Ada's script"))


async def refusal(ring: KeyRing, credential: str) -> str:
    """Why a credential is not taken."""
    with pytest.raises(RixinError) as caught:
        await ring.authenticate(credential, HERE)
    assert caught.value.kind is Kind.UNAUTHENTICATED
    return caught.value.message


async def test_a_token_opens_the_account_of_its_access_key(ring: KeyRing, clock: ManualClock) -> None:
    """Whoever signs with the secret is recognised, with all that the key was made with."""
    created = await ring.create_access_key(
        KeyWish(name="Ada's script", scopes=("inference", "metrics"), models=("gpt-*",), plan="free")
    )
    assert re.fullmatch(r"ak-rx-[A-Za-z0-9_-]{20}", created.access_key_id)
    assert re.fullmatch(r"sk-ak-[A-Za-z0-9_-]{43}", created.secret_access_key)
    account = Account(
        id=created.id,
        name="Ada's script",
        scopes=frozenset({"inference", "metrics"}),
        models=("gpt-*",),
        plan="free",
    )
    for token in (
        encode_jwt_token(created.access_key_id, created.secret_access_key, clock.now()),
        encode_jwt_token(created.access_key_id, created.secret_access_key, clock.now(), nbf=...),
        mint(created.access_key_id, created.secret_access_key, int(clock.now())),
    ):
        assert await ring.authenticate(token, HERE) == account
        assert await ring.authenticate(token, HERE) == account
    [listed] = await ring.list()
    assert (listed.kind, listed.prefix) == ("access", created.access_key_id)


async def test_neither_half_of_the_pair_is_a_credential(ring: KeyRing, pair: CreatedAccessKey) -> None:
    """The id is no secret, and the secret is never sent."""
    for credential in (pair.access_key_id, pair.secret_access_key):
        assert await refusal(ring, credential) == "This API key is not known here."


async def test_an_api_key_signs_nothing(ring: KeyRing, clock: ManualClock) -> None:
    """Whatever a token names as its signer, a key of the other kind is none."""
    created = await ring.create("laptop")
    for name in (created.id, created.key, "laptop", ""):
        token = encode_jwt_token(name, created.key, clock.now())
        assert "not signed with an access key" in await refusal(ring, token)


async def test_a_token_ends_and_begins_with_a_minute_of_grace(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """Clocks differ by up to 60 seconds, and a token counts no longer than that beyond what it says."""
    now = clock.now()

    def token(**claims: Any) -> str:
        return encode_jwt_token(pair.access_key_id, pair.secret_access_key, now, **claims)

    assert await ring.authenticate(token(exp=now - 59.5), HERE)
    assert "has expired" in await refusal(ring, token(exp=now - 60))
    assert await ring.authenticate(token(nbf=now + 60), HERE)
    assert "does not count yet" in await refusal(ring, token(nbf=now + 60.5))
    lasting = token(exp=now + 120)
    assert await ring.authenticate(lasting, HERE)
    clock.advance(179.5)
    assert await ring.authenticate(lasting, HERE)
    clock.advance(0.5)
    assert "has expired" in await refusal(ring, lasting)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": ...},
        {"exp": None},
        {"exp": "1900000000"},
        {"exp": True},
        {"exp": float("inf")},
        {"exp": [1900000000]},
        {"nbf": "soon"},
        {"iss": ...},
        {"iss": None},
        {"iss": 7},
        {"iss": ["ak"]},
    ],
    ids=str,
)
async def test_a5_claims_of_the_wrong_kind_are_refused(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock, claims: dict[str, Any]
) -> None:
    """A token without an end, or without a signer, is none, be it signed as well as can be."""
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now(), **claims)
    assert "malformed" in await refusal(ring, token)


async def test_a5_a_token_for_somebody_else_is_refused(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """An audience names another server, since we have no name (RFC 7519, section 4.1.3)."""
    for audience in ("https://api.sensenova.cn", ["x"], ""):
        token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now(), aud=audience)
        assert "audience" in await refusal(ring, token)


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none", "typ": "JWT"},
        {"alg": "None"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"alg": None},
        {"alg": 256},
        {"typ": "JWT"},
        [],
        "HS256",
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "crit": ["b64"], "b64": False},
    ],
    ids=str,
)
async def test_a5_no_other_algorithm_is_taken(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock, header: object
) -> None:
    """The header decides nothing: what is not HS256 is refused although the signature is right."""
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now(), header)
    await refusal(ring, token)
    unsigned = token.rpartition(".")[0] + "."
    assert is_token(unsigned)
    await refusal(ring, unsigned)


async def test_a5_a_public_key_is_no_secret(ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock) -> None:
    """Tokens truly signed with RSA or ECDSA are refused, and so is HMAC with the text of such a key."""
    now = clock.now()
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    curve = ec.generate_private_key(ec.SECP256R1())
    for algorithm in ("RS256", "ES256"):
        signed = encode_jwt_token(pair.access_key_id, "", now, {"alg": algorithm}).rpartition(".")[0]
        signature = (
            private.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
            if algorithm == "RS256"
            else curve.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        )
        assert "HS256" in await refusal(ring, f"{signed}.{segment(signature)}")
    assert "not signed with" in await refusal(ring, encode_jwt_token(pair.access_key_id, public.decode(), now))


@pytest.mark.parametrize(
    "names",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "' OR 1=1; --"},
        {"kid": "x" * 300},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jku": "http://127.0.0.1/keys"},
        {"x5u": "http://127.0.0.1/keys"},
    ],
    ids=str,
)
async def test_a5_a_header_names_no_key(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock, names: dict[str, object]
) -> None:
    """Signed with the key that the header brings, or with nothing, a token is refused: only `iss` says whose it is."""
    for secret in ("", "\0", "\0\0\0"):
        token = encode_jwt_token(pair.access_key_id, secret, clock.now(), {**HEADER, **names})
        assert "not signed with an access key" in await refusal(ring, token)


async def test_what_else_stands_in_a_header_is_no_matter(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """Names that mean nothing to us, and keys that we do not look at, refuse nobody who signed as they should."""
    for names in ({"ver": "1"}, {"kid": "x"}, {"jwk": {"kty": "oct", "k": "AAAA"}}, {"typ": "at+jwt"}):
        header = {**HEADER, **names}
        token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now(), header)
        assert (await ring.authenticate(token, HERE)).id == pair.id


async def test_a5_tokens_that_begin_alike_are_not_alike(
    ring: KeyRing, clock: ManualClock, pair: CreatedAccessKey
) -> None:
    """Two tokens that differ in their last characters only are told apart, also once one of them is known."""
    other = await ring.create_access_key(KeyWish(name="other"))
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now(), note="x" * 200)
    assert (await ring.authenticate(token, HERE)).id == pair.id
    forged = token[:-2] + ("AA" if not token.endswith("AA") else "BB")
    assert "not signed with" in await refusal(ring, forged)
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    stolen = segment(json.dumps({**claims, "iss": other.access_key_id}).encode())
    assert "not signed with" in await refusal(ring, f"{header}.{stolen}.{signature}")
    longer = segment(json.dumps({**claims, "exp": claims["exp"] + 1}).encode())
    assert "not signed with" in await refusal(ring, f"{header}.{longer}.{signature}")


def test_what_has_the_form_of_a_token() -> None:
    """Three parts of base64url; neither our keys nor those of others are."""
    assert is_token("a.b.c")
    assert is_token("a.b.")
    for credential in ("sk-rx-abc", "ak-rx-abc", "a.b", "a.b.c.d", "a b.c.d", "..", "é.b.c", "a.b.c\n", "a+.b.c"):
        assert not is_token(credential)


@pytest.mark.parametrize(
    "token",
    [
        "a.b.c",
        "....",
        "e30.e30.e30",
        f"{segment(b'[' * 300)}.e30.x",
        f"{segment(json.dumps(HEADER).encode())}.{segment(b'[' * 2900)}.x",
        f"{segment(json.dumps(HEADER).encode())}.{segment(b'null')}.x",
        f"{segment(json.dumps(HEADER).encode())}.{segment(bytes([255, 254]))}.x",
        f"{segment(json.dumps(HEADER).encode())}.a.x",
        "A" * 1360 + "." + "A" * 1360 + "." + "A" * 1360,
    ],
    ids=range(9),
)
async def test_a5_what_is_no_token_is_refused(ring: KeyRing, token: str) -> None:
    """Deep, huge, broken or foreign texts are an ordinary refusal, never a failure of ours."""
    assert len(token) <= MAX_LENGTH
    await refusal(ring, token)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("HS256"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HEADER_NAMES = st.sampled_from(["alg", "typ", "cty", "kid", "jku", "jwk", "x5u", "x5c", "x5t", "crit", "b64", "x"])
CLAIM_NAMES = st.sampled_from(["iss", "exp", "nbf", "iat", "aud", "sub", "jti", "x"])


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(JSON, st.dictionaries(HEADER_NAMES, JSON).map(lambda names: {"alg": "HS256", **names}), st.just(HEADER)),
    st.one_of(JSON, st.dictionaries(CLAIM_NAMES, JSON).map(lambda names: {"iss": "a", "exp": 1, **names})),
    st.binary(max_size=40),
)
def test_a5_any_token_is_refused_in_our_own_words(header: object, payload: object, signature: bytes) -> None:
    """Whatever stands in it, a token that nobody signed is an error of the client's."""
    parts = [json.dumps(part).encode() for part in (header, payload)]
    with pytest.raises(RixinError) as caught:
        parse(".".join(segment(part) for part in (*parts, signature))).verify(b"the secret of an access key, unknown")
    assert caught.value.kind is Kind.UNAUTHENTICATED


async def test_unknown_signers_are_slowed_down(ring: KeyRing, clock: ManualClock) -> None:
    """Guesses of access key ids count as those of keys do."""
    kinds: list[Kind] = []
    for number in range(21):
        with pytest.raises(RixinError) as caught:
            await ring.authenticate(encode_jwt_token(f"ak-rx-{number}", "secret", clock.now()), HERE)
        kinds.append(caught.value.kind)
    assert kinds == [Kind.UNAUTHENTICATED] * 20 + [Kind.RATE_LIMITED]


async def test_who_asks_learns_not_which_half_was_wrong(
    ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """An unknown id and a wrong secret are refused in the same words."""
    unknown = await refusal(ring, encode_jwt_token("ak-rx-unknown", pair.secret_access_key, clock.now()))
    assert await refusal(ring, encode_jwt_token(pair.access_key_id, "wrong", clock.now())) == unknown


async def test_a_revoked_access_key_dies_everywhere(
    ring: KeyRing, other_ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """At once in the process that revoked it, and within 5 seconds in the others, tokens that they know included."""
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now())
    assert await other_ring.authenticate(token, HERE)
    await ring.disable(pair.id)
    assert "disabled" in await refusal(ring, token)
    await other_ring.poll()
    assert "disabled" in await refusal(other_ring, token)
    await ring.enable(pair.id)
    assert await ring.authenticate(token, HERE)
    await ring.delete(pair.id)
    assert "not signed with" in await refusal(ring, token)
    clock.advance(5.1)
    assert "not signed with" in await refusal(other_ring, token)


async def test_a_token_lives_no_longer_than_its_access_key(ring: KeyRing, clock: ManualClock) -> None:
    """The key's own end counts, whatever the token says."""
    pair = await ring.create_access_key(KeyWish(name="short", expires_at=clock.now() + 10))
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now())
    assert await ring.authenticate(token, HERE)
    clock.advance(10)
    assert "expired" in await refusal(ring, token)


async def test_a_known_token_needs_no_store(
    ring: KeyRing, database: Database, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """Nor does a new one of a known key, for as long as keys count without the store."""
    assert await ring.authenticate(encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now()), HERE)
    with outage(database.place, "keys"):
        clock.advance(4)
        token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now())
        assert (await ring.authenticate(token, HERE)).id == pair.id


async def test_a6_the_secret_is_nowhere_in_the_database(
    ring: KeyRing, database: Database, pair: CreatedAccessKey
) -> None:
    """It is stored encrypted, and shown only once."""
    stored = content(database.place)
    secret = pair.secret_access_key
    assert pair.access_key_id.encode() in stored
    assert secret.encode() not in stored
    assert secret not in repr(pair)


async def test_another_root_secret_opens_no_secret(
    database: Database, pair: CreatedAccessKey, clock: ManualClock
) -> None:
    """A server with another root secret does not even know the id."""
    stranger = KeyRing(database, RootSecret(bytes(range(1, 33))), clock)
    token = encode_jwt_token(pair.access_key_id, pair.secret_access_key, clock.now())
    assert "not signed with" in await refusal(stranger, token)
    await stranger.aclose()


async def test_a7_an_access_key_can_do_no_more_than_its_maker(ring: KeyRing) -> None:
    """The rules for new keys are the same for both kinds."""
    creator = Account(id="key_1", name="c", scopes=frozenset({"inference"}), models=("a*",), plan="free")
    for wish in (
        KeyWish(name="x", scopes=("admin",), models=("ab",), plan="free", creator=creator),
        KeyWish(name="x", models=("b",), plan="free", creator=creator),
        KeyWish(name="x", models=("ab",), creator=creator),
    ):
        with pytest.raises(RixinError) as caught:
            await ring.create_access_key(wish)
        assert caught.value.kind is Kind.PERMISSION_DENIED
    made = await ring.create_access_key(KeyWish(name="x", models=("ab",), plan="free", creator=creator))
    [listed] = await ring.list()
    assert (listed.id, listed.creator) == (made.id, "key_1")


async def test_the_server_signs_for_an_access_key(ring: KeyRing, pair: CreatedAccessKey, clock: ManualClock) -> None:
    """The token counts until the instant that is told with it; of an unknown access key there is none."""
    minted = await ring.mint_token(pair.access_key_id, 120)
    assert minted.expires_at == int(clock.now()) + 120
    assert minted.token not in repr(minted)
    assert (await ring.authenticate(minted.token, HERE)).id == pair.id
    clock.advance(180)
    assert "has expired" in await refusal(ring, minted.token)
    with pytest.raises(RixinError) as caught:
        await ring.mint_token("ak-rx-unknown")
    assert caught.value.kind is Kind.NOT_FOUND
