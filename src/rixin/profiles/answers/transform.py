"""What a profile says of an upstream's answers, put to work on the events of one answer."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from rixin.core.events import Event
from rixin.core.requests import Change
from rixin.core.tools import Tool
from rixin.profiles.answers.rewriting import Rewriting
from rixin.profiles.answers.think_tags import ThinkTags
from rixin.profiles.answers.tool_markup import ToolMarkup
from rixin.profiles.answers.tool_names import ToolNames
from rixin.profiles.profile import Profile

THOUGHTS = Change("take_thoughts", "content")
CALLS = Change("heal_tool_calls", "content")


class _Step(Protocol):
    @property
    def changes(self) -> tuple[Change, ...]: ...

    def feed(self, events: list[Event]) -> list[Event]: ...

    def end(self) -> list[Event]: ...


class Transform:
    """Rewrites one answer, fed in any portions. Its events keep the grammar of `core.events`.

    Args:
        steps: What is done, in order.
        optional: The answer may also be given as it came, where that is worth more.
    """

    def __init__(self, steps: Iterable[_Step], *, optional: bool = False) -> None:
        self._steps = tuple(steps)
        self._told: set[Change] = set()
        self.optional = optional

    def feed(self, events: list[Event]) -> list[Event]:
        """The events that come of these; some may be held back until more is known."""
        for step in self._steps:
            events = step.feed(events)
        return events

    def new_changes(self) -> tuple[Change, ...]:
        """What was done to the answer and was not told before."""
        changes = tuple(change for step in self._steps for change in step.changes if change not in self._told)
        self._told.update(changes)
        return changes

    def end(self) -> list[Event]:
        """What was held back, once a stream has broken off; after a finish there is nothing."""
        events: list[Event] = []
        for step in self._steps:
            events = [*step.feed(events), *step.end()]
        return events


def transform_for(
    profile: Profile, tool_names: Mapping[str, str], tools: Iterable[Tool], *, whole: bool = False
) -> Transform | None:
    """What is to be done with an answer; None where it is to be left as it is.

    Args:
        profile: Of the upstream.
        tool_names: Names of tools that were changed for it, to the client's own (`Sanitized.tool_names`).
        tools: The client's tools.
        whole: The answer is wanted whole, so that holding much of it back delays nobody.
    """
    names = ToolNames(tool_names, tools := tuple(tools))
    steps: list[_Step] = []
    if profile.think_tags:
        opened = profile.think_tags == "opened"
        steps.append(Rewriting(lambda choice, _: ThinkTags(choice, opened=opened, whole=whole), THOUGHTS))
    if profile.tool_markup_heal and tools:
        steps.append(Rewriting(lambda choice, seed: ToolMarkup(choice, names.find, seed), CALLS))
    if tool_names or tools:
        steps.append(names)
    return Transform(steps, optional=steps == [names] and not tool_names) if steps else None
