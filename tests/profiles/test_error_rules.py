"""What upstreams say, explained."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from rixin.dialects.upstream_errors import parse_error
from rixin.errors import Kind, RixinError
from rixin.profiles import error_rules
from rixin.profiles.error_rules import Explanation, load_error_rules
from rixin.profiles.profile import Profile

RULES = load_error_rules(Path(error_rules.__file__).with_name("error_rules.toml").read_bytes())


def explained(message: str, status: int = 400, kind: Kind = Kind.INVALID_REQUEST) -> Explanation:
    """The explanation of a message."""
    found = RULES.explain(status, message, kind=kind)
    assert found is not None, message
    return found


@pytest.mark.parametrize(
    ("message", "rule", "field", "fix"),
    [
        ("Errors in message queue response", "opaque", None, None),
        ("invalid arguments", "opaque", None, None),
        ("Param Incorrect", "opaque", None, None),
        ("invalid temperature, should in [0,2].", "out_of_range", "temperature", "temperature_range"),
        ("Range of max_tokens should be [1, 8192]", "out_of_range", "max_tokens", "max_tokens_range"),
        (
            "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
            "out_of_range",
            "max_tokens",
            "max_tokens_range",
        ),
        ("max_tokens must be less than or equal to 8192", "out_of_range", "max_tokens", "max_tokens_range"),
        ("The max_tokens must be at most 8192", "out_of_range", "max_tokens", "max_tokens_range"),
        ("temperature must be between 0 and 1", "out_of_range", "temperature", "temperature_range"),
        (
            "max_tokens is too large: 99999. This model supports at most 16384 completion tokens",
            *("out_of_range", "max_tokens", "max_tokens_range"),
        ),
        ("field ReasoningEffort invalid, should be one of: low, medium, high, xhigh, none", "efforts", None, "efforts"),
        ('output_config. effort must be one of: low, medium, high; got "xhigh"', "efforts", None, "efforts"),
        (
            "'reasoning_effort' does not support 'xhigh'. Supported values are: 'low', and 'high'.",
            "efforts",
            None,
            "efforts",
        ),
        (
            "field Temperature invalid, only 1 is allowed for this model",
            "only_one_value",
            "temperature",
            "temperature_range",
        ),
        (
            "'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
            *("only_one_value", "temperature", "temperature_range"),
        ),
        ("field Tools[0].Type invalid, should be one of: function, custom", "tool_types", None, "tool_types"),
        ("Unrecognized request argument supplied: store", "unknown_field", "store", "store"),
        ("Unknown parameter: 'metadata'.", "unknown_field", "metadata", "metadata"),
        ('json: unknown field "summary"', "unknown_field", "summary", "summary"),
        ("store: Extra inputs are not permitted", "unknown_field", "store", "store"),
        ("Additional properties are not allowed ('user' was unexpected)", "unknown_field", "user", "user"),
        ("got an unexpected keyword argument 'min_p'", "unknown_field", "min_p", "min_p"),
        ("Unknown parameter: 'response_format'.", "unknown_field", "response_format", "response_format"),
        ("Unknown field: tools[0].function.strict", "unknown_field", "tools", "strict"),
        ("unsupported schema keyword $schema", "unknown_field", "$schema", "schema"),
        ("reasoning_content is not allowed in input messages", "unknown_field", "reasoning_content", "reasoning_echo"),
        ("Unknown parameter: 'messages[1].annotations'", "unknown_field", "messages", "annotations"),
        (
            "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead.",
            *("use_max_completion_tokens", None, "max_tokens_renamed"),
        ),
        (
            "The reasoning_content in the thinking mode must be passed back to the API.",
            *("reasoning_must_be_echoed", None, "echo_reasoning"),
        ),
        (
            "parameter.enable_thinking must be set to false for non-streaming calls",
            *("thinking_needs_stream", None, "thinking_off"),
        ),
        ("System message must be at the beginning.", "system_messages", None, "several_systems"),
        ("messages[0].role must be one of: system, user, assistant, tool", "developer_role", None, "developer"),
        ("unknown variant `developer`, expected one of `system`, `user`", "developer_role", None, "developer"),
        ("messages: content must not be null", "null_content", None, "null_content"),
        ("messages.1.content: Input should be a valid string", "content_must_be_text", None, "text_parts"),
        ('"auto" tool choice requires --enable-auto-tool-choice', "tool_choice_auto", None, "tool_choice_default"),
    ],
)
def test_e6_known_words_ask_for_a_repair(message: str, rule: str, field: str | None, fix: str | None) -> None:
    """Wordings of OpenAI, vLLM, DeepSeek, DashScope, FastAPI, Go gateways and the SenseNova platform."""
    found = explained(message)
    assert (found.rule, found.field, found.fix.name if found.fix else None) == (rule, field, fix)
    assert found.heal


def test_numbers_and_words_of_the_message_become_the_rule() -> None:
    """The bounds, the one value and the vocabulary are the upstream's own."""
    ranged = explained("invalid top_p, should in (0,1].").fix
    assert ranged is not None
    assert ranged.rule.clamp["top_p"].range_text() == "(0,1]"
    only = explained("field FrequencyPenalty invalid, only 0 is allowed for this model").fix
    assert only is not None
    assert only.rule.clamp["frequency_penalty"].range_text() == "[0,0]"
    efforts = explained("field ReasoningEffort invalid, should be one of: low, high, none").fix
    assert efforts is not None
    assert efforts.rule == Profile(efforts=("low", "high", "none"))
    assert efforts.canonical == {"reasoning_effort": "ultra"}
    types = explained("field Tools[3].Type invalid, should be one of: function, custom").fix
    assert types is not None
    assert types.rule.allowed_tool_types == {"function", "custom"}


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("image down failed", "image_not_loaded"),
        ("inference request is invalid", "image_not_loaded"),
        ("webSearchEnabled is false", "web_search_off"),
        ("The supported API model names are a, b but you passed c", "model_format"),
    ],
)
def test_what_no_rewrite_helps_is_not_searched_for(message: str, rule: str) -> None:
    """The client gets the hint at once."""
    found = explained(message)
    assert (found.rule, found.heal, found.fix) == (rule, False, None)


@pytest.mark.parametrize(
    ("message", "sees_none"),
    [
        ("No endpoints found that support image input", True),
        ("This model does not support image input.", True),
        ("messages[0]: unknown variant `image_url`, expected `text`", True),
        ("Image inputs are not supported", True),
        ("the model does not support image format webp", False),
        ("image type image/tiff is not supported", False),
        ("this model does not support image generation", False),
    ],
)
def test_r24_a_model_that_sees_no_images_is_told_by_its_words(message: str, sees_none: bool) -> None:
    """Then words stand for the images; where only some images are refused, nothing is taken away."""
    found = RULES.explain(400, message)
    assert (found is not None and found.fix is not None and found.fix.name == "images") == sees_none


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (Kind.CONTEXT_OVERFLOW, 400, "compact"),
        (Kind.QUOTA_EXHAUSTED, 429, "quota"),
        (Kind.RATE_LIMITED, 429, "Too many"),
        (Kind.OVERLOADED, 503, "busy"),
        (Kind.UPSTREAM_CREDENTIAL, 401, "region"),
        (Kind.UPSTREAM_TIMEOUT, 504, "first_byte_timeout"),
        (Kind.CONTENT_POLICY, 400, "policy"),
    ],
)
def test_e3_other_kinds_of_errors_have_their_hint(kind: Kind, status: int, word: str) -> None:
    """Whatever the words, an overflow is an overflow, and nothing is tried."""
    found = explained("prompt is too long: Unknown parameter: 'store'", status, kind)
    assert word in found.en
    assert not found.heal


def test_a_model_outside_the_plan_is_explained_by_its_words() -> None:
    """A 403 says more than its kind."""
    found = explained("model is not available in the current token plan", 403, Kind.PERMISSION_DENIED)
    assert found.rule == "model_not_in_plan"


def test_hints_name_the_field_in_both_languages() -> None:
    """The groups of the message are in them; a group that was not there shows as nothing."""
    found = explained("invalid temperature, should in [0,2].")
    assert "temperature" in found.en
    assert "temperature" in found.zh
    assert "{" not in found.en + found.zh


def test_a_sacred_field_that_is_refused_is_not_healed() -> None:
    """There is no version without messages."""
    found = explained("Unknown parameter: 'messages'.")
    assert found.fix is None
    assert not found.heal
    assert explained("Unknown parameter: 'messages[0].wisdom'").fix is None


@pytest.mark.parametrize(
    ("body", "field", "fix"),
    [
        ({"error": {"message": "Invalid request", "param": "seed", "code": "bad"}}, "seed", "seed"),
        ({"error": {"message": "Errors in message queue response", "param": "store"}}, "store", "store"),
        ({"detail": [{"loc": ["body", "top_k"], "msg": "no", "type": "value_error"}]}, "top_k", "top_k"),
        ({"error": {"message": "no", "param": "tools[0].function.strict"}}, "tools", "strict"),
        ({"error": {"message": "no", "param": "messages[1].annotations"}}, "messages", "annotations"),
        ({"error": {"message": "no", "param": "tool_choice"}}, "tool_choice", "tool_choice_default"),
    ],
)
def test_a_field_that_is_named_by_its_path_is_mended(body: dict[str, Any], field: str, fix: str) -> None:
    """Where the words say nothing, the error's own JSON may: OpenAI's `param` and FastAPI's `loc`."""
    error = parse_error(400, {}, msgspec.json.encode(body))
    found = RULES.explain(400, error.message, kind=error.kind, param=error.param)
    assert found is not None
    assert (found.rule, found.field, found.fix and found.fix.name) == ("named_by_path", field, fix)


@pytest.mark.parametrize("param", [None, "", "messages", "messages[0].content", "model"])
def test_a_path_to_what_is_never_left_out_tells_nothing(param: str | None) -> None:
    """A search for the reason goes on as if no path was named."""
    assert RULES.explain(400, "no", param=param) is None


def test_an_unknown_refusal_has_no_explanation() -> None:
    """A search may still find what it was."""
    assert RULES.explain(400, "nope") is None
    assert RULES.explain(400, "") is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"[[rules]]\nname='a'\nen=''\nzh=''\nfix='magic'", "no fix 'magic'"),
        (b"[[rules]]\nname='a'\nen=''\nzh=''\npatterns=['(']", "error rule 'a'"),
        (b"[[rules]]\nname='a'\nen=''", "zh"),
        (b"[[rules]]\nname='a'\nen=''\nzh=''\nkinds=['odd']", "kinds"),
        (b"no", "not valid"),
    ],
)
def test_a_bad_table_is_refused_by_name(data: bytes, says: str) -> None:
    """What is wrong with the file is named."""
    with pytest.raises(RixinError, match=says):
        load_error_rules(data)
