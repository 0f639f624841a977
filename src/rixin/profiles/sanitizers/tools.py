"""Tools, and the choice among them."""

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.profiles.sanitizers.draft import Draft, objects, text_of, without
from rixin.profiles.schema_cleaner import clean


def tool_types(draft: Draft) -> None:
    """Only tools of the types that are known; without any left, no choice of one."""
    allowed = draft.profile.allowed_tool_types
    tools = draft.body.get("tools")
    if allowed is None or "*" in allowed or not isinstance(tools, list):
        return
    kept: list[JsonValue] = [tool for tool in tools if isinstance(tool, dict) and text_of(tool.get("type")) in allowed]
    if len(kept) < len(tools):
        draft.put("drop_tool_type", "tools", kept)
        _forget_choice_of_dropped(draft, kept)
    if not kept:
        draft.drop("drop_empty", "tools")


def _forget_choice_of_dropped(draft: Draft, kept: list[JsonValue]) -> None:
    """A choice that names a tool which has gone; where no tool is left, any choice."""
    choice = draft.body.get("tool_choice")
    named = isinstance(choice, dict) and _identity(choice) not in [_identity(tool) for tool in objects(kept)]
    if not kept or (named and isinstance(choice, dict) and choice.get("type") != "allowed_tools"):
        draft.drop("drop_orphan_choice", "tool_choice")


def _identity(holder: JsonObject) -> tuple[JsonValue, JsonValue]:
    """What names a tool or a choice of one: its type, and its name where it has one."""
    kind = holder.get("type")
    inner = holder.get(kind) if isinstance(kind, str) else None
    return kind, inner.get("name") if isinstance(inner, dict) else None


def duplicate_tools(draft: Draft) -> None:
    """A tool that is listed twice, word for word, is listed once."""
    if "tools" not in draft.body:
        return
    tools = draft.tools
    names = [_identity(tool) for tool in tools]
    if len(names) == len({str(name) for name in names}):
        return
    kept: dict[bytes, JsonValue] = {}
    for tool in tools:
        kept.setdefault(msgspec.json.encode(tool, order="deterministic"), tool)
    if len(kept) < len(tools):
        draft.put("drop_duplicate_tool", "tools", list(kept.values()))


def tool_strict(draft: Draft) -> None:
    """The flag `strict` of functions."""
    match draft.profile.tool_strict:
        case "drop_null":
            draft.rewrite_tools("drop_null_strict", lambda tool: _without_strict(tool, only_null=True))
        case "drop":
            draft.rewrite_tools("drop_strict", lambda tool: _without_strict(tool, only_null=False))
        case _:
            pass


def _without_strict(tool: JsonObject, *, only_null: bool) -> JsonObject:
    function = tool.get("function")
    if not isinstance(function, dict) or (only_null and function.get("strict", False) is not None):
        return tool
    plain = without(function, "strict")
    return tool if plain is function else {**tool, "function": plain}


def tool_schema(draft: Draft) -> None:
    """The schemas of functions, cleaned."""
    level = draft.profile.tool_schema
    if level is None or level == "off":
        return

    def cleaned(tool: JsonObject) -> JsonObject:
        function = tool.get("function")
        if not isinstance(function, dict) or "parameters" not in function:
            return tool
        schema = clean(function["parameters"], level)
        return tool if schema == function["parameters"] else {**tool, "function": {**function, "parameters": schema}}

    draft.rewrite_tools("clean_schema", cleaned)


def tool_choice(draft: Draft) -> None:
    """The choice of a tool, and whether several may be called at a time: nothing of it without tools."""
    if not draft.body.get("tools"):
        if draft.body.get("tool_choice") in ("auto", "none"):
            draft.drop("drop_orphan_choice", "tool_choice")
        draft.drop("drop_orphan_choice", "parallel_tool_calls")
        return
    if draft.profile.allowed_tools_choice == "filter":
        _filter(draft)
    if draft.profile.forced_tool_choice == "auto" and _forces(draft.body.get("tool_choice")):
        draft.put("unforce_tool_choice", "tool_choice", "auto")
    if draft.profile.force_parallel_tool_calls and draft.body.get("parallel_tool_calls") is not True:
        draft.put("force_parallel_tool_calls", "parallel_tool_calls", True)


def _forces(choice: JsonValue) -> bool:
    return choice == "required" or isinstance(choice, dict)


def _filter(draft: Draft) -> None:
    """A choice of some tools, as those tools and the mode."""
    choice = draft.body.get("tool_choice")
    allowed = choice.get("allowed_tools") if isinstance(choice, dict) else None
    if not isinstance(allowed, dict):
        return
    wanted = [_identity(tool) for tool in objects(allowed.get("tools"))]
    kept: list[JsonValue] = [tool for tool in draft.tools if _identity(tool) in wanted]
    if not kept:
        return  # it names tools that there are not: the upstream says so better
    draft.put("filter_tools", "tools", kept)
    draft.put("filter_tools", "tool_choice", "required" if allowed.get("mode") == "required" else "auto")
