"""What one upstream accepts: a provider, or one model of it.

A profile says only what is known; whatever is unset is left as the client sent it. Profiles are layered by `merge`:
the provider's preset, the model's row, what was learned, what the operator set; later ones win.
"""

from collections.abc import Iterable
from functools import reduce
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from rixin.core.cards import FieldRule, ModelCard

ReasoningStyle: TypeAlias = Literal[
    "effort", "thinking", "thinking_and_effort", "enable_thinking", "chat_template_kwargs", "reasoning", "none"
]
StreamQuirk: TypeAlias = Literal[
    "missing_done", "same_index_tool_calls", "cumulative_usage", "usage_in_choice", "empty_first_delta"
]


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The facts about one upstream. None, or an empty table or set, says nothing."""

    # Fields of the body
    allowed_fields: frozenset[str] | None = None
    """The only fields that may be sent, besides those of `extra_body`: applied last, so that no new one leaks."""
    drop_params: frozenset[str] = frozenset()
    """Fields that are never sent."""
    keep_params: frozenset[str] = frozenset()
    """Fields that a layer below drops, always or at their defaults, and this one does not."""
    drop_defaults: frozenset[str] = frozenset()
    """Fields that go unsaid where they hold the value that their absence means (`sanitizers.fields.DEFAULTS`)."""
    drop_nulls: bool | None = None
    """Fields of the body that are null go unsaid."""
    clamp: dict[str, FieldRule] = {}
    """Numbers outside their field's bounds become the nearest one inside."""
    max_tokens_field: Literal["max_tokens", "max_completion_tokens", "both"] | None = None
    """Under which name the output's limit is sent."""
    response_format: Literal["keep", "instruct", "drop"] | None = None
    """`instruct` asks for the form in the system prompt instead; whoever reads the answer must check it then."""
    stream_usage: Literal["keep", "ask", "drop"] | None = None
    """`ask` requests the usage chunk of every stream, `drop` never sends `stream_options`."""
    extra_body: dict[str, object] = {}
    """Fields set in every request, to JSON values."""
    extra_headers: dict[str, str] = {}

    # Messages
    system_policy: Literal["keep", "merge_head", "first_only_rest_user"] | None = None
    """`merge_head` makes one system message of all and puts it first. `first_only_rest_user` makes one of those at the
    head, and tagged user messages of the others, which leaves the prefix of a growing conversation as it was."""
    developer_role: Literal["keep", "system"] | None = None
    content_policy: Literal["keep", "string", "parts"] | None = None
    """`string` joins a list of texts, `parts` makes a list of a text; with either, empty texts go from lists."""
    null_content: Literal["keep", "omit", "empty"] | None = None
    """What becomes of a null content in an assistant's message; `empty` also adds one where it is missing."""
    drop_empty_assistant: bool | None = None
    """Messages of the assistant that hold neither words nor calls go."""
    drop_message_nulls: bool | None = None
    """Fields of messages that are null or an empty list go, but for the content."""
    drop_message_fields: frozenset[str] = frozenset()
    """Fields of messages that are never sent (`name`, `annotations`, ...)."""
    cache_control: Literal["keep", "drop"] | None = None
    """Cache marks on messages, their parts and tools."""
    tool_history: Literal["keep", "repair"] | None = None
    """Calls and results of the conversation are paired, ordered and given unique ids, unless this is `keep`."""
    tool_call_id_policy: Literal["keep", "openai", "alnum9", "max40", "kimi"] | None = None
    call_fields: Literal["keep", "documented"] | None = None
    """`documented` leaves `id`, `type` and the call itself in a replayed tool call."""
    image_policy: Literal["pass", "url_only", "data_only", "placeholder"] | None = None
    """`placeholder` says in words that there was an image; the other two tell whoever resolves media how to send."""
    document_policy: Literal["text", "data"] | None = None
    """How documents are sent: as their words, which every model reads, or as they are. None is `data` for models that
    list `file` as input, else `text`."""
    image_needs_text: bool | None = None
    """A message that holds only images is given a text part."""
    image_detail: Literal["keep", "drop"] | None = None
    tool_images: Literal["keep", "move"] | None = None
    """`move` takes images out of tool results, into a user message after them."""

    # Reasoning
    reasoning_style: ReasoningStyle | None = None
    """Which fields say how much to think."""
    thinking_budget: bool | None = None
    """Whether a budget of tokens can be said in that style."""
    efforts: tuple[str, ...] | None = None
    """The effort words that are understood; any other becomes the nearest."""
    effort_map: dict[str, str] = {}
    """What some effort words are called here; wins over `efforts`."""
    reasoning_echo: Literal["never", "tool_calls", "always"] | None = None
    """Which of the assistant's messages bring back what was thought."""
    reasoning_field: Literal["reasoning", "reasoning_content"] | None = None
    """Under which name they do."""
    reasoning_placeholder: str | None = None
    """What stands in for lost thoughts, where a message with calls may not come without."""

    # Tools
    allowed_tool_types: frozenset[str] | None = None
    """The only types of tools that may be sent; `*` is any."""
    web_search: bool | None = None
    """The hosted search that Responses and Messages clients ask for is the upstream's own `web_search`."""
    tool_strict: Literal["keep", "drop_null", "drop"] | None = None
    tool_schema: Literal["off", "safe", "strict"] | None = None
    tool_name_policy: Literal["keep", "openai"] | None = None
    tool_name_length: int | None = None
    """The longest name under that policy; 64 unless set."""
    allowed_tools_choice: Literal["keep", "filter"] | None = None
    """`filter` turns a choice of some tools into a shorter list of tools."""
    forced_tool_choice: Literal["keep", "auto"] | None = None
    """`auto` takes back a choice that forces a call, which some models refuse while they think."""
    force_parallel_tool_calls: bool | None = None

    # The answer
    think_tags: bool | Literal["opened"] | None = None
    """`<think>` blocks in the text are reasoning; `opened`: every answer begins inside one, without its opening tag."""
    tool_markup_heal: bool | None = None
    """Tool calls that leak into the text as markup are calls."""
    stream_quirks: frozenset[StreamQuirk] = frozenset()


NOTHING = Profile()
"""Of an upstream that nothing is known of."""

JOINED = frozenset(
    {"drop_params", "keep_params", "drop_defaults", "drop_message_fields", "stream_quirks"}
    | {"extra_body", "extra_headers", "effort_map"}
)
"""Sets and tables of which every layer's part counts."""

_OPPOSITES = (
    ("drop_params", "keep_params"),
    ("drop_defaults", "keep_params"),
    ("keep_params", "drop_params"),
    ("keep_params", "drop_defaults"),
)
"""What a layer says in the first takes it out of the second."""


def merge(base: Profile, override: Profile) -> Profile:
    """`base` under `override`: what the override says wins, what it does not say stays.

    Sets are joined and tables merged by key (a rule by its bounds), except `allowed_fields`, `allowed_tool_types` and
    `efforts`, which are replaced whole. To drop a field overrules keeping it, and the other way round.
    """
    if override is NOTHING:
        return base
    changes: dict[str, object] = {}
    for name in Profile.__struct_fields__:
        ours, theirs = getattr(base, name), getattr(override, name)
        if theirs is not None and theirs != ours:
            changes[name] = _merged(name, ours, theirs)
    for name, opposite in _OPPOSITES:
        taken: frozenset[str] = getattr(override, name) & getattr(base, opposite)
        if taken:
            changes[opposite] = (getattr(base, opposite) - taken) | getattr(override, opposite)
    return msgspec.structs.replace(base, **changes) if changes else base


def layered(profiles: Iterable[Profile]) -> Profile:
    """All of these, later ones winning."""
    return reduce(merge, profiles, NOTHING)


def from_card(card: ModelCard) -> Profile:
    """What a documented model's row in `models.toml` means for those who send to it.

    The row's fields are the only ones, its ranges are kept, and so is its vocabulary of efforts. Not for cards that
    were made up from what an upstream lists: there, modalities are unknown rather than absent.
    """
    clamp = {name: rule for name, rule in card.fields.items() if name != "n" and _bounded(rule)}
    if card.max_output_length is not None and "max_tokens" not in clamp:
        clamp["max_tokens"] = FieldRule(minimum=1, maximum=card.max_output_length)
    return Profile(
        allowed_fields=frozenset(card.fields) if card.fields else None,
        clamp=clamp,
        efforts=card.efforts or None,
        reasoning_field=card.reasoning_field,
        image_policy="pass" if "image" in card.input_modalities else "placeholder",
    )


def _bounded(rule: FieldRule) -> bool:
    return rule.minimum is not None or rule.maximum is not None


def _merged(name: str, ours: Any, theirs: Any) -> object:  # noqa: ANN401 - fields of many types, told apart by name
    if name in JOINED:
        return ours | theirs
    return _merged_rules(ours, theirs) if name == "clamp" else theirs


def _merged_rules(ours: dict[str, FieldRule], theirs: dict[str, FieldRule]) -> dict[str, FieldRule]:
    rules = dict(ours)
    for field, rule in theirs.items():
        known = rules.get(field)
        rules[field] = rule if known is None else _merged_rule(known, rule)
    return rules


def _merged_rule(known: FieldRule, rule: FieldRule) -> FieldRule:
    low, high = (rule if rule.minimum is not None else known), (rule if rule.maximum is not None else known)
    return FieldRule(
        minimum=low.minimum, minimum_open=low.minimum_open, maximum=high.maximum, maximum_open=high.maximum_open
    )
