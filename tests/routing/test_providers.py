"""The book of providers."""

from importlib.resources import files

import msgspec
import pytest

from rixin.accounts.root_secret import RootSecret
from rixin.accounts.sealed_box import SealedBox
from rixin.clock import SystemClock
from rixin.errors import Kind, RixinError
from rixin.profiles.cards import load_models
from rixin.profiles.presets import load_presets
from rixin.routing.known_provider import Rules, known_provider
from rixin.routing.providers import ProviderBook
from rixin.settings import ModelOverride, Provider
from rixin.store.database import Database
from rixin.store.providers import ProviderTable

ROOM = files("rixin.profiles")
PRESETS = load_presets(ROOM.joinpath("presets.toml").read_bytes())
CARDS = load_models(ROOM.joinpath("models.toml").read_bytes()).cards
RULES = Rules(presets=PRESETS, dialects=("openai_chat",), environ={"SENSENOVA_API_KEY": "sk-from-env"})
UP = Provider(name="up", base_url="https://api.example.com/v1", api_keys=("sk-1",))


def book(database: Database, *configured: Provider, secret: bytes = bytes(range(32))) -> ProviderBook:
    """A process's book."""
    table = ProviderTable(database, SealedBox(RootSecret(secret), "provider keys"))
    return ProviderBook(configured, table, RULES, SystemClock())


def renamed(name: str, **changes: object) -> Provider:
    """Another provider."""
    return msgspec.structs.replace(UP, name=name, **changes)


async def test_configured_ones_come_first(database: Database) -> None:
    """The file's order, then the order of storing; each is found by name, with where it comes from."""
    known = book(database, renamed("b"), renamed("a"))
    await known.add(renamed("z"))
    await known.add(renamed("c"))
    assert [(entry.name, entry.source) for entry in known.all] == [
        ("b", "configured"),
        ("a", "configured"),
        ("z", "stored"),
        ("c", "stored"),
    ]
    assert known.find("z").provider.api_keys == ("sk-1",)
    with pytest.raises(RixinError, match="no provider named y; those that there are: b, a, z, c") as caught:
        known.find("y")
    assert caught.value.kind is Kind.NOT_FOUND


async def test_other_processes_hear_of_changes(database: Database) -> None:
    """Adding, changing and removing reach another process's book with its next poll, and its listeners once each."""
    mine, theirs = book(database), book(database)
    told: list[list[str]] = []
    theirs.subscribe(lambda: told.append([entry.provider.base_url for entry in theirs.all]))
    await theirs.poll()
    await mine.add(UP)
    await theirs.poll()
    await theirs.poll()
    await mine.replace(renamed("up", base_url="https://new.example.com/v1"))
    await theirs.poll()
    await mine.remove("up")
    await theirs.poll()
    assert told == [["https://api.example.com/v1"], ["https://new.example.com/v1"], []]


async def test_names_are_unique(database: Database) -> None:
    """A name of the file cannot be stored, changed or removed; a stored one cannot be stored twice."""
    known = book(database, renamed("filed"))
    await known.add(UP)
    for change in (known.add(renamed("filed")), known.replace(renamed("filed")), known.remove("filed")):
        with pytest.raises(RixinError, match="filed is in the configuration file") as caught:
            await change
        assert caught.value.kind is Kind.CONFLICT
    with pytest.raises(RixinError, match="up already"):
        await known.add(UP)
    for change in (known.replace(renamed("gone")), known.remove("gone")):
        with pytest.raises(RixinError, match="no provider named gone") as caught:
            await change
        assert caught.value.kind is Kind.NOT_FOUND


async def test_the_file_wins_over_a_stored_one_of_its_name(database: Database) -> None:
    """A name that comes into the file later is served from there, and the stored one says why it is not."""
    known = book(database)
    await known.add(UP)
    known.configure([renamed("up", base_url="https://filed.example.com/v1")])
    assert [entry.provider.base_url for entry in known.served] == ["https://filed.example.com/v1"]
    assert "configuration file has a provider named up too" in (known.all[1].problem or "")
    await known.remove("up")
    assert len(known.all) == 1
    known.configure([])
    assert known.all == ()


async def test_a_configuration_that_cannot_be_served_changes_nothing(database: Database) -> None:
    """The last good one stays in force, and nobody is told of a change."""
    known = book(database, UP)
    known.subscribe(lambda: pytest.fail("nothing has changed"))
    with pytest.raises(RixinError, match=r"provider b.*no preset 'nobody'"):
        known.configure([renamed("a"), renamed("b", preset="nobody")])
    known.configure([UP])
    assert [entry.name for entry in known.served] == ["up"]


async def test_what_cannot_be_read_keeps_nobody_else(database: Database) -> None:
    """Under another root secret stored providers are listed with the reason, and the others are served."""
    await book(database).add(UP)
    known = book(database, renamed("filed"), secret=bytes(range(1, 33)))
    await known.poll()
    assert [entry.name for entry in known.served] == ["filed"]
    assert "another root secret" in (known.find("up").problem or "")


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        (renamed("a/b"), "letters, digits"),
        (renamed("local"), "no provider can be named local"),
        (renamed("up", base_url="ftp://a"), "it must be like https://"),
        (renamed("up", base_url="https://user:pw@a"), "put the key into api_keys"),
        (renamed("up", preset="nobody"), "no preset 'nobody'; known are generic, sensenova"),
        (renamed("up", base_url=""), "only presets need not be given; those are sensenova"),
        (renamed("up", base_url="", preset="vllm"), "vLLM runs anywhere; give its base_url"),
        (renamed("up", dialect="morse"), "no dialect morse; known are openai_chat"),
        (renamed("up", profile={"null_content": "gone"}), r"profile: Invalid enum value 'gone'.*null_content"),
        (renamed("up", profile={"speed": 1}), "unknown field `speed`"),
        (renamed("up", overrides=(ModelOverride(name="m*", profile={"speed": 1}),)), r"overrides of m\*"),
        (renamed("up", api_keys=("sk-1", "two words")), "api_keys"),
        (renamed("up", headers={"x y": "1"}), "headers: 'x y'"),
        (renamed("up", headers={"x": "a\r\nb: c"}), "headers: 'x'"),
        (renamed("up", weight=-1.0), "weight is -1"),
    ],
)
async def test_what_cannot_be_served_is_refused(database: Database, provider: Provider, says: str) -> None:
    """Each mistake is named, whether a provider is stored or configured; no key is repeated."""
    with pytest.raises(RixinError, match=says) as caught:
        await book(database).add(provider)
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert "sk-1" not in caught.value.message
    with pytest.raises(RixinError, match=says) as caught:
        book(database, provider)
    assert caught.value.kind is Kind.CONFIGURATION


def test_a_preset_completes_a_provider() -> None:
    """Named alone, by the preset or by the provider's own name, it gives address and key; with an address, neither."""
    by_name = known_provider(Provider(name="sensenova"), RULES, source="stored")
    assert by_name.provider == Provider(
        name="sensenova",
        preset="sensenova",
        base_url="https://token.sensenova.cn/v1",
        api_keys=("sk-from-env",),
    )
    by_preset = known_provider(Provider(name="mine", preset="sensenova", api_keys=("k",)), RULES, source="stored")
    assert (by_preset.provider.base_url, by_preset.provider.api_keys) == ("https://token.sensenova.cn/v1", ("k",))
    elsewhere = known_provider(renamed("sensenova", api_keys=()), RULES, source="stored")
    assert (elsewhere.preset.name, elsewhere.provider.api_keys) == ("generic", ())


def test_the_preset_is_found_by_the_host() -> None:
    """Unless it is named, the address tells what is known of a provider; a model's name never does."""
    hosts = {"https://token.sensenova.cn": "sensenova", "https://example.com/v1": "generic"}
    for url, preset in hosts.items():
        entry = known_provider(renamed("x", base_url=url, models=("sensenova-6.7-flash-lite",)), RULES, source="stored")
        assert entry.preset.name == preset
    named = known_provider(renamed("x", preset="deepseek"), RULES, source="stored")
    assert named.preset.name == "deepseek"


def test_settings_overrule_the_preset() -> None:
    """A provider's own profile lies over its preset's, and that of some of its models over both."""
    provider = renamed(
        "x",
        base_url="https://token.sensenova.cn/v1",
        profile={"null_content": "keep", "drop_params": ["seed"]},
        overrides=(
            ModelOverride(name="sensenova-*", context_length=1000, profile={"null_content": "empty"}),
            ModelOverride(name="*-lite", max_output_length=10, input_modalities=("text",)),
        ),
    )
    entry = known_provider(provider, RULES, source="stored")
    model = "sensenova-6.7-flash-lite"
    assert entry.profile_for("other").null_content == "keep"
    profile = entry.profile_for(model, CARDS[model])
    assert (profile.null_content, profile.tool_strict) == ("empty", "drop")
    assert profile.drop_params == {"seed"}
    assert [layer.source for layer in entry.layers(model, CARDS[model])][-3:] == [
        "settings",
        "settings, sensenova-*",
        "settings, *-lite",
    ]
    assert entry.override_of(model) == ModelOverride(
        name=model,
        context_length=1000,
        max_output_length=10,
        input_modalities=("text",),
        profile={"null_content": "empty"},
    )
