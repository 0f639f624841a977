"""Ranges and sizes of request fields, and the token platform's words for a breach of them."""

from collections.abc import Iterator

from rixin.core.cards import FieldRule, ModelCard
from rixin.errors import RixinError, invalid

BOUNDS: dict[str, FieldRule] = {
    "temperature": FieldRule(minimum=0, maximum=2),
    "top_p": FieldRule(minimum=0, maximum=1),
    "top_k": FieldRule(minimum=-1, maximum=2**31 - 1),
    "min_p": FieldRule(minimum=0, maximum=1),
    "frequency_penalty": FieldRule(minimum=-2, maximum=2),
    "presence_penalty": FieldRule(minimum=-2, maximum=2),
    "repetition_penalty": FieldRule(minimum=0, minimum_open=True, maximum=10),
    "seed": FieldRule(minimum=-(2**63), maximum=2**63 - 1),
    "max_tokens": FieldRule(minimum=1, maximum=2**31 - 1),
    "max_completion_tokens": FieldRule(minimum=1, maximum=2**31 - 1),
    "n": FieldRule(minimum=1, maximum=128),
    "top_logprobs": FieldRule(minimum=0, maximum=20),
    "logit_bias": FieldRule(minimum=-100, maximum=100),
}
"""What holds where a model's own table says nothing of a field."""

STAND_INS = {"max_completion_tokens": "max_tokens"}
"""A field whose range in a model's table is told under an elder name."""

MAX_MESSAGES = 16_384
MAX_PARTS = 4_096
MAX_TOOLS = 1_024
MAX_TOOL_CALLS = 1_024
MAX_STOPS = 16
MAX_LOGIT_BIAS = 1_024
MAX_NAME = 256
MAX_FIELDS = 512


def rule_of(card: ModelCard, field: str) -> FieldRule:
    """The range of a field: the model's, else that of its stand-in, else `BOUNDS`."""
    rules = card.fields
    for name in (field, STAND_INS.get(field, field)) if rules else ():
        rule = rules.get(name)
        if rule is not None and (rule.minimum is not None or rule.maximum is not None):
            return rule
    return BOUNDS[field]


def check_number(card: ModelCard, field: str, value: float | None, param: str | None = None) -> None:
    """Refuses a number outside its field's range; `param` is where it stands, if not the field itself."""
    if value is None or (rule := rule_of(card, field)).admits(value):
        return
    if rule.minimum is not None and rule.minimum == rule.maximum:
        raise invalid(
            f"field {_camel(field)} invalid, only {rule.minimum:.15g} is allowed for this model", param or field
        )
    raise invalid(f"invalid {param or field}, should in {rule.range_text()}.", param or field)


def check_size(count: int, most: int, param: str, what: str) -> None:
    """Refuses more than `most` of something."""
    if count > most:
        raise invalid(f"invalid {param}, should have at most {most} {what}, has {count}.", param)


def check_word(word: str, words: tuple[str, ...], param: str) -> None:
    """Refuses a word that is not among those allowed."""
    if word not in words:
        raise not_among(words, param)


def not_among(words: tuple[str, ...], param: str) -> RixinError:
    """The refusal of a word that is not among those allowed."""
    return invalid(f"invalid {param}, should be one of: {', '.join(words)}.", param)


def check_effort(card: ModelCard, effort: str) -> None:
    """Refuses an effort outside the model's vocabulary. Where none is known, every short word passes."""
    rule = card.fields.get("reasoning_effort")
    words = (rule.values if rule is not None else None) or card.efforts
    if words and effort not in words:
        text = f"field ReasoningEffort invalid, should be one of: {', '.join(words)}"
        raise invalid(text, "reasoning_effort")
    check_size(len(effort), MAX_NAME, "reasoning_effort", "characters")


def unlisted(card: ModelCard, names: Iterator[str]) -> str | None:
    """The first field that the model's table does not list; None where all are, or where there is no table."""
    return next((name for name in names if name not in card.fields), None) if card.fields else None


def _camel(field: str) -> str:
    return "".join(word.capitalize() for word in field.split("_"))
