"""mimo2codex's providers.json, with the semantics of its own features."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.core.events import Event, Finish, Start, Text
from rixin.core.responses import collect
from rixin.errors import Kind, RixinError
from rixin.profiles import presets
from rixin.profiles.answers.transform import transform_for
from rixin.profiles.cards import load_models
from rixin.profiles.importers.mimo2codex import FEATURES, import_providers, profile_from_features
from rixin.profiles.presets import load_presets
from rixin.profiles.profile import merge
from tests.profiles.sanitizing import Body, rewritten

ROOM = Path(presets.__file__).parent

# The example of mimo2codex's guide to SenseNova.
EXAMPLE: Body = {
    "providers": [
        {
            "id": "sensenova",
            "displayName": "商汤日日新",
            "baseUrl": "https://token.sensenova.cn/v1",
            "envKey": "SENSENOVA_API_KEY",
            "defaultModel": "sensenova-6.7-flash-lite",
            "models": [
                {
                    "id": "sensenova-6.7-flash-lite",
                    "contextWindow": 262144,
                    "maxOutputTokens": 65536,
                    "supportsImages": True,
                },
                {
                    "id": "deepseek-v4-flash",
                    "contextWindow": 262144,
                    "maxOutputTokens": 65536,
                    "supportsReasoning": True,
                },
            ],
            "features": {
                "dropNullStrict": True,
                "dropNullContent": True,
                "dropToolChoiceAuto": True,
                "mergeSystemMessages": True,
                "dropResponseFormat": True,
                "enhanceErrorPreset": "sensenova",
            },
            "docsUrl": "https://platform.sensenova.cn/docs",
        }
    ]
}

CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
USER = {"role": "user", "content": "hi"}
LATE = {"role": "system", "content": "b"}
FUNCTION: Body = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "properties": {}}}}


SENSENOVA = frozenset(
    {"dropNullStrict", "dropNullContent", "dropToolChoiceAuto", "mergeSystemMessages"}
    | {"dropResponseFormat", "dropNonFunctionTools"}
)
MINIMAX = frozenset({"dropNullStrict", "dropNullContent", "dropToolChoiceAuto", "mergeSystemMessages"})
DROPPED = {
    "dropStreamOptions": "stream_options",
    "dropParallelToolCalls": "parallel_tool_calls",
    "dropResponseFormat": "response_format",
    "dropReasoningEffort": "reasoning_effort",
}


def flags_of(features: Body) -> set[str]:
    """The rewrites that mimo2codex's features turn on."""
    on = {name for name, value in features.items() if value is True}
    preset = features.get("enhanceErrorPreset")
    if preset == "sensenova":
        on |= SENSENOVA - features.keys()
    if preset == "kimi":
        on |= {"dropReasoningEffort"} - features.keys()
    if "minimaxCompat" in on or (preset == "minimax" and "minimaxCompat" not in features):
        on |= MINIMAX
    return on


def theirs(body: Body, features: Body) -> Body:
    """The body as mimo2codex's documented features rewrite it, written anew from their description."""
    on = flags_of(features)
    gone = {"thinking", "enable_thinking"} | {field for flag, field in DROPPED.items() if flag in on}
    if "dropToolChoiceAuto" in on and body.get("tool_choice") == "auto":
        gone.add("tool_choice")
    body = {field: value for field, value in copy.deepcopy(body).items() if field not in gone}
    if "dropNullStrict" in on:
        for function in [tool["function"] for tool in body.get("tools", []) if tool["type"] == "function"]:
            if function.get("strict", 0) is None:
                del function["strict"]
    if "dropNullContent" in on:
        for message in [message for message in body["messages"] if message["role"] == "assistant"]:
            if message.get("content", 0) is None:
                del message["content"]
    if "mergeSystemMessages" in on:
        body["messages"] = merged(body["messages"])
    return without_hosted_tools(body) if "dropNonFunctionTools" in on else body


def without_hosted_tools(body: Body) -> Body:
    """Only functions and custom tools; no empty list of tools."""
    tools = [tool for tool in body.pop("tools", []) if tool["type"] in ("function", "custom")]
    return {**body, "tools": tools} if tools else body


def merged(messages: list[Body]) -> list[Body]:
    """All system texts in one message at the head, unless the only one is there."""
    systems = [message for message in messages if message["role"] == "system"]
    if not systems or (len(systems) == 1 and messages[0]["role"] == "system"):
        return messages
    text = "\n\n".join(message["content"] for message in systems if message["content"])
    others = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": text}, *others] if text else others


texts: st.SearchStrategy[Any] = st.sampled_from(["", "a", "b c"])


def said(role: str, content: str | None) -> Body:
    """A message."""
    return {"role": role, "content": content}


def function(strict: bool | None) -> Body:
    """A function on offer, with the flag that strict upstreams look at."""
    return {**FUNCTION, "function": {**FUNCTION["function"], "strict": strict}}


turns: st.SearchStrategy[Any] = st.one_of(
    st.builds(said, st.sampled_from(["system", "user", "assistant"]), texts),
    st.builds(said, st.just("assistant"), st.none()),
)
tools: st.SearchStrategy[Any] = st.builds(function, st.sampled_from([None, True, False]))


@st.composite
def requests(draw: st.DrawFn) -> Body:
    """A sound body of a Chat client; what we mend and mimo2codex does not is left out."""
    messages: list[Body] = draw(st.lists(turns, max_size=5))
    called = draw(st.booleans())
    if called:
        messages += [{"role": "assistant", "content": draw(st.none() | texts), "tool_calls": [CALL]}, RESULT]
    body: Body = {"model": "m", "messages": [*messages, USER]}
    optional: Body = {
        "temperature": 0.5,
        "response_format": {"type": "json_object"},
        "stream_options": {"include_usage": True},
        "reasoning_effort": "high",
        "thinking": {"type": "disabled"},
        "enable_thinking": False,
        "user": "ann",
        "unheard_of": None,
        "max_completion_tokens": 10**6,
    }
    body |= {field: optional[field] for field in draw(st.sets(st.sampled_from(sorted(optional))))}
    if draw(st.booleans()):
        hosted = [{"type": "web_search"}] if draw(st.booleans()) else []
        body["tools"] = [draw(tools), *hosted]
        if draw(st.booleans()):
            body["tool_choice"] = draw(st.sampled_from(["auto", "none", "required"]))
            body["parallel_tool_calls"] = draw(st.booleans())
    return body


switches = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.booleans() for name in FEATURES if name not in ("webSearch", "forceParallelToolCalls")},
        "minimaxCompat": st.booleans(),
        "enhanceErrorPreset": st.sampled_from(["sensenova", "minimax", "kimi", "other"]),
    },
)


@settings(max_examples=300, deadline=None)
@given(body=requests(), features=switches)
def test_every_combination_of_features_rewrites_alike(body: Body, features: Body) -> None:
    """Case by case the same body, for each set of switches, umbrella and error preset."""
    assert rewritten(body, profile_from_features(features)) == theirs(body, features)


@pytest.mark.parametrize("on", [True, False])
def test_web_search_and_parallel_calls_are_switched(on: bool) -> None:
    """The upstream's search is for who asks for one; a Chat client's own tool goes to it as there."""
    assert profile_from_features({"webSearch": on}).web_search is on
    body: Body = {"model": "m", "messages": [USER], "tools": [{"type": "web_search"}, FUNCTION]}
    profile = profile_from_features({"forceParallelToolCalls": on, "webSearch": on})
    assert rewritten(body, profile) == (body | ({"parallel_tool_calls": True} if on else {}))


@pytest.mark.parametrize(
    ("features", "on"),
    [
        ({"extractThinkTags": True}, True),
        ({"extractThinkTags": False}, False),
        ({}, False),
        ({"minimaxCompat": True}, True),
        ({"enhanceErrorPreset": "minimax"}, True),
    ],
)
def test_think_tags_are_taken_out_where_that_is_on(features: Body, on: bool) -> None:
    """By itself, or with the umbrella that turns it on."""
    transform = transform_for(profile_from_features(features), {}, ())
    assert (transform is not None) is on
    if transform is not None:
        events: list[Event] = [Text(text="<thi"), Text(text="nk>hm</think>\nok"), Finish(reason="stop")]
        choice = collect([Start(id="1", created=1, model="m"), *transform.feed(events)]).choices[0]
        assert (choice.reasoning, choice.text) == ("hm", "ok")


CASES: dict[str, Body] = {
    "strict null": {"messages": [USER], "tools": [{**FUNCTION, "function": {"name": "read", "strict": None}}]},
    "strict true": {"messages": [USER], "tools": [{**FUNCTION, "function": {"name": "read", "strict": True}}]},
    "null content": {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, RESULT]},
    "tool_choice auto": {"messages": [USER], "tools": [FUNCTION], "tool_choice": "auto"},
    "tool_choice required": {"messages": [USER], "tools": [FUNCTION], "tool_choice": "required"},
    "several systems": {"messages": [{"role": "system", "content": "a"}, USER, LATE]},
    "response format": {"messages": [USER], "response_format": {"type": "json_object"}},
    "hosted tool": {"messages": [USER], "tools": [{"type": "web_search"}, FUNCTION]},
    "thinking": {"messages": [USER], "thinking": {"type": "enabled"}, "enable_thinking": True},
}


@pytest.mark.parametrize("case", CASES)
def test_the_guides_example_rewrites_alike(case: str) -> None:
    """The file alone does what it does there, case by case."""
    (entry,) = import_providers(EXAMPLE).providers
    body = {"model": "sensenova-6.7-flash-lite", **CASES[case]}
    assert rewritten(body, entry.profile) == theirs(body, EXAMPLE["providers"][0]["features"])


@pytest.mark.parametrize("case", [case for case in CASES if case != "strict true"])
def test_the_preset_of_the_host_takes_nothing_from_it(case: str) -> None:
    """Under the file lies our preset for the host, which mends more, and these cases still come out the same."""
    (entry,) = import_providers(EXAMPLE).providers
    model = "sensenova-6.7-flash-lite"
    card = load_models((ROOM / "models.toml").read_bytes()).cards[model]
    preset = load_presets((ROOM / "presets.toml").read_bytes()).preset_for(entry.provider.base_url)
    body = {"model": model, **CASES[case]}
    profile = merge(preset.profile_for(model, card), entry.profile)
    assert rewritten(body, profile) == theirs(body, EXAMPLE["providers"][0]["features"])


def test_what_was_lost_there_is_kept_here() -> None:
    """System texts in lists survive the merge, and no choice of a tool is left without tools."""
    profile = profile_from_features({"mergeSystemMessages": True, "dropNonFunctionTools": True})
    body: Body = {
        "model": "m",
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "a"}]},
            USER,
            LATE,
        ],
        "tools": [{"type": "web_search"}],
        "tool_choice": "required",
    }
    assert rewritten(body, profile) == {"model": "m", "messages": [{"role": "system", "content": "a\n\nb"}, USER]}


def test_the_example_becomes_a_provider() -> None:
    """Its name, address, key and models, the default one first; limits and modalities beside it."""
    imported = import_providers(EXAMPLE)
    (entry,) = imported.providers
    provider = entry.provider
    assert (provider.name, provider.base_url, provider.dialect) == (
        "sensenova",
        "https://token.sensenova.cn/v1",
        "openai_chat",
    )
    assert provider.api_keys == ("${SENSENOVA_API_KEY}",)
    assert provider.models == ("sensenova-6.7-flash-lite", "deepseek-v4-flash")
    assert entry.title == "商汤日日新"
    assert [(model.context_length, model.max_output_length, model.images) for model in entry.models] == [
        (262144, 65536, True),
        (262144, 65536, None),
    ]
    assert entry.models[0].profile.image_policy == "pass"


def test_a_feature_that_is_off_stays_off() -> None:
    """The operator's file overrules our preset in both directions."""
    preset = load_presets((ROOM / "presets.toml").read_bytes()).named("sensenova").profile
    off = merge(preset, profile_from_features(dict.fromkeys(FEATURES, False)))
    body: Body = {
        "model": "m",
        "messages": [{"role": "system", "content": "a"}, USER, LATE],
    }
    body |= {"tools": [{"type": "web_search"}], "tool_choice": "auto", "response_format": {"type": "json_object"}}
    assert rewritten(body, off) == body


def test_responses_upstreams_are_left_alone() -> None:
    """There the client's bytes went through as they were."""
    row = {**EXAMPLE["providers"][0], "wireApi": "responses"}
    (entry,) = import_providers({"providers": [row]}).providers
    assert entry.provider.dialect == "openai_responses"
    assert entry.profile.drop_params == frozenset()


def test_names_lead_to_models() -> None:
    """A model's aliases, and every name where the default model is forced."""
    row: Body = {"id": "a", "baseUrl": "http://a", "envKey": "A_API_KEY", "defaultModel": "x"}
    listed: Body = {**row, "models": [{"id": "y", "aliases": ["z", 3]}]}
    forced: Body = {**row, "id": "b", "forceDefaultModel": True}
    imported = import_providers({"providers": [listed, forced]})
    assert imported.aliases == {"z": "a/y", "*": "b/x"}
    assert [entry.provider.models for entry in imported.providers] == [("x", "y"), ()]


def test_unknown_keys_and_wrong_types_are_passed_over() -> None:
    """As there: a feature counts only with the right type."""
    row: Body = {**EXAMPLE["providers"][0], "color": "red", "features": {"dropNullStrict": "yes", "speed": True}}
    row["models"] = [{"id": "m", "contextWindow": "big", "supportsImages": 1}]
    (entry,) = import_providers(json.loads(json.dumps({"providers": [row]}))).providers
    assert entry.profile.tool_strict is None
    assert entry.models[0].context_length is None
    assert entry.models[0].images is None


BAD: list[tuple[Any, str]] = [
    ([], "should be an object"),
    ({"providers": {}}, "is a list"),
    ({"providers": [3]}, r"providers\[0\] should be an object"),
    ({"providers": [{}]}, r"providers\[0\].id is required"),
    ({"providers": [{"id": "a b"}]}, "letters, digits"),
    ({"providers": [{"id": "mimo"}]}, "reserved"),
    ({"providers": [{"id": "a"}]}, "defaultModel is required"),
    ({"providers": [{"id": "a", "defaultModel": "x", "models": 3}]}, "models should be a list"),
    ({"providers": [{"id": "a", "defaultModel": "x", "models": [{}]}]}, r"models\[0\].id is required"),
    ({"providers": [EXAMPLE["providers"][0]] * 2}, "comes twice"),
]


@pytest.mark.parametrize(("tree", "says"), BAD)
def test_a_bad_file_is_refused_by_name(tree: Any, says: str) -> None:
    """The entry and what is wrong with it."""
    with pytest.raises(RixinError, match=says) as raised:
        import_providers(tree)
    assert raised.value.kind is Kind.CONFIGURATION
