"""How names find models."""

from pathlib import Path

import pytest

from rixin.core.cards import ModelCard, Pricing
from rixin.core.prices import PriceList
from rixin.engines.base import ListedModel
from rixin.errors import Kind, RixinError
from rixin.profiles import cards
from rixin.profiles.cards import load_models
from rixin.routing.catalog import Candidate, Catalog, Preference
from rixin.settings import ModelPrice, RouteTarget

KNOWN = load_models(Path(cards.__file__).with_name("models.toml").read_bytes())
LOCAL = ModelCard(name="local", target="local", context_length=32768, max_output_length=8192)


def catalog(*, aliases: dict[str, str] | None = None, **providers: list[str]) -> Catalog:
    """A catalog with the embedded model and these providers' models."""
    built = Catalog(KNOWN, aliases or {}, providers)
    for provider, models in providers.items():
        built.set_provider_models(provider, [ListedModel(name=model) for model in models])
    built.set_local_models([LOCAL])
    return built


def engine_of(built: Catalog, name: str) -> str:
    """The engine of the first candidate."""
    return built.resolve(name).candidates[0].engine


def test_the_embedded_model_answers_the_ids_of_the_platform() -> None:
    """With nothing configured, a client's code need not change."""
    for name in (
        "sensenova-6.7-flash-lite",
        "SenseNova-V6-Pro",
        "deepseek-v4-flash",
        "gpt-5",
        "claude-opus-5",
        "local",
    ):
        resolution = catalog().resolve(name)
        assert resolution.card.name == name
        assert resolution.card.target == "local"
        assert resolution.card.context_length == 32768
        assert resolution.candidates == (Candidate(engine="local/local", model="local"),)


def test_a_provider_takes_the_ids_that_it_lists() -> None:
    """A listed name wins over the built-in alias of that name."""
    built = catalog(sensenova=["sensenova-6.7-flash-lite"])
    assert engine_of(built, "sensenova-6.7-flash-lite") == "sensenova"
    assert built.resolve("sensenova-6.7-flash-lite").card.context_length == 262144


def test_the_first_provider_has_the_default() -> None:
    """Built-in aliases go to the first model of the first provider that lists one."""
    built = catalog(empty=[], one=["m1", "m2"], two=["m3"])
    assert built.resolve("claude-sonnet-5").candidates == (Candidate(engine="one", model="m1"),)


def test_a_name_can_pin_its_provider() -> None:
    """`provider/model` asks just that provider."""
    built = catalog(one=["m"], two=["m"])
    assert built.resolve("two/m").candidates == (Candidate(engine="two", model="m"),)
    assert [candidate.engine for candidate in built.resolve("m").candidates] == ["one", "two"]


def test_configured_aliases_come_before_built_in_ones_in_file_order() -> None:
    """Globs match, the first row wins, and the wide-window suffix does not matter."""
    built = catalog(aliases={"claude-haiku-*": "m2", "claude-*": "m1"}, one=["m1", "m2"])
    assert built.resolve("claude-haiku-4-5").card.target == "m2"
    assert built.resolve("claude-opus-5[1m]").card.target == "m1"
    assert built.resolve("claude-opus-5[1m]").card.name == "claude-opus-5[1m]"


@pytest.mark.parametrize(
    "name",
    [
        "claude-haiku-4-5-20251001",
        "claude-opus-5[1m]",
        "opus",
        "sonnet[1m]",
        "haiku",
        "gpt-5.5",
        "gpt-6.1-sol",
        "gpt-5-mini",
        "codex-auto-review",
        "codex-mini-latest",
        "o3",
        "o4-mini",
        "gemini-2.5-flash-lite",
    ],
)
def test_a17_the_names_that_agents_ask_for_beside_the_chosen_one_reach_the_default_model(name: str) -> None:
    """Small and fast models, reviewers and wide-window suffixes: none of them ends a session with a 404."""
    found = catalog(one=["m1"]).resolve(name)
    assert (found.card.name, found.card.target) == (name, "m1")


def test_habitual_names_of_other_operations_never_reach_a_chat_model() -> None:
    """`gpt-image-1` draws and `text-embedding-3-small` embeds; where nothing can, they are not found."""
    built = Catalog(KNOWN, {}, ["one"])
    built.set_provider_models("one", [ListedModel(name="m1")])
    for name in ("gpt-image-1", "dall-e-3", "text-embedding-3-small"):
        with pytest.raises(RixinError) as error:
            built.resolve(name)
        assert error.value.kind is Kind.MODEL_NOT_FOUND


def test_a_model_that_nobody_documented_is_owned_by_its_provider() -> None:
    """Only models that this server runs itself are its own."""
    built = catalog(one=["m1"])
    assert built.resolve("m1").card.owned_by == "one"
    assert built.resolve("local").card.owned_by == "rixin"


def test_a_provider_model_of_a_slash_name_is_found() -> None:
    """Names with a slash of their own are looked up whole."""
    assert catalog(router=["qwen/qwen3"]).resolve("qwen/qwen3").card.target == "qwen/qwen3"


def test_an_unknown_name_names_the_nearest() -> None:
    """There is no silent default."""
    with pytest.raises(RixinError, match=r"sensenova-6\.7-flash-lite") as raised:
        catalog().resolve("sensenova-6.7-flash-light")
    assert raised.value.kind is Kind.MODEL_NOT_FOUND
    assert raised.value.param == "model"


def test_an_alias_to_nothing_says_so() -> None:
    """A configured alias never falls through to the default."""
    with pytest.raises(RixinError, match="points to `gone`"):
        catalog(aliases={"gpt-*": "gone"}).resolve("gpt-5")


def test_what_is_learned_replaces_what_was_known() -> None:
    """A new list of models takes effect at once."""
    built = catalog(one=["m"])
    assert engine_of(built, "m") == "one"
    built.set_provider_models("one", [])
    with pytest.raises(RixinError):
        built.resolve("m")


def test_the_list_holds_every_name_once_and_no_glob() -> None:
    """Clients see names that they can ask for."""
    names = [card.name for card in catalog(aliases={"gpt-*": "m", "fast": "m"}, one=["m"], two=["m"]).cards()]
    assert len(names) == len(set(names))
    assert {"m", "fast", "local", "sensenova-6.7-flash-lite", "SenseNova-V6-Pro"} <= set(names)
    assert "gpt-*" not in names


def test_operations_decide_what_a_built_in_alias_means() -> None:
    """An embedding id is not answered by a chat model."""
    with pytest.raises(RixinError):
        catalog().resolve("nova-embedding-stable")


def routed(targets: dict[str, list[RouteTarget]], **providers: list[ListedModel]) -> Catalog:
    """A catalog with the embedded model, these providers' models and these routes."""
    built = Catalog(KNOWN, {"fast": "coder"}, providers, routes=targets)
    for provider, models in providers.items():
        built.set_provider_models(provider, models)
    built.set_local_models([LOCAL])
    return built


def test_a_route_has_the_candidates_that_it_names() -> None:
    """Each with the model's own name there, its priority and its weight; `local/` is this machine."""
    targets = [
        RouteTarget(model="one/m1", weight=3),
        RouteTarget(model="two/m2"),
        RouteTarget(model="local/local", priority=9),
    ]
    built = routed({"coder": targets}, one=[ListedModel(name="m1")], two=[ListedModel(name="m2")])
    resolution = built.resolve("coder")
    assert resolution.candidates == (
        Candidate(engine="one", model="m1", weight=3),
        Candidate(engine="two", model="m2"),
        Candidate(engine="local/local", model="local", priority=9),
    )
    assert resolution.card.name == "coder"
    assert [candidate.provider for candidate in resolution.candidates] == ["one", "two", "local"]
    assert built.resolve("fast").candidates == resolution.candidates
    assert "coder" in [card.name for card in built.cards()]


def test_a_route_promises_what_all_of_its_first_can_do() -> None:
    """The smallest window of those of the best priority; a substitute's does not count."""
    targets = [RouteTarget(model="one/m"), RouteTarget(model="two/m"), RouteTarget(model="three/m", priority=1)]
    windows = {"one": 9000, "two": 7000, "three": 10}
    listed = {name: [ListedModel(name="m", context_length=window)] for name, window in windows.items()}
    card = routed({"coder": targets}, **listed).resolve("coder").card
    assert (card.context_length, card.provider) == (7000, "one")


def test_a_route_wins_over_a_list_and_keeps_no_candidate_twice() -> None:
    """The name of a listed model can be routed; `provider/model` still pins."""
    targets = [RouteTarget(model="two/m", priority=-1), RouteTarget(model="m")]
    built = routed({"m": targets}, one=[ListedModel(name="m")], two=[ListedModel(name="m")])
    assert built.resolve("m").candidates == (
        Candidate(engine="two", model="m", priority=-1),
        Candidate(engine="one", model="m"),
    )
    assert built.resolve("one/m").candidates == (Candidate(engine="one", model="m"),)


def test_a_route_leaves_out_what_is_not_served() -> None:
    """Until it is listed again; a route to nothing says so."""
    targets = [RouteTarget(model="one/gone"), RouteTarget(model="one/m")]
    built = routed({"coder": targets, "claude-*": [RouteTarget(model="one/m")]}, one=[ListedModel(name="m")])
    assert built.resolve("coder").candidates == (Candidate(engine="one", model="m"),)
    assert built.resolve("claude-opus-5").candidates == (Candidate(engine="one", model="m"),)
    built.set_provider_models("one", [])
    with pytest.raises(RixinError, match="route `coder`") as caught:
        built.resolve("coder")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


def test_providers_rank_where_a_route_does_not_say() -> None:
    """The card is that of the provider that is asked first."""
    preferences = {"one": Preference(priority=5), "two": Preference(weight=0.5)}
    built = Catalog(KNOWN, {}, ["one", "two"], preferences=preferences)
    for provider in ("one", "two"):
        built.set_provider_models(provider, [ListedModel(name="m")])
    resolution = built.resolve("m")
    assert resolution.candidates == (
        Candidate(engine="one", model="m", priority=5),
        Candidate(engine="two", model="m", weight=0.5),
    )
    assert resolution.card.provider == "two"


def test_a_provider_that_has_not_told_its_models_is_not_passed_over() -> None:
    """Until its first list is there, what it may have is neither missing nor somebody else's."""
    built = Catalog(KNOWN, {}, ["slow"])
    built.set_local_models([LOCAL])
    for name in ("sensenova-6.7-flash-lite", "gpt-5", "its-own"):
        with pytest.raises(RixinError, match="slow") as raised:
            built.resolve(name)
        assert raised.value.kind is Kind.STARTING
        assert raised.value.retry_after is not None
    assert engine_of(built, "local") == "local/local"
    built.set_provider_models("slow", [ListedModel(name="its-own")])
    assert engine_of(built, "gpt-5") == "slow"


@pytest.mark.parametrize(
    "name",
    ["text-embedding-3-small", "BAAI/bge-m3", "nomic-embed-text", "gte-large", "intfloat/e5-large", "voyage-embed:2"],
)
def test_embedding_models_are_known_by_their_names(name: str) -> None:
    """They have the default for embeddings, and never the one for chats."""
    built = catalog(one=[name, "chatter"])
    assert built.resolve("nova-embedding-stable").candidates == (Candidate(engine="one", model=name),)
    assert built.resolve("claude-sonnet-5").candidates == (Candidate(engine="one", model="chatter"),)


@pytest.mark.parametrize("name", ["embedded-coder-7b", "bge-reranker-large", "qwen3-max"])
def test_other_names_are_no_embedding_models(name: str) -> None:
    """A chat model whose name only sounds like one is still asked."""
    assert catalog(one=[name]).resolve(name).card.supports("generate")


def test_what_a_provider_says_of_a_model_counts() -> None:
    """Whatever its name."""
    built = catalog(one=[])
    built.set_provider_models("one", [ListedModel(name="m", output_modalities=("embeddings",))])
    assert built.resolve("m").card.operations == ("embed",)


def test_models_that_only_draw_have_no_chats() -> None:
    """They are no default for chats, wherever they stand in the list, documented or told by their provider."""
    built = catalog(one=["sensenova-u1-fast", "chatter"])
    assert built.resolve("sensenova-u1-fast").card.operations == ("draw",)
    assert built.resolve("claude-sonnet-5").candidates == (Candidate(engine="one", model="chatter"),)
    drawn = [
        ListedModel(name="a", output_modalities=("image",)),
        ListedModel(name="b", output_modalities=("text", "image")),
    ]
    built.set_provider_models("one", drawn)
    assert [built.resolve(name).card.operations for name in ("a", "b")] == [("draw",), ("generate",)]


def test_a_price_is_that_of_who_answers() -> None:
    """A provider's model has the price that the settings say, and so has every name that it goes by."""
    prices = PriceList({"one/*": ModelPrice(prompt=1, completion="2.5"), "local": ModelPrice(request=0.5)})
    built = Catalog(KNOWN, {"quick": "m1"}, ["one", "two"], prices=prices)
    built.set_provider_models("one", [ListedModel(name="m1")])
    built.set_provider_models("two", [ListedModel(name="m2")])
    built.set_local_models([LOCAL])
    paid = Pricing(prompt="1", completion="2.5")
    found = {name: built.resolve(name).card.pricing for name in ("m1", "one/m1", "quick", "gpt-5", "m2", "local")}
    assert found == {
        "m1": paid, "one/m1": paid, "quick": paid, "gpt-5": paid, "m2": Pricing(), "local": Pricing(request="0.5")
    }  # fmt: skip
