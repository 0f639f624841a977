"""Names of tools as the client has them, whatever an upstream or a model made of them."""

import re
from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from rixin.core.events import Event, ToolStart
from rixin.core.requests import Change
from rixin.core.tools import Tool

_SEPARATORS = re.compile(r"[^0-9a-z]+")
_NAMESPACE = re.compile(r"[.:/]")
_COUNTER = re.compile(r":\d+$")


class ToolNames:
    """Finds the tool that is meant by a name.

    Args:
        changed: Names that were sent, to the client's own.
        tools: The client's tools.
    """

    def __init__(self, changed: Mapping[str, str], tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._changed = changed

    @property
    def changes(self) -> tuple[Change, ...]:
        """None: the names are the client's own."""
        return ()

    def original(self, name: str) -> str:
        """The client's name for what was called; a name that means none of its tools stays as it is."""
        if name in self._changed:
            return self._changed[name]
        if name in self._tools:
            return name
        for guess in _guesses(name):
            near = self._near.get(_normal(guess), ())
            if len(near) == 1:
                return next(iter(near))
        return name

    def find(self, name: str) -> Tool | None:
        """The tool that is meant."""
        return self._tools.get(self.original(name))

    def feed(self, events: list[Event]) -> list[Event]:
        """Events with the client's names in them."""
        if not any(isinstance(event, ToolStart) for event in events):
            return events
        return [self._renamed(event) if isinstance(event, ToolStart) else event for event in events]

    def end(self) -> list[Event]:
        """Nothing is ever held back."""
        return []

    @cached_property
    def _near(self) -> dict[str, set[str]]:
        """Tools by what is left of their names, and of those that were sent, without case and separators."""
        near: dict[str, set[str]] = {}
        for sent, name in (*((name, name) for name in self._tools), *self._changed.items()):
            near.setdefault(_normal(sent), set()).add(name)
        return near

    def _renamed(self, call: ToolStart) -> ToolStart:
        name = self.original(call.name)
        return call if name == call.name else msgspec.structs.replace(call, name=name)


def _guesses(name: str) -> Iterable[str]:
    """A name as it is, and without the namespaces before it and the counter after it that some models add."""
    yield name
    name = _COUNTER.sub("", name)
    yield name
    while (match := _NAMESPACE.search(name)) is not None:
        name = name[match.end() :]
        yield name


def _normal(name: str) -> str:
    """What two names have in common that differ in case or separators only."""
    return _SEPARATORS.sub("_", name.casefold()).strip("_") or name
