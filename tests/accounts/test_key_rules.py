"""What a key may be."""

from collections.abc import Callable

import msgspec
import pytest

from rixin.accounts.account import Account
from rixin.accounts.key_rules import (
    KeyWish,
    check_dialects,
    check_expiry,
    check_models,
    check_name,
    check_networks,
    check_owner,
    check_plan,
    check_scopes,
    check_within,
)
from rixin.accounts.roles import ROLES, Role
from rixin.errors import Kind, RixinError


def _refused(check: Callable[[], None]) -> str | None:
    with pytest.raises(RixinError) as caught:
        check()
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.param is not None
    assert caught.value.param in caught.value.message
    return caught.value.param


@pytest.mark.parametrize("name", ["a", "x" * 100, "two words", "日新", "👩‍💻", "می‌خواهم", "'\"%_\\<script>"])
def test_a_name_is_what_can_be_seen(name: str) -> None:
    """Any script, quotes and joined emoji are names."""
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 101, "a\x00", "a\nb", "\x1b[31m", "a\u202eb", "\ud800", "\u2028", "a\ue000", "\ufeff"]
)
def test_a_name_holds_nothing_unseen(name: str) -> None:
    """Empty, over-long, and characters that steer a terminal or turn the text around are refused."""
    assert _refused(lambda: check_name(name)) == "name"


def test_scopes_are_some_of_the_known_ones() -> None:
    """At least one scope, and none that does not exist."""
    check_scopes(["inference"])
    check_scopes({"inference", "admin", "metrics"})
    for scopes in ([], ["root"], ["inference", ""], ["Admin"]):
        assert _refused(lambda scopes=scopes: check_scopes(scopes)) == "scopes"


def test_models_are_names_or_globs() -> None:
    """A wrong entry is named by its place; the list is bounded."""
    check_models([])
    check_models(["gpt-*", "sensenova/SenseNova-V6-Pro", "x" * 200] + ["m"] * 97)
    assert _refused(lambda: check_models(["m"] * 101)) == "models"
    for model in ("", "x" * 201, "two words", "a\x00", "\ud800"):
        assert _refused(lambda model=model: check_models(["m", model])) == "models[1]"


def test_a_plan_is_a_name_or_nothing() -> None:
    """None is no plan, an empty text is a mistake."""
    check_plan(None)
    check_plan("free")
    for plan in ("", "x" * 101, "a\x00"):
        assert _refused(lambda plan=plan: check_plan(plan)) == "plan"


def test_an_expiry_lies_in_the_future() -> None:
    """Now is too late, and so is what is no number."""
    check_expiry(None, 10.0)
    check_expiry(10.1, 10.0)
    for instant in (10.0, -1.0, float("inf"), float("nan")):
        assert _refused(lambda instant=instant: check_expiry(instant, 10.0)) == "expires_at"


FREE = Account(id="1", name="", scopes=frozenset({"admin", "inference"}))
BOUND = Account(id="2", name="", scopes=frozenset({"admin"}), models=("gpt-*", "local"), plan="free", expires_at=100.0)


@pytest.mark.parametrize(
    ("creator", "given"),
    [
        (FREE, {"scopes": ["admin", "inference"]}),
        (FREE, {"models": ["x*"], "plan": "pro", "expires_at": 5.0}),
        (BOUND, {}),
        (BOUND, {"models": ["gpt-5", "local"], "expires_at": 99.0}),
        (BOUND, {"models": ["gpt-*"]}),
    ],
)
def test_a_key_may_give_what_it_has(creator: Account, given: dict[str, object]) -> None:
    """The same as the creator has, or less, is fine."""
    check_within(creator, _wish(given))


@pytest.mark.parametrize(
    ("creator", "given", "param"),
    [
        (FREE, {"scopes": ["metrics"]}, "scopes"),
        (BOUND, {"scopes": ["admin", "inference"]}, "scopes"),
        (BOUND, {"models": []}, "models"),
        (BOUND, {"models": ["local", "other"]}, "models"),
        (BOUND, {"models": ["*"]}, "models"),
        (BOUND, {"models": ["gpt-[5]"]}, "models"),
        (BOUND, {"plan": None}, "plan"),
        (BOUND, {"plan": "pro"}, "plan"),
        (BOUND, {"expires_at": None}, "expires_at"),
        (BOUND, {"expires_at": 100.5}, "expires_at"),
    ],
)
def test_a_key_gives_no_more_than_it_has(creator: Account, given: dict[str, object], param: str) -> None:
    """Another scope, more models, another plan or a longer life is denied, naming the field."""
    with pytest.raises(RixinError) as caught:
        check_within(creator, _wish(given))
    assert (caught.value.kind, caught.value.param) == (Kind.PERMISSION_DENIED, param)


def _wish(changes: dict[str, object]) -> KeyWish:
    given = {"scopes": ["admin"], "models": ["local"], "plan": "free", "expires_at": 100.0} | changes
    return msgspec.convert({"name": "new", **given}, KeyWish)


NARROW = Account(
    id="key_1",
    name="a",
    scopes=frozenset({"inference"}),
    dialects=("anthropic", "openai_chat"),
    networks=("10.0.0.0/8", "2001:db8::/32"),
    team="team_1",
)


@pytest.mark.parametrize(
    "given",
    [
        {"dialects": ["anthropic"], "networks": ["10.1.0.0/16"]},
        {"dialects": ["openai_chat", "anthropic"], "networks": ["10.0.0.0/8", "2001:db8:1::/48", "10.1.2.3"]},
        {"dialects": ["anthropic"], "networks": ["10.0.0.0/8"], "team": "team_1"},
    ],
)
def test_a_narrow_key_may_give_what_lies_within_it(given: dict[str, object]) -> None:
    """Some of its dialects, parts of its networks, and its team."""
    check_within(NARROW, msgspec.convert({"name": "new", **given}, KeyWish))


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"dialects": []}, "dialects"),
        ({"dialects": ["anthropic", "gemini"]}, "dialects"),
        ({"networks": []}, "networks"),
        ({"networks": ["11.0.0.0/8"]}, "networks"),
        ({"networks": ["10.0.0.0/7"]}, "networks"),
        ({"networks": ["10.0.0.0/8", "0.0.0.0/0"]}, "networks"),
        ({"networks": ["2001:db8::/31"]}, "networks"),
        ({"networks": ["::ffff:10.0.0.0/104"]}, "networks"),
        ({"team": "team_2"}, "team"),
    ],
)
def test_a_narrow_key_gives_nothing_beyond_it(changed: dict[str, object], param: str) -> None:
    """Other dialects, wider networks or another team are denied, naming the field."""
    given = {"dialects": ["anthropic"], "networks": ["10.1.0.0/16"]} | changed
    with pytest.raises(RixinError) as caught:
        check_within(NARROW, msgspec.convert({"name": "new", **given}, KeyWish))
    assert (caught.value.kind, caught.value.param) == (Kind.PERMISSION_DENIED, param)


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.0/33", "example.com", "", "10.0.0", "1.2.3.4 "])
def test_a_network_is_an_address_or_a_cidr_range(network: str) -> None:
    """Anything else is refused, naming its place; so is a range that begins in its own middle."""
    assert _refused(lambda: check_networks(["192.0.2.1", network])) == "networks[1]"


def test_there_are_limits_to_lists() -> None:
    """Lists that no key needs are refused."""
    assert _refused(lambda: check_networks(["192.0.2.1"] * 101)) == "networks"
    assert _refused(lambda: check_dialects(["x"] * 21)) == "dialects"
    assert _refused(lambda: check_dialects(["\n"])) == "dialects"


def _creator(role: Role | None, user: str = "usr_1") -> Account:
    return Account(id="key_1", name="a", scopes=frozenset({"inference", "admin"}), role=role, user=user)


@pytest.mark.parametrize("role", [None, *ROLES])
@pytest.mark.parametrize("other", ROLES)
def test_who_makes_keys_for_others_manages_them(role: Role | None, other: Role) -> None:
    """Owners make keys for all, admins for all but owners, the others for themselves only."""
    scope = "metrics" if other == "auditor" else "inference"
    wish = KeyWish(name="new", scopes=(scope,), user="usr_2", creator=_creator(role))
    if role == "owner" or (role == "admin" and other != "owner"):
        check_owner(wish, other)
    else:
        with pytest.raises(RixinError) as caught:
            check_owner(wish, other)
        assert (caught.value.kind, caught.value.param) == (Kind.PERMISSION_DENIED, "user")
    check_owner(msgspec.structs.replace(wish, user="usr_1"), other)


def test_an_admin_gives_nobody_else_a_key_that_administers() -> None:
    """They would know it when its user has become an owner."""
    wish = KeyWish(name="new", scopes=("admin",), user="usr_2", creator=_creator("admin"))
    with pytest.raises(RixinError) as caught:
        check_owner(wish, "admin")
    assert (caught.value.kind, caught.value.param) == (Kind.PERMISSION_DENIED, "scopes")
    check_owner(msgspec.structs.replace(wish, user="usr_1"), "admin")
    check_owner(msgspec.structs.replace(wish, creator=_creator("owner")), "admin")


def test_a_key_has_no_scope_that_its_user_cannot_use() -> None:
    """The error says so, instead of a key that does less than it says."""
    with pytest.raises(RixinError) as caught:
        check_owner(KeyWish(name="new", scopes=("inference", "metrics"), user="usr_2"), "member")
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, "scopes")
