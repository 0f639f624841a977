"""What an upstream's refusal means, in words for the client, and the repair that it asks for.

What kind of error an answer is was decided when it was read (`rixin.dialects.upstream_errors`); here are hints, and
repairs that follow from the words. The rules are rows of `error_rules.toml`.
"""

import re
from collections.abc import Callable

from msgspec import Struct

from rixin.core.cards import FieldRule
from rixin.errors import Kind, RixinError
from rixin.profiles.profile import Profile
from rixin.profiles.repairs import BY_NAME, SACRED, Part, PartClass, field_part, smallest_tool
from rixin.profiles.sanitizers.reasoning import LADDER
from rixin.profiles.table import read_table

MAX_MESSAGE = 4_000
MAX_WORDS = 16

BY_WORDS = frozenset(
    {Kind.INVALID_REQUEST, Kind.UPSTREAM_INVALID, Kind.MODEL_NOT_FOUND, Kind.PERMISSION_DENIED, Kind.CONFIGURATION}
)
"""Kinds of errors whose words say more. The others have their rows by kind: an overflow is an overflow in any words."""


class ErrorRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row."""

    name: str
    en: str
    zh: str
    statuses: frozenset[int] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    providers: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()
    by_path: bool = False
    """Fits where the error names a field beside its words (`error.param`, `detail[0].loc`) that can be mended."""
    fix: str | None = None
    heal: bool = True


class Explanation(Struct, frozen=True, kw_only=True):
    """What a refusal means.

    `fix` is what it asks for, where it says so. `heal` tells whether it makes sense to try other versions of the
    request.
    """

    rule: str
    en: str
    zh: str
    field: str | None = None
    fix: Part | None = None
    heal: bool = True


class ErrorRules:
    """The rules, in order.

    Args:
        rules: The rows.

    Raises:
        RixinError: `CONFIGURATION`, naming the row whose pattern or fix is none.
    """

    def __init__(self, rules: tuple[ErrorRule, ...]) -> None:
        self._rules: list[tuple[ErrorRule, tuple[re.Pattern[str], ...]]] = []
        for rule in rules:
            if rule.fix is not None and rule.fix not in _FIXES and rule.fix not in BY_NAME:
                raise RixinError(Kind.CONFIGURATION, f"error rule {rule.name!r}: there is no fix {rule.fix!r}")
            try:
                patterns = tuple(re.compile(pattern, re.IGNORECASE | re.DOTALL) for pattern in rule.patterns)
            except re.error as error:
                raise RixinError(Kind.CONFIGURATION, f"error rule {rule.name!r}: {error}") from None
            self._rules.append((rule, patterns))

    def explain(
        self,
        status: int,
        message: str,
        *,
        kind: Kind = Kind.INVALID_REQUEST,
        provider: str = "",
        param: str | None = None,
    ) -> Explanation | None:
        """What a refusal means; None where no rule knows it.

        Args:
            status: The HTTP status that the upstream answered with.
            message: Its words.
            kind: What kind of error that was read as.
            provider: The name of the provider's preset.
            param: The path of the field that it names beside its words.
        """
        text = message[:MAX_MESSAGE].strip()
        for rule, patterns in self._rules:
            if rule.statuses and status not in rule.statuses:
                continue
            if (rule.kinds and kind not in rule.kinds) or (rule.providers and provider not in rule.providers):
                continue
            if not rule.kinds and kind not in BY_WORDS:
                continue
            if rule.by_path:
                named = _explained(rule, {"field": param or ""})
                if named.fix is not None:
                    return named
                continue
            if not patterns:
                return _explained(rule, {})
            match = next((match for pattern in patterns if (match := pattern.search(text)) is not None), None)
            if match is not None:
                return _explained(rule, {name: value for name, value in match.groupdict().items() if value})
        return None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    rules: tuple[ErrorRule, ...]


def load_error_rules(data: bytes) -> ErrorRules:
    """Reads `error_rules.toml`.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the file.
    """
    return ErrorRules(read_table(data, _File, "error rules").rules)


def _explained(rule: ErrorRule, groups: dict[str, str]) -> Explanation:
    fix = None
    if rule.fix is not None:
        fix = BY_NAME[rule.fix] if rule.fix in BY_NAME else _FIXES[rule.fix](groups)
    field = _field_name(groups["field"]) if "field" in groups else None
    said = {**groups, **({"field": field} if field else {})}
    return Explanation(
        rule=rule.name,
        en=rule.en.format_map(_Shown(said)),
        zh=rule.zh.format_map(_Shown(said)),
        field=field,
        fix=fix,
        heal=rule.heal and not (fix is None and field in SACRED),
    )


class _Shown(dict[str, str]):
    """Groups for a hint; one that the message did not have shows as nothing."""

    def __missing__(self, key: str) -> str:
        return ""


_INNER = {
    "strict": "strict",
    "$schema": "schema",
    "cache_control": "cache_control",
    "reasoning_content": "reasoning_echo",
    "reasoning": "reasoning_echo",
    "annotations": "annotations",
    "refusal": "message_nulls",
    "audio": "message_nulls",
    "function_call": "message_nulls",
    "name": "message_name",
    "index": "call_fields",
    "detail": "image_detail",
}
"""Fields inside messages and tools, and the parts that they are."""


def _field_name(path: str) -> str:
    """The field of the body that a path leads into, or the last step of a path that has no such beginning.

    Gateways in Go write `ReasoningEffort` for `reasoning_effort`.
    """
    name = re.split(r"[.\[]", path.strip("."), maxsplit=1)[0]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if not name.isupper() else name.lower()


def _drop_field(groups: dict[str, str]) -> Part | None:
    path = groups.get("field", "")
    steps = [step for step in re.split(r"[.\[\]]+", path) if step and not step.isdecimal()]
    name = _field_name(path)
    inner = steps[-1] if steps else ""
    if (len(steps) > 1 or inner.startswith("$")) and inner in _INNER:
        return BY_NAME[_INNER[inner]]
    if len(steps) > 1 and name in ("messages", "tools"):
        return None
    if name in SACRED:
        return BY_NAME.get(name) or BY_NAME.get(f"{name}_default")
    return BY_NAME.get(name) or BY_NAME.get(_INNER.get(name, "")) or field_part(name, None)


def _clamp(groups: dict[str, str]) -> Part | None:
    field = _field_name(groups.get("field", ""))
    rule = _range(groups)
    known = BY_NAME.get(field)
    if rule is None or field in SACRED or known is None:
        return None
    return _range_part(field, rule)


def _range_part(field: str, rule: FieldRule) -> Part:
    beyond = None if rule.maximum is None else rule.maximum + 1 if rule.maximum < 1000 else rule.maximum * 2
    if beyond is None and rule.minimum is not None:
        beyond = rule.minimum - 1
    value = int(beyond) if beyond is not None and beyond == int(beyond) else beyond
    return Part(
        name=f"{field}_range",
        kind=PartClass.CONVERTIBLE,
        rule=Profile(clamp={"max_tokens" if field == "max_completion_tokens" else field: rule}),
        canonical={field: value},
    )


def _range(groups: dict[str, str]) -> FieldRule | None:
    text = groups.get("range", "")
    low, high = groups.get("minimum"), groups.get("maximum")
    if text:
        low, _, high = text[1:-1].replace(" ", "").partition(",")
    minimum, maximum = _number(low), _number(high)
    if (minimum is None and maximum is None) or (minimum is not None and maximum is not None and minimum > maximum):
        return None
    return FieldRule(
        minimum=minimum, maximum=maximum, minimum_open=text.startswith("("), maximum_open=text.endswith(")")
    )


def _number(text: str | None) -> float | None:
    match = re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", (text or "").rstrip("."))
    return float(match[0]) if match else None


def _only_value(groups: dict[str, str]) -> Part | None:
    field, value = _field_name(groups.get("field", "")), _number(groups.get("value"))
    if value is None or field in SACRED or field not in BY_NAME:
        return None
    return _range_part(field, FieldRule(minimum=value, maximum=value))


def _words(groups: dict[str, str]) -> tuple[str, ...]:
    found = re.findall(r"[A-Za-z_]{2,20}", groups.get("words", ""))
    return tuple(dict.fromkeys(word for word in found if word not in ("and", "or")))[:MAX_WORDS]


def _efforts(groups: dict[str, str]) -> Part | None:
    words = tuple(word for word in _words(groups) if word in LADDER)
    unknown = next((word for word in reversed(LADDER) if word not in words), None)
    if not words or unknown is None:
        return None
    return Part(
        name="efforts",
        kind=PartClass.CONVERTIBLE,
        rule=Profile(efforts=words),
        canonical={"reasoning_effort": unknown},
    )


def _tool_types(groups: dict[str, str]) -> Part | None:
    words = _words(groups)
    if not words:
        return None
    return Part(
        name="tool_types",
        kind=PartClass.CONVERTIBLE,
        rule=Profile(allowed_tool_types=frozenset(words)),
        canonical={"tools": [{"type": "web_search"}, smallest_tool()]},
    )


def _constant(part: Part) -> Callable[[dict[str, str]], Part | None]:
    return lambda _groups: part


_WHITE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAFElEQVR42mP4jwcwjEqOSo5KwgAA0FYNHp/"
    "Mo7cAAAAASUVORK5CYII="
)
"""A white image of 28 pixels each way: no model asks for a larger one."""

_FIXES: dict[str, Callable[[dict[str, str]], Part | None]] = {
    "drop_field": _drop_field,
    "clamp": _clamp,
    "only_value": _only_value,
    "efforts": _efforts,
    "tool_types": _tool_types,
    "merge_systems": _constant(
        Part(
            name="several_systems",
            kind=PartClass.CONVERTIBLE,
            rule=Profile(system_policy="merge_head"),
            canonical=BY_NAME["several_systems"].canonical,
        )
    ),
    "use_max_completion_tokens": _constant(
        Part(
            name="max_tokens_renamed",
            kind=PartClass.CONVERTIBLE,
            rule=Profile(max_tokens_field="max_completion_tokens"),
            canonical={"max_tokens": 16},
        )
    ),
    "echo_reasoning": _constant(
        Part(
            name="echo_reasoning",
            kind=PartClass.CONVERTIBLE,
            rule=Profile(
                reasoning_echo="always",
                reasoning_field="reasoning_content",
                reasoning_placeholder="(no reasoning was kept)",
            ),
            canonical=BY_NAME["call_fields"].canonical,
        )
    ),
    "words_for_images": _constant(
        Part(
            name="images",
            kind=PartClass.CONVERTIBLE,
            rule=Profile(image_policy="placeholder"),
            canonical={
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "Say ok."},
                            {"type": "image_url", "image_url": {"url": _WHITE}},
                        ],
                    }
                ]
            },
        )
    ),
    "thinking_off": _constant(
        Part(name="thinking_off", kind=PartClass.PREFERENCE, rule=Profile(extra_body={"enable_thinking": False}))
    ),
}
"""Repairs that are made from what a message says, beside those of the table of parts."""
