"""A body on its way to an upstream, and small tools to rewrite it."""

from collections.abc import Callable

from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Change
from rixin.profiles.profile import Profile


class Draft:
    """What a sanitizer works on.

    The top level of `body` is the draft's own. Whatever lies deeper may belong to the request: it is replaced, never
    changed in place.

    Attributes:
        body: The body so far.
        profile: What the upstream accepts.
        changes: What was done, in order, each once.
        tool_names: Names of tools that were changed: as they are sent, to as the client has them.
    """

    __slots__ = ("body", "changes", "profile", "tool_names")

    def __init__(self, body: JsonObject, profile: Profile) -> None:
        self.body = dict(body)
        self.profile = profile
        self.changes: list[Change] = []
        self.tool_names: dict[str, str] = {}

    def note(self, name: str, field: str) -> None:
        """Remembers what was done to a field."""
        change = Change(name, field)
        if change not in self.changes:
            self.changes.append(change)

    def put(self, name: str, field: str, value: JsonValue) -> None:
        """Sets a field, if that changes it."""
        if field not in self.body or self.body[field] is not value:
            self.body[field] = value
            self.note(name, field)

    def drop(self, name: str, field: str) -> None:
        """Removes a field, if it is there."""
        if field in self.body:
            del self.body[field]
            self.note(name, field)

    @property
    def messages(self) -> list[JsonObject]:
        """The messages; none where the body holds something else."""
        return objects(self.body.get("messages"))

    @property
    def tools(self) -> list[JsonObject]:
        """The tools; none where the body holds something else."""
        return objects(self.body.get("tools"))

    @property
    def has_calls(self) -> bool:
        """Whether a message makes calls, or is the result of one."""
        made = [1 for message in self.messages if "tool_calls" in message or message.get("role") == "tool"]
        return bool(made)

    def rewrite_messages(self, name: str, rewrite: Callable[[JsonObject], JsonObject]) -> None:
        """Replaces each message by what `rewrite` makes of it; the same object means no change."""
        self._rewrite(name, "messages", self.messages, rewrite)

    def rewrite_tools(self, name: str, rewrite: Callable[[JsonObject], JsonObject]) -> None:
        """Replaces each tool by what `rewrite` makes of it; the same object means no change."""
        self._rewrite(name, "tools", self.tools, rewrite)

    def _rewrite(
        self, name: str, field: str, items: list[JsonObject], rewrite: Callable[[JsonObject], JsonObject]
    ) -> None:
        written: list[JsonValue] = [rewrite(item) for item in items]
        if any(new is not old for new, old in zip(written, items, strict=True)):
            self.body[field] = written
            self.note(name, field)


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list of objects; an empty list for anything else."""
    if not isinstance(value, list):
        return []
    found = [item for item in value if type(item) is dict]  # as decoded JSON is, and quickly told
    return found if len(found) == len(value) else []


def without(source: JsonObject, *fields: str) -> JsonObject:
    """A copy without some fields; the object itself where it has none of them."""
    if not any(field in source for field in fields):
        return source
    return {name: value for name, value in source.items() if name not in fields}


def text_of(value: JsonValue) -> str:
    """A text as it is, anything else as no text."""
    return value if isinstance(value, str) else ""
