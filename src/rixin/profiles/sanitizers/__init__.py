"""Rewrites of a Chat Completions body that make an upstream accept it.

Each sanitizer is a pure function over a `Draft`; `ORDER` is the one place that says which come before which. None does
anything unless the profile says so, but for `tool_history`, `arguments`, `duplicate_tools` and `tool_choice`, which
mend what every upstream that checks refuses. To sanitize twice is to sanitize once.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct

from rixin.core.json import JsonObject
from rixin.core.requests import Change
from rixin.profiles.profile import Profile
from rixin.profiles.sanitizers.arguments import arguments
from rixin.profiles.sanitizers.contents import (
    cache_marks,
    content_policy,
    empty_assistant,
    message_fields,
    null_content,
)
from rixin.profiles.sanitizers.draft import Draft
from rixin.profiles.sanitizers.fields import (
    allowed,
    clamp,
    dropped,
    extra_body,
    max_tokens_field,
    nothings,
    stream_usage,
)
from rixin.profiles.sanitizers.formats import response_format
from rixin.profiles.sanitizers.history import call_fields, tool_history
from rixin.profiles.sanitizers.images import image_detail, image_policy, image_text, tool_images
from rixin.profiles.sanitizers.names import tool_names
from rixin.profiles.sanitizers.reasoning import FIELDS, reasoning_echo, reasoning_style
from rixin.profiles.sanitizers.roles import developer_role, system_policy
from rixin.profiles.sanitizers.tools import duplicate_tools, tool_choice, tool_schema, tool_strict, tool_types

__all__ = ["ORDER", "Sanitized", "sanitize"]

ORDER: tuple[Callable[[Draft], None], ...] = (
    response_format,  # may add a system message, which the next ones treat like any other
    developer_role,
    system_policy,  # may put a user message between calls and results, which the history repairs
    tool_types,
    tool_strict,
    tool_schema,
    tool_names,  # before ids, which may be made of names
    arguments,
    tool_history,
    call_fields,
    tool_images,  # needs results in their place
    image_policy,
    image_detail,
    image_text,
    cache_marks,
    message_fields,
    null_content,
    content_policy,
    empty_assistant,
    duplicate_tools,  # once all that is rewritten in them is
    tool_choice,
    reasoning_style,
    max_tokens_field,  # before ranges, which are told for the final name
    clamp,
    stream_usage,
    nothings,
    dropped,
    extra_body,
    allowed,  # after all that may add a field
    reasoning_echo,  # asks of the final fields whether the model will think
)


_ONLY_IF: Mapping[Callable[[Draft], None], Callable[[Profile], object]] = {
    response_format: lambda profile: profile.response_format,
    developer_role: lambda profile: profile.developer_role,
    system_policy: lambda profile: profile.system_policy,
    tool_types: lambda profile: profile.allowed_tool_types,
    tool_strict: lambda profile: profile.tool_strict,
    tool_schema: lambda profile: profile.tool_schema,
    tool_names: lambda profile: profile.tool_name_policy,
    call_fields: lambda profile: profile.call_fields,
    tool_images: lambda profile: profile.tool_images,
    image_policy: lambda profile: profile.image_policy,
    image_detail: lambda profile: profile.image_detail,
    image_text: lambda profile: profile.image_needs_text,
    cache_marks: lambda profile: profile.cache_control,
    message_fields: lambda profile: profile.drop_message_fields or profile.drop_message_nulls,
    null_content: lambda profile: profile.null_content,
    content_policy: lambda profile: profile.content_policy,
    empty_assistant: lambda profile: profile.drop_empty_assistant,
    max_tokens_field: lambda profile: profile.max_tokens_field,
    clamp: lambda profile: profile.clamp,
    stream_usage: lambda profile: profile.stream_usage,
    nothings: lambda profile: profile.drop_nulls or profile.drop_defaults,
    dropped: lambda profile: profile.drop_params,
    extra_body: lambda profile: profile.extra_body,
    allowed: lambda profile: profile.allowed_fields is not None,
    reasoning_echo: lambda profile: profile.reasoning_echo,
}
"""What a profile must say for a sanitizer to do anything; those that are not here mend what every upstream refuses."""

_OF_CALLS = frozenset({arguments, tool_history, call_fields, tool_images})
"""Those that do nothing in a conversation without calls and results."""

_ONLY_WITH: Mapping[Callable[[Draft], None], frozenset[str]] = {
    duplicate_tools: frozenset({"tools"}),
    tool_choice: frozenset({"tools", "tool_choice", "parallel_tool_calls"}),
    reasoning_style: frozenset({*FIELDS, "chat_template_kwargs"}),
}
"""Those that do nothing to a body which has none of these fields."""

_REMEMBERED = 256
"""Profiles whose sanitizers are remembered."""

_chosen: dict[int, tuple[Profile, tuple[Callable[[Draft], None], ...]]] = {}
"""By the profile's identity, which is its own as long as the profile is here."""


class Sanitized(Struct, frozen=True):
    """A body that an upstream accepts, as far as is known.

    `tool_names` leads from names of tools as they are sent to those that the client has; what the upstream answers is
    to be read with it.
    """

    body: JsonObject
    changes: tuple[Change, ...]
    tool_names: dict[str, str]


def sanitize(body: JsonObject, profile: Profile) -> Sanitized:
    """Rewrites a body for an upstream. `body` itself is not changed, however deep."""
    sanitizers = [each for each in _sanitizers(profile) if each not in _ONLY_WITH or _ONLY_WITH[each] & body.keys()]
    draft = Draft(body, profile)
    if not draft.has_calls:
        sanitizers = [each for each in sanitizers if each not in _OF_CALLS]
    if not sanitizers:
        return Sanitized(body, (), {})
    for sanitizer in sanitizers:
        sanitizer(draft)
    # What was added here and not let through there is no change.
    changes = [change for change in draft.changes if change.field in body or change.field in draft.body]
    return Sanitized(draft.body, tuple(changes), draft.tool_names)


def _sanitizers(profile: Profile) -> tuple[Callable[[Draft], None], ...]:
    """Those that may do something where an upstream is like this."""
    known = _chosen.get(id(profile))
    if known is None:
        if len(_chosen) >= _REMEMBERED:
            _chosen.clear()
        chosen = tuple(each for each in ORDER if each not in _ONLY_IF or _ONLY_IF[each](profile))
        known = _chosen[id(profile)] = profile, chosen
    return known[1]
