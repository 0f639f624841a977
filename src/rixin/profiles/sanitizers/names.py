"""Names of tools, shortened alike in tools, choice and history; `Draft.tool_names` leads back."""

from rixin.core.json import JsonObject, JsonValue
from rixin.dialects.tool_names import MAX_LENGTH, fitting
from rixin.profiles.sanitizers.draft import Draft, objects


def tool_names(draft: Draft) -> None:
    """Makes every tool's name fit."""
    if draft.profile.tool_name_policy != "openai":
        return
    names = _Names(draft.profile.tool_name_length or MAX_LENGTH)
    draft.rewrite_tools("tool_name", names.definition)
    draft.rewrite_messages("tool_name", names.message)
    choice = draft.body.get("tool_choice")
    if isinstance(choice, dict):
        draft.put("tool_name", "tool_choice", names.choice(choice))
    draft.tool_names.update(names.changed)


class _Names:
    """The names of one request, old and new."""

    def __init__(self, length: int) -> None:
        self._length = length
        self.changed: dict[str, str] = {}

    def definition(self, holder: JsonObject) -> JsonObject:
        """A tool, a call or a choice: its name stands under its type."""
        for kind in ("function", "custom"):
            inner = holder.get(kind)
            if isinstance(inner, dict):
                return self._renamed(holder, kind, inner)
        return holder

    def message(self, message: JsonObject) -> JsonObject:
        calls = objects(message.get("tool_calls"))
        written = [self.definition(call) for call in calls]
        if any(new is not old for new, old in zip(written, calls, strict=True)):
            message = {**message, "tool_calls": list[JsonValue](written)}
        if message.get("role") == "tool":
            return self._fit(message)
        return message

    def choice(self, choice: JsonObject) -> JsonObject:
        allowed = choice.get("allowed_tools")
        if not isinstance(allowed, dict):
            return self.definition(choice)
        tools = objects(allowed.get("tools"))
        written = [self.definition(tool) for tool in tools]
        if all(new is old for new, old in zip(written, tools, strict=True)):
            return choice
        return {**choice, "allowed_tools": {**allowed, "tools": list[JsonValue](written)}}

    def _renamed(self, holder: JsonObject, kind: str, inner: JsonObject) -> JsonObject:
        fit = self._fit(inner)
        return holder if fit is inner else {**holder, kind: fit}

    def _fit(self, named: JsonObject) -> JsonObject:
        name = named.get("name")
        if not isinstance(name, str) or not name or (fit := fitting(name, self._length)) == name:
            return named
        self.changed[fit] = name
        return {**named, "name": fit}
