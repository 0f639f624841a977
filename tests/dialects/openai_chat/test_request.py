"""Requests read: fields, ranges, refusals."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rixin.core.messages import Message, TextPart
from rixin.core.requests import Origin, ReasoningWish, Sampling
from rixin.core.tools import ResponseFormat, Tool, ToolChoice
from rixin.dialects.base import Call
from rixin.dialects.decoding import MAX_DEPTH
from rixin.dialects.openai_chat import DIALECT
from rixin.dialects.openai_chat.bounds import MAX_FIELDS, MAX_LOGIT_BIAS, MAX_STOPS, MAX_TOOLS
from rixin.errors import Kind, RixinError
from tests.dialects.support import ask_chat, ask_prompt, card_of, parse

LITE = "sensenova-6.7-flash-lite"
USER: dict[str, Any] = {"role": "user", "content": "Hi"}
FUNCTION: dict[str, Any] = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def refusal(**fields: Any) -> tuple[str | None, str]:
    """The field and the words of the error that a body gets."""
    with pytest.raises(RixinError) as caught:
        ask_chat(**fields)
    assert caught.value.kind is Kind.INVALID_REQUEST
    return caught.value.param, caught.value.message


def outcome(act: Callable[[], object]) -> RixinError | None:
    """The error that an act ends with, if it is one of ours."""
    try:
        act()
    except RixinError as error:
        return error
    return None


def nested(depth: int) -> Any:
    """JSON of a depth."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def test_routes_are_the_platforms() -> None:
    """Chat and text completions, embeddings and images live under /v1 and under both compatible modes."""
    chat, completion, embeddings, *images = DIALECT.routes
    assert chat.paths == (
        "/v1/chat/completions",
        "/compatible-mode/v1/chat/completions",
        "/compatible-mode/v2/chat/completions",
    )
    assert completion.paths == ("/v1/completions", "/compatible-mode/v1/completions", "/compatible-mode/v2/completions")
    assert embeddings.paths == ("/v1/embeddings", "/compatible-mode/v1/embeddings", "/compatible-mode/v2/embeddings")
    assert [route.paths[0] for route in images] == ["/v1/images/generations", "/v1/images/edits"]
    assert all(len(route.paths) == 3 for route in images)


def test_the_guides_example_is_read() -> None:
    """The token platform guide's example of sampling parameters gives each of them its place."""
    body = {
        "model": LITE,
        "max_tokens": 2000,
        "temperature": 1.0,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 1.5,
        "repetition_penalty": 1.0,
        "messages": [{"role": "user", "content": "Write a poem about spring."}],
    }
    encoded = json.dumps(body).encode()
    request = parse("/v1/chat/completions", encoded)
    assert request.model == LITE
    assert request.card is card_of(LITE)
    assert request.messages == (Message(role="user", parts=(TextPart("Write a poem about spring."),)),)
    assert request.max_tokens == 2000
    assert request.sampling == Sampling(
        temperature=1.0, top_p=0.95, top_k=20, min_p=0.0, presence_penalty=1.5, repetition_penalty=1.0
    )
    assert request.origin == Origin("openai_chat", encoded)
    assert (request.stream, request.n, request.extra, request.changes) == (False, 1, {}, ())


def test_every_documented_field_has_its_place() -> None:
    """Fields of the parameter table and of OpenAI's reference reach the request."""
    request = ask_chat(
        stream=True,
        stream_options={"include_usage": False},
        frequency_penalty=-1,
        seed=7,
        logit_bias={"50256": -100},
        do_sample=False,
        n=2,
        stop=["a", "b"],
        logprobs=True,
        top_logprobs=5,
        tools=[FUNCTION],
        tool_choice="required",
        parallel_tool_calls=False,
        response_format={"type": "json_object"},
        reasoning_effort="low",
        user="u",
    )
    assert (request.stream, request.include_usage) == (True, False)
    assert request.sampling == Sampling(frequency_penalty=-1, seed=7, logit_bias={"50256": -100}, do_sample=False)
    assert (request.n, request.stop) == (2, ("a", "b"))
    assert (request.logprobs, request.top_logprobs) == (True, 5)
    assert request.tools == (Tool(name="f", parameters={"type": "object"}),)
    assert (request.tool_choice, request.parallel_tool_calls) == (ToolChoice("required"), False)
    assert request.response_format == ResponseFormat(kind="json_object")
    assert (request.reasoning, request.user) == (ReasoningWish(effort="low"), "u")


def test_null_is_absent() -> None:
    """Every field but `model` and `messages` may be null, and then says nothing."""
    from rixin.dialects.openai_chat.wire import ChatBody

    names = [name for name in ChatBody.__struct_fields__ if name not in ("model", "messages")]
    silent = ask_chat(**dict.fromkeys([*names, "metadata"]))
    spoken = ask_chat()
    assert msgspec.structs.replace(silent, origin=None) == msgspec.structs.replace(spoken, origin=None)


def test_unknown_fields_ride_along() -> None:
    """What no struct describes is kept as it is, and nothing is said to be ignored."""
    request = ask_chat(metadata={"a": [1]}, store=True, chat_template_kwargs={"x": None}, functions=[])
    assert request.extra == {
        "metadata": {"a": [1]},
        "store": True,
        "chat_template_kwargs": {"x": None},
        "functions": [],
    }
    assert request.changes == ()


RANGES: list[tuple[dict[str, Any], str, str]] = [
    ({"model": LITE, "temperature": 2.01}, "temperature", "invalid temperature, should in [0,2]."),
    ({"model": LITE, "temperature": -0.1}, "temperature", "invalid temperature, should in [0,2]."),
    ({"model": LITE, "top_p": 0}, "top_p", "invalid top_p, should in (0,1]."),
    ({"model": LITE, "max_tokens": 0}, "max_tokens", "invalid max_tokens, should in [1,65536]."),
    ({"model": LITE, "max_tokens": 65537}, "max_tokens", "invalid max_tokens, should in [1,65536]."),
    (
        {"model": LITE, "max_completion_tokens": 65537},
        "max_completion_tokens",
        "invalid max_completion_tokens, should in [1,65536].",
    ),
    ({"model": LITE, "n": 8}, "n", "invalid n, should in [1,7]."),
    ({"model": LITE, "seed": 9999999}, "seed", "invalid seed, should in [0,9999999)."),
    ({"model": LITE, "frequency_penalty": -0.1}, "frequency_penalty", "invalid frequency_penalty, should in [0,2]."),
    ({"model": LITE, "top_k": -2}, "top_k", "invalid top_k, should in [-1,2147483647]."),
    (
        {"model": "kimi-k3", "temperature": 0.5},
        "temperature",
        "field Temperature invalid, only 1 is allowed for this model",
    ),
    (
        {"model": "kimi-k3", "frequency_penalty": 1},
        "frequency_penalty",
        "field FrequencyPenalty invalid, only 0 is allowed for this model",
    ),
    ({"model": "kimi-k3", "max_tokens": 2**21}, "max_tokens", "invalid max_tokens, should in [1,1048576]."),
    ({"temperature": 2.5}, "temperature", "invalid temperature, should in [0,2]."),
    ({"top_p": 1.5}, "top_p", "invalid top_p, should in [0,1]."),
    ({"min_p": -1}, "min_p", "invalid min_p, should in [0,1]."),
    ({"presence_penalty": 3}, "presence_penalty", "invalid presence_penalty, should in [-2,2]."),
    ({"repetition_penalty": 0}, "repetition_penalty", "invalid repetition_penalty, should in (0,10]."),
    ({"n": 0}, "n", "invalid n, should in [1,128]."),
    ({"n": 10**30}, "n", "invalid n, should in [1,128]."),
    ({"seed": 2**64}, "seed", "invalid seed, should in [-9223372036854775808,9223372036854775807]."),
    ({"max_tokens": 2**31}, "max_tokens", "invalid max_tokens, should in [1,2147483647]."),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "invalid top_logprobs, should in [0,20]."),
    ({"logit_bias": {"5": 101}}, "logit_bias.5", "invalid logit_bias.5, should in [-100,100]."),
]


@pytest.mark.parametrize(("fields", "param", "message"), RANGES)
def test_a_number_outside_its_range_is_refused(fields: dict[str, Any], param: str, message: str) -> None:
    """The message names field and range in the platform's words: the model's range, else what holds for all."""
    assert refusal(**fields) == (param, message)


def test_numbers_on_the_bounds_are_accepted() -> None:
    """Closed bounds belong to the range."""
    for fields in ({"temperature": 0}, {"temperature": 2}, {"top_p": 1}, {"max_tokens": 65536}, {"n": 7}, {"seed": 0}):
        ask_chat(model=LITE, **fields)


REFUSED: list[tuple[dict[str, Any], str | None, str]] = [
    ({"model": ""}, "model", "invalid model, it should not be empty."),
    ({"temperature": "hot"}, "temperature", "invalid temperature, expected number, got string."),
    ({"stream": "yes"}, "stream", "invalid stream, expected boolean, got string."),
    ({"stream_options": True}, "stream_options", "invalid stream_options, expected object, got boolean."),
    ({"stop": [1]}, "stop[0]", "invalid stop[0], expected string, got integer."),
    ({"stop": ["x"] * (MAX_STOPS + 1)}, "stop", "invalid stop, should have at most 16 entries, has 17."),
    ({"stop": ""}, "stop", "invalid stop, its entries should not be empty."),
    ({"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens",
     "invalid max_tokens, it should equal max_completion_tokens (6) or be left out."),
    ({"top_logprobs": 2}, "top_logprobs", "invalid top_logprobs, it needs logprobs to be true."),
    ({"logit_bias": {"hello": 1}}, "logit_bias", "invalid logit_bias, its keys should be token ids."),
    ({"logit_bias": {str(token): 1 for token in range(MAX_LOGIT_BIAS + 1)}}, "logit_bias",
     "invalid logit_bias, should have at most 1024 entries, has 1025."),
    ({"model": LITE, "reasoning_effort": "max"}, "reasoning_effort",
     "field ReasoningEffort invalid, should be one of: low, medium, high, xhigh, none"),
    ({"thinking": True}, "thinking", "invalid thinking, expected object, got boolean."),
    ({"thinking": "enabled"}, "thinking", "invalid thinking, expected object, got string."),
    ({"thinking": {"type": "adaptive"}}, "thinking.type",
     "invalid thinking.type, should be one of: enabled, disabled."),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "invalid tools[0].function, it is required."),
    ({"tools": [{"type": "custom"}]}, "tools[0].custom", "invalid tools[0].custom, it is required."),
    ({"tools": [{"function": {"name": "f"}}]}, "tools[0].type", "invalid tools[0].type, it is required."),
    ({"tools": [FUNCTION, {"type": "function", "function": {"name": ""}}]}, "tools[1].function.name",
     "invalid tools[1].function.name, it should not be empty."),
    ({"tools": [FUNCTION] * (MAX_TOOLS + 1)}, "tools", "invalid tools, should have at most 1024 tools, has 1025."),
    ({"tools": [{"type": "function", "function": {"name": "f", "parameters": nested(MAX_DEPTH + 1)}}]},
     "tools[0].function.parameters", "invalid tools[0].function.parameters, it nests deeper than 64 levels."),
    ({"tools": [{"type": "x", "y": nested(MAX_DEPTH + 1)}]}, "tools", "invalid tools, it nests deeper than 64 levels."),
    ({"tool_choice": "any"}, "tool_choice", "invalid tool_choice, should be one of: auto, none, required."),
    ({"tool_choice": "required"}, "tool_choice", "invalid tool_choice, required needs tools."),
    ({"tool_choice": {"type": "function"}}, "tool_choice.function", "invalid tool_choice.function, it is required."),
    ({"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice.function.name",
     "invalid tool_choice.function.name, tools has no function of that name."),
    ({"response_format": {"type": "xml"}}, "response_format.type",
     "invalid response_format.type, should be one of: text, json_object, json_schema."),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema",
     "invalid response_format.json_schema, it is required."),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "response_format.json_schema.schema",
     "invalid response_format.json_schema.schema, it is required."),
    ({"response_format": {"type": "json_schema", "json_schema": {"schema": nested(MAX_DEPTH + 1)}}},
     "response_format.json_schema.schema",
     "invalid response_format.json_schema.schema, it nests deeper than 64 levels."),
    ({"metadata": nested(MAX_DEPTH + 1)}, "metadata", "invalid metadata, it nests deeper than 64 levels."),
    ({f"x{number}": 1 for number in range(MAX_FIELDS)}, "arguments",
     "invalid arguments, should have at most 512 fields, has 514."),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param", "message"), REFUSED, ids=[message[:60] for _, _, message in REFUSED])
def test_what_is_wrong_is_refused_by_name(fields: dict[str, Any], param: str | None, message: str) -> None:
    """Each refusal names the field by its path and says what is wrong with it."""
    assert refusal(**fields) == (param, message)


def test_an_unknown_model_is_what_the_catalog_says() -> None:
    """`card_of` raises for a name that nobody serves; a model without chat has no chat route."""
    with pytest.raises(RixinError, match="model is not found") as caught:
        ask_chat(model="gpt-99")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND
    with pytest.raises(RixinError, match="model route not found") as caught:
        ask_chat(model="embedder")
    assert caught.value.kind is Kind.MODEL_NOT_FOUND


def test_the_newer_name_of_the_limit_counts() -> None:
    """`max_completion_tokens` is the limit, beside an equal `max_tokens` too."""
    assert ask_chat(max_completion_tokens=5).max_tokens == 5
    assert ask_chat(max_completion_tokens=5, max_tokens=5).max_tokens == 5


def test_stop_may_be_a_text_or_a_list() -> None:
    """A text is a list of one; an empty list is none."""
    assert ask_chat(stop="END").stop == ("END",)
    assert ask_chat(stop=[]).stop == ()


def test_effort_is_free_where_no_vocabulary_is_known() -> None:
    """A model without documented efforts takes any word of reasonable length."""
    assert ask_chat(reasoning_effort="ultra").reasoning.effort == "ultra"
    assert refusal(reasoning_effort="x" * 300)[0] == "reasoning_effort"


@pytest.mark.parametrize(
    ("fields", "wish"),
    [
        ({"thinking": {"type": "enabled"}}, ReasoningWish(enabled=True)),
        ({"thinking": {"type": "disabled"}}, ReasoningWish(enabled=False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, ReasoningWish(enabled=True, budget=1024)),
        ({"thinking": {"enabled": False}}, ReasoningWish(enabled=False)),
        ({"thinking": {}}, ReasoningWish()),
        ({"enable_thinking": False}, ReasoningWish(enabled=False)),
        ({"enable_thinking": False, "thinking": {"type": "enabled"}}, ReasoningWish(enabled=True)),
        ({"reasoning_effort": "none", "thinking": {"type": "enabled"}}, ReasoningWish(effort="none", enabled=True)),
    ],
)
def test_thinking_has_several_switches(fields: dict[str, Any], wish: ReasoningWish) -> None:
    """Effort word, switch and budget are kept apart; `thinking` wins over `enable_thinking`."""
    assert ask_chat(**fields).reasoning == wish


def test_tools_of_both_kinds_are_known_and_others_ride_along() -> None:
    """A tool of another type stays as it came, at its own place in `extra`."""
    search = {"type": "web_search", "web_search": {"depth": 2}}
    custom = {"type": "custom", "custom": {"name": "patch", "description": "d", "format": {"type": "text"}}}
    strict = {"type": "function", "function": {"name": "g", "description": "d", "strict": True}}
    request = ask_chat(tools=[FUNCTION, search, custom, strict], tool_choice="required")
    assert request.tools == (
        Tool(name="f", parameters={"type": "object"}),
        Tool(name="patch", description="d", kind="custom", format={"type": "text"}),
        Tool(name="g", description="d", strict=True),
    )
    assert request.extra == {"tools": [search]}
    assert ask_chat(tools=[search], tool_choice="required").tool_choice == ToolChoice("required")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("named", "f")),
        ({"type": "custom", "custom": {"name": "patch"}}, ToolChoice("named", "patch")),
    ],
)
def test_tool_choice_has_words_and_names(choice: Any, expected: ToolChoice) -> None:
    """A word, or a tool by its kind and name."""
    tools = [FUNCTION, {"type": "custom", "custom": {"name": "patch"}}]
    assert ask_chat(tools=tools, tool_choice=choice).tool_choice == expected


def test_an_unknown_form_of_tool_choice_rides_along() -> None:
    """`allowed_tools` is not understood here, and not lost either."""
    choice: dict[str, Any] = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}
    request = ask_chat(tools=[FUNCTION], tool_choice=choice)
    assert (request.tool_choice, request.extra) == (None, {"tool_choice": choice})


def test_response_formats_are_three() -> None:
    """Text, any JSON object, and JSON under a schema."""
    assert ask_chat(response_format={"type": "text"}).response_format == ResponseFormat(kind="text")
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": {"type": "object"}}}
    assert ask_chat(response_format=wanted).response_format == ResponseFormat(
        kind="json_schema", name="city", strict=True, schema={"type": "object"}
    )


def test_a_session_is_known_by_field_or_header() -> None:
    """The field wins; agents that say nothing have none."""
    assert ask_chat().session is None
    assert ask_chat({"session_id": "s1"}).session == "s1"
    request = ask_chat({"session_id": "s1"}, prompt_cache_key="k1")
    assert (request.session, request.extra) == ("k1", {"prompt_cache_key": "k1"})


def test_strict_mode_refuses_by_name() -> None:
    """On by header or card, a field outside the model's table is refused; null is absent there too."""
    ask_chat({"x-rixin-strict": "1"}, model=LITE, temperature=1, thinking=None, store=None)
    for header in ("1", "true", "TRUE"):
        with pytest.raises(RixinError) as caught:
            ask_chat({"x-rixin-strict": header}, model=LITE, response_format={"type": "json_object"})
        assert caught.value.message == f"invalid response_format, it is not a parameter of {LITE}."
        assert caught.value.param == "response_format"
    ask_chat({"x-rixin-strict": "0"}, model=LITE, thinking={"type": "disabled"})
    ask_chat({"x-rixin-strict": "1"}, thinking={"type": "disabled"})  # no table is known of this model


@pytest.mark.parametrize("how", ["header", "card"])
def test_opaque_strict_mode_says_what_the_platform_says(how: str) -> None:
    """The platform's own words, which name nothing."""
    card = msgspec.structs.replace(card_of(LITE), strict="opaque" if how == "card" else False)
    body = json.dumps({"model": LITE, "messages": [USER], "store": True}).encode()
    headers = {"x-rixin-strict": "opaque"} if how == "header" else {}
    with pytest.raises(RixinError) as caught:
        DIALECT.routes[0].parse(Call(headers=headers, body=body), lambda _: card)
    assert (caught.value.message, caught.value.param) == ("Errors in message queue response", None)


def test_strict_mode_is_for_chats_only() -> None:
    """A text completion has fields of its own, which no model's table lists."""
    body = json.dumps({"model": LITE, "prompt": "Once", "echo": False}).encode()
    assert parse("/v1/completions", body, {"x-rixin-strict": "1"}).prompt == "Once"


def test_a_text_completion_is_a_prompt() -> None:
    """One text, alone or in a list; log probabilities by their number."""
    request = ask_prompt(max_tokens=5, logprobs=3, suffix="the end", stop="\n", stream=True)
    assert (request.prompt, request.messages, request.max_tokens) == ("Once", (), 5)
    assert (request.logprobs, request.top_logprobs) == (True, 3)
    assert (request.extra, request.stop, request.stream) == ({"suffix": "the end"}, ("\n",), True)
    assert ask_prompt(prompt=["Twice"]).prompt == "Twice"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prompt": []}, "invalid prompt, should be one text, has 0."),
        ({"prompt": ["a", "b"]}, "invalid prompt, should be one text, has 2."),
        ({"prompt": [1, 2]}, "invalid prompt[0], expected string, got integer."),
        ({"prompt": None}, "invalid prompt, expected string or array, got null."),
        ({"logprobs": 21}, "invalid logprobs, should in [0,20]."),
        ({"max_tokens": 0}, "invalid max_tokens, should in [1,2147483647]."),
    ],
)
def test_a_text_completion_refuses_what_it_cannot_do(fields: dict[str, Any], message: str) -> None:
    """Several prompts and prompts of tokens are refused in words."""
    with pytest.raises(RixinError) as caught:
        ask_prompt(**fields)
    assert caught.value.message == message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
KNOWN = st.sampled_from(
    [
        "messages",
        "prompt",
        "tools",
        "tool_choice",
        "response_format",
        "stop",
        "thinking",
        "n",
        "logit_bias",
        "stream",
        "stream_options",
        "temperature",
        "max_tokens",
        "reasoning_effort",
        "logprobs",
        "top_logprobs",
        "content",
        "role",
        "type",
        "function",
        "name",
        "image_url",
        "tool_calls",
        "tool_call_id",
        "arguments",
    ]
)
SHAPED = st.recursive(
    JSON | st.sampled_from(["user", "assistant", "tool", "function", "custom", "text", "image_url", "json_schema"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(KNOWN, SHAPED, max_size=6) | JSON, st.sampled_from(["", LITE, "up-model", None]))
def test_any_json_is_read_or_refused(value: Any, model: str | None) -> None:
    """Whatever JSON comes, the answer is a request or an error that a client may read."""
    body = msgspec.json.encode({**value, "model": model} if isinstance(value, dict) and model is not None else value)
    for route in DIALECT.routes:
        error = outcome(lambda route=route: route.parse(Call(body=body), card_of))
        assert error is None or error.status in (400, 404)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Bytes that are no JSON are refused in words."""
    for body in (data, b'{"model":"up-model","messages":[' + data, b'{"model":"up-model","x":' + data + b"}"):
        with pytest.raises(RixinError):
            DIALECT.routes[0].parse(Call(body=body), card_of)
