"""The table of providers, and how an upstream is recognised."""

from pathlib import Path

import pytest

from rixin.errors import Kind, RixinError
from rixin.profiles import presets
from rixin.profiles.cards import load_models
from rixin.profiles.presets import Presets, load_presets
from rixin.profiles.sanitizers.reasoning import LADDER, fit_effort
from tests.profiles.sanitizing import Body, rewritten

ROOM = Path(presets.__file__).parent
SHIPPED = (ROOM / "presets.toml").read_bytes()
MODELS = load_models((ROOM / "models.toml").read_bytes()).cards


@pytest.fixture
def known() -> Presets:
    """The table that is shipped."""
    return load_presets(SHIPPED)


def test_every_promised_provider_has_a_row(known: Presets) -> None:
    """Sixteen providers and the nameless one."""
    assert {preset.name for preset in known.all} >= {
        *("generic", "sensenova", "sensenova-intl", "sensenova-native", "sensenova-compatible", "deepseek"),
        *("moonshot", "zhipu", "minimax", "mimo", "qwen", "openai", "openrouter"),
        *("vllm", "sglang", "llama.cpp", "ollama", "lmstudio"),
    }


def test_answers_are_mended_where_they_are_known_to_need_it(known: Presets) -> None:
    """Thoughts come between tags from MiniMax and from servers that people run; calls leak from most but the makers
    of one API for their own models."""
    own = {"vllm", "sglang", "llama.cpp", "ollama", "lmstudio"}
    assert {preset.name for preset in known.all if preset.profile.think_tags} == own | {"minimax"}
    leaking = own | {"generic", "sensenova", "sensenova-intl", "deepseek", "zhipu", "minimax", "mimo", "qwen"}
    leaking |= {"openrouter", "siliconflow"}
    assert {preset.name for preset in known.all if preset.profile.tool_markup_heal} == leaking


def test_every_provider_says_where_its_key_and_its_documents_are(known: Presets) -> None:
    """`providers add NAME` needs the variable, and a reader the source."""
    for preset in known.all:
        if preset.name != "generic":
            assert preset.key_variables, preset.name
            assert preset.docs_url, preset.name


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://token.sensenova.cn/v1", "sensenova"),
        ("https://TOKEN.sensenova.cn", "sensenova"),
        ("https://token.sensenova.ai/v1", "sensenova-intl"),
        ("https://api.sensenova.cn/v1", "sensenova-native"),
        ("https://api.sensenova.cn/compatible-mode/v2", "sensenova-compatible"),
        ("https://api.sensenova.cn/compatible-modes", "sensenova-native"),
        ("https://token-plan-cn.xiaomimimo.com/v1", "mimo"),
        ("http://gpu.lan:11434/v1", "ollama"),
        ("http://[::1]:1234/v1", "lmstudio"),
        ("https://token.sensenova.cn.evil.example/v1", "generic"),
        ("https://nottoken.sensenova.cn.example", "generic"),
        ("https://mytoken-sensenova.cn/v1", "generic"),
        ("https://example.com/token.sensenova.cn/v1", "generic"),
        ("http://localhost:8000/v1", "generic"),
    ],
)
def test_an_upstream_is_recognised_by_its_host(known: Presets, base_url: str, name: str) -> None:
    """A host or a domain of it, never a text that merely holds it."""
    assert known.preset_for(base_url).name == name


def test_every_row_recognises_its_own_address(known: Presets) -> None:
    """What `providers add` fills in leads back to the row."""
    for preset in known.all:
        if preset.base_url is not None:
            assert known.preset_for(preset.base_url).name == preset.name


def test_a_models_name_is_no_sign_of_its_provider(known: Presets) -> None:
    """`deepseek-v4-flash` is DeepSeek's own id too: only at the token platform does its table hold."""
    card = MODELS["deepseek-v4-flash"]
    assert known.named("sensenova").profile_for(card.name, card).allowed_fields == frozenset(card.fields)
    assert known.named("deepseek").profile_for(card.name, card).allowed_fields is None


def test_the_documented_fields_of_flash_lite_are_all_that_is_sent(known: Presets) -> None:
    """Whatever an agent sends to the strictest model, only its own table's fields arrive."""
    card = MODELS["sensenova-6.7-flash-lite"]
    profile = known.named("sensenova").profile_for(card.name, card)
    body: Body = {
        "model": card.name,
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "strict": True}}, {"type": "web_search"}],
        "tool_choice": "auto",
        "thinking": {"type": "disabled"},
        "max_completion_tokens": 10**6,
        "temperature": 2.5,
        "response_format": {"type": "json_object"},
        "store": False,
        "stream": True,
        "unheard_of": 1,
    }
    sent = rewritten(body, profile)
    assert set(sent) <= frozenset(card.fields)
    assert sent["reasoning_effort"] == "none"
    assert sent["max_tokens"] == 65536
    assert sent["temperature"] == 2
    assert sent["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert "tool_choice" not in sent
    assert sent["stream_options"] == {"include_usage": True}
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]


def test_every_effort_of_every_model_is_understood_where_it_goes(known: Presets) -> None:
    """Whatever word a client says, the model is told one that it knows."""
    sensenova = known.named("sensenova")
    for name, card in MODELS.items():
        profile = sensenova.profile_for(name, card)
        for word in LADDER:
            assert not profile.efforts or fit_effort(word, profile) in profile.efforts


def test_a_models_limits_hold_at_its_provider(known: Presets) -> None:
    """Longer answers are not asked for, and who sees no images reads that there was one; elsewhere nothing is known."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    message = {"role": "user", "content": [{"type": "text", "text": "Look"}, image]}
    body: Body = {"model": "m", "messages": [message], "max_tokens": 10**6}
    told: dict[str, tuple[int, str]] = {}
    for name in ("deepseek-v4-pro", "deepseek-v4-flash"):
        sent = rewritten(body, known.named("deepseek").profile_for(name))
        told[name] = sent["max_tokens"], sent["messages"][0]["content"][-1]["type"]
    assert told == {"deepseek-v4-pro": (384000, "text"), "deepseek-v4-flash": (384000, "image_url")}
    assert rewritten(body, known.named("generic").profile_for("deepseek-v4-pro")) == body


@pytest.mark.parametrize(
    ("provider", "model", "limits"),
    [
        ("openai", "gpt-5-mini", (400000, 128000)),
        ("openai", "gpt-5.1-chat-latest", (128000, 16384)),
        ("openai", "gpt-5.5", (1050000, 128000)),
        ("mimo", "mimo-v2.6-pro", (1048576, 131072)),
        ("moonshot", "moonshot-v1-8k-vision-preview", (8192, None)),
        ("vllm", "gpt-5", (None, None)),
    ],
)
def test_limits_are_put_together_from_all_rows(
    known: Presets, provider: str, model: str, limits: tuple[int | None, int | None]
) -> None:
    """Later rows win, field by field; who serves other people's models is asked for theirs."""
    facts = known.named(provider).facts_of(model)
    assert (facts.context_length, facts.max_output_length) == limits


@pytest.mark.parametrize("model", ["mimo-v2.6-pro", "kimi-k2.6", "moonshot-v1-8k-vision-preview", "glm-5v-turbo"])
def test_a_model_that_sees_keeps_its_images(known: Presets, model: str) -> None:
    """A row for its elder or smaller sister does not take them."""
    provider = {"mimo": "mimo", "kimi": "moonshot", "moonshot": "moonshot", "glm": "zhipu"}[model.partition("-")[0]]
    preset = known.named(provider)
    assert "image" in preset.facts_of(model).input_modalities
    assert preset.profile_for(model).image_policy != "placeholder"


def test_effort_maps_are_settled(known: Presets) -> None:
    """A word that another became is not mapped again."""
    for preset in known.all:
        for profile in (preset.profile, *(facts.profile for facts in preset.models)):
            assert all(profile.effort_map.get(word, word) == word for word in profile.effort_map.values())


def test_both_regions_of_the_token_platform_accept_the_same(known: Presets) -> None:
    """One description serves two hosts."""
    assert known.named("sensenova").profile == known.named("sensenova-intl").profile
    assert "sensenova-token-platform" not in [preset.name for preset in known.all]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[[presets]]\nname = 1", "name"),
        (b"[[presets]]\nname = 'a'\ntitle = ''\nspeed = 3", "speed"),
        (b"[[presets]]\nname = 'a'\ntitle = ''\nprofile = { system_policy = 'odd' }", "system_policy"),
        (b"[[presets]]\nname = 'a'\ntitle = ''\ninherits = 'b'", "inherits from 'b'"),
        (b"[[presets]]\nname = 'a'\ntitle = ''\n[[presets]]\nname = 'a'\ntitle = ''", "two presets named 'a'"),
        (b"nothing", "not valid"),
    ],
)
def test_a_bad_table_is_refused_by_name(data: bytes, says: str) -> None:
    """What is wrong with the file is named."""
    with pytest.raises(RixinError, match=says) as raised:
        load_presets(data)
    assert raised.value.kind is Kind.CONFIGURATION


def test_unknown_names_and_bad_addresses_are_refused(known: Presets) -> None:
    """The error names what there is, and what is wrong."""
    with pytest.raises(RixinError, match="known are generic"):
        known.named("nobody")
    with pytest.raises(RixinError, match="not valid"):
        known.preset_for("http://host:port/v1")
