"""What `rixin doctor` asks an upstream: a table of single facts, and requests that hold one of them, or several.

Whatever `repairs` knows how to prove and to mend is asked in the very form of its controls.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from msgspec import Struct

from rixin.core.cards import FieldRule
from rixin.core.json import JsonObject, JsonValue
from rixin.profiles.phrases import PHRASES, Phrase
from rixin.profiles.profile import NOTHING, Profile, ReasoningStyle
from rixin.profiles.repairs import BY_NAME, Part, smallest_tool
from rixin.profiles.sanitizers import sanitize
from rixin.profiles.sanitizers.draft import objects

USER: JsonObject = {"role": "user", "content": "Say ok."}
STRANGE = "rixin_probe"
"""A field that nobody knows."""


class Family(StrEnum):
    """Subjects that are asked about together, and in this order."""

    FIELDS = "fields"
    SHAPES = "shapes"
    RARITIES = "rarities"


def about(name: str) -> Phrase:
    """What a probe asks about: what its name stands for, else the field of that name."""
    code = f"probe_{name}"
    return Phrase(code) if code in PHRASES else Phrase("probe_field", {"field": name.removesuffix("_default")})


class Subject(Struct, frozen=True, kw_only=True):
    """Something that an upstream may take or refuse."""

    name: str
    family: Family
    likely: float
    """How likely it is refused."""

    @property
    def about(self) -> Phrase:
        """What it is, as it stands in a table."""
        return about(self.name)

    @property
    def part(self) -> Part:
        """The request that has it, and the repair of one."""
        return BY_NAME[self.name]


def _fields(names: str, likely: float, family: Family = Family.FIELDS) -> list[Subject]:
    return [Subject(name=name, family=family, likely=likely) for name in names.split()]


SUBJECTS: tuple[Subject, ...] = (
    *_fields("store metadata user service_tier prompt_cache_key safety_identifier n_default response_format", 0.3),
    *_fields("temperature top_p presence_penalty frequency_penalty seed logprobs_default", 0.25),
    *_fields("top_k min_p repetition_penalty logit_bias reasoning_effort thinking verbosity prediction", 0.3),
    Subject(name="several_systems", family=Family.SHAPES, likely=0.4),
    Subject(name="late_system", family=Family.SHAPES, likely=0.4),
    Subject(name="developer", family=Family.SHAPES, likely=0.4),
    Subject(name="null_content", family=Family.SHAPES, likely=0.35),
    Subject(name="text_parts", family=Family.SHAPES, likely=0.35),
    Subject(name="reasoning_echo", family=Family.SHAPES, likely=0.35),
    Subject(name="strict", family=Family.SHAPES, likely=0.4),
    Subject(name="schema", family=Family.SHAPES, likely=0.35),
    Subject(name="tool_choice_default", family=Family.SHAPES, likely=0.35),
    Subject(name="parallel_tool_calls_default", family=Family.SHAPES, likely=0.35),
    Subject(name="max_completion_tokens", family=Family.SHAPES, likely=0.2),
    Subject(name="nulls", family=Family.RARITIES, likely=0.1),
    Subject(name="message_nulls", family=Family.RARITIES, likely=0.1),
    Subject(name="annotations", family=Family.RARITIES, likely=0.1),
    Subject(name="cache_control", family=Family.RARITIES, likely=0.1),
    Subject(name="call_fields", family=Family.RARITIES, likely=0.05),
    Subject(name="message_name", family=Family.RARITIES, likely=0.1),
    Subject(name="tool_name", family=Family.RARITIES, likely=0.2),
    Subject(name="call_ids", family=Family.RARITIES, likely=0.1),
    Subject(name="strict_null", family=Family.RARITIES, likely=0.1),
    *_fields("client_metadata include prompt_cache_retention do_sample", 0.2, Family.RARITIES),
    *_fields("enable_thinking chat_template_kwargs reasoning thinking_budget", 0.25, Family.RARITIES),
)
"""All that is asked this way. `stream_options` is asked with the streams."""

OF_TOOLS = frozenset(
    {"strict", "schema", "tool_choice_default", "parallel_tool_calls_default", "tool_name", "strict_null"}
    | {"null_content", "call_fields", "call_ids"}
)
"""Subjects that nobody needs to ask about where tools are refused at all."""

IMPLIED: dict[str, str] = {"strict_null": "strict", "cache_control": "text_parts"}
"""Subjects that need not be asked about where another one is refused, whose repair mends them too."""


class Ranged(Struct, frozen=True, kw_only=True):
    """A number whose bounds are looked for."""

    field: str
    numbers: tuple[float, ...]
    """What is tried, ascending; the first passes where the field is taken at all."""
    likely: float


RANGES: tuple[Ranged, ...] = (
    Ranged(field="temperature", numbers=tuple(tenth / 10 for tenth in range(7, 21)), likely=1.0),
    Ranged(field="max_tokens", numbers=tuple(2**power for power in (4, *range(10, 21))), likely=8192),
)
"""Those whose largest number differs between upstreams. The values in use are among those that are tried."""


COUNTS: tuple[Ranged, ...] = (Ranged(field="n", numbers=(1, 2, 4, 8), likely=1),)
"""Numbers that are not ours to lower: their bounds are told and not kept."""


class Edge(Struct, frozen=True, kw_only=True):
    """An end of a documented range, which some upstreams do not take."""

    field: str
    side: Literal["minimum", "maximum"]
    steps: tuple[float, ...]
    """From a number that passes where the field is taken at all, to one just inside of the end, and to the end."""
    likely: float = 0.1

    @property
    def number(self) -> float:
        """The end."""
        return self.steps[-1]

    @property
    def about(self) -> Phrase:
        """What it is, as it stands in a table."""
        return Phrase("probe_edge", {"field": self.field, "value": f"{self.number:g}"})

    def rule(self, step: int) -> FieldRule:
        """The range up to a step: where that is just inside of the end, only the end itself is left out."""
        is_open = step == len(self.steps) - 2
        bound = self.number if is_open else self.steps[step]
        if self.side == "minimum":
            return FieldRule(minimum=bound, minimum_open=is_open)
        return FieldRule(maximum=bound, maximum_open=is_open)


EDGES: tuple[Edge, ...] = (
    Edge(field="top_p", side="maximum", steps=(0.9, 0.95, 0.99, 1)),
    Edge(field="presence_penalty", side="maximum", steps=(0.5, 1, 1.5, 1.99, 2)),
    Edge(field="frequency_penalty", side="maximum", steps=(0.5, 1, 1.5, 1.99, 2)),
    Edge(field="temperature", side="minimum", steps=(0.7, 0.3, 0.1, 0.01, 0), likely=0.2),
    Edge(field="top_p", side="minimum", steps=(0.9, 0.5, 0.1, 0.01, 0), likely=0.4),
    Edge(field="presence_penalty", side="minimum", steps=(0.5, 0, -1, -1.99, -2), likely=0.2),
    Edge(field="frequency_penalty", side="minimum", steps=(0.5, 0, -1, -1.99, -2), likely=0.2),
)

EFFORTS = ("low", "medium", "high", "none", "minimal", "xhigh", "max")
"""Words of effort, those in common use first."""


class Toggle(Struct, frozen=True, kw_only=True):
    """A field by which thinking may be switched on or off."""

    name: str
    """The subject that says whether it is taken at all."""
    style: ReasoningStyle
    on_value: JsonValue
    off_value: JsonValue

    def fields(self, *, on: bool) -> dict[str, JsonValue]:
        """What is sent."""
        return {self.name: self.on_value if on else self.off_value}


TOGGLES: tuple[Toggle, ...] = (
    Toggle(name="thinking", style="thinking", on_value={"type": "enabled"}, off_value={"type": "disabled"}),
    Toggle(name="enable_thinking", style="enable_thinking", on_value=True, off_value=False),
    Toggle(
        name="chat_template_kwargs",
        style="chat_template_kwargs",
        on_value={"enable_thinking": True},
        off_value={"enable_thinking": False},
    ),
    Toggle(name="reasoning", style="reasoning", on_value={"enabled": True}, off_value={"enabled": False}),
    Toggle(name="reasoning_effort", style="effort", on_value="high", off_value="none"),
)

NOWHERE = "https://rixin.invalid/red.png"
"""An address at which nothing can stand (RFC 2606): who tries to fetch an image says that it could not."""

IMAGE = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsEty/aMYywi+hcEKLNO+FgEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGBywLKp0DxvxLbjwAAAABJRU5ErkJggg=="
)
"""A PNG of 64 by 64 pixels, all of them red."""


def smallest(model: str, **fields: JsonValue) -> JsonObject:
    """The smallest request, with some fields more."""
    return {"model": model, "messages": [USER], **fields}


def single(model: str, subject: Subject) -> JsonObject:
    """A request with one fact: what the subject's control has."""
    control = subject.part.control(model, NOTHING)
    if control is None:
        raise LookupError(f"there is no control for {subject.name}")
    return control.having


def together(model: str, subjects: Iterable[Subject]) -> JsonObject:
    """A request that has all of these facts: conversations one after the other, tools under names of their own."""
    bodies = [single(model, subject) for subject in subjects]
    if len(bodies) == 1:
        return bodies[0]
    whole: JsonObject = {}
    messages: list[JsonObject] = []
    tools: dict[str, JsonObject] = {}
    for body in bodies:
        whole |= body
        if body["messages"] != [USER]:
            messages += objects(body["messages"])
        for tool in objects(body.get("tools")):
            _add_tool(tools, tool)
    whole["messages"] = [*(messages or [USER])]
    if tools:
        whole["tools"] = [*tools.values()]
    return sanitize(whole, NOTHING).body  # ids of calls that come twice


def _add_tool(tools: dict[str, JsonObject], tool: JsonObject) -> None:
    function = tool["function"]
    if not isinstance(function, dict) or tool in tools.values():
        return
    name = str(function["name"])
    while name in tools:
        name += "_"
    tools[name] = {**tool, "function": {**function, "name": name}}


def image_message(url: str) -> JsonObject:
    """A user's message with an image."""
    parts: list[JsonValue] = [
        {"type": "text", "text": "Name the colour."},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return {"role": "user", "content": parts}


def long_request(model: str, tokens: int) -> JsonObject:
    """A request whose prompt has about so many tokens, and that asks for a short answer."""
    return {"model": model, "messages": [{"role": "user", "content": "ok " * tokens}], "max_tokens": 16}


def tool_request(model: str, **fields: JsonValue) -> JsonObject:
    """A request with a tool, and the wish that it be called."""
    asked: JsonObject = {"role": "user", "content": "Call the tool note."}
    return {"model": model, "messages": [asked], "tools": [smallest_tool()], **fields}


def parallel_request(model: str) -> JsonObject:
    """A streamed request with the wish that two tools be called at once."""
    asked: JsonObject = {"role": "user", "content": "Call the tools note and mark, both, at once."}
    return {"model": model, "messages": [asked], "tools": [smallest_tool(), smallest_tool("mark")], "stream": True}


def rule_of(subject: Subject, *, refused: frozenset[str]) -> Profile:
    """What mends a subject that was refused, given the names of all that were."""
    if subject.name == "thinking" and "reasoning_effort" in refused:
        return Profile(drop_params=frozenset({"thinking"}))
    return subject.part.rule


_ALWAYS = frozenset({"model", "messages", "stream", "tools", "tool_choice", "stop", "max_tokens"})
"""Fields that a table has though they were not tried alone."""


def allow_list(taken: Iterable[str], refused: Iterable[str]) -> frozenset[str]:
    """The fields that an upstream takes which takes no others, by the names of subjects that it takes or refuses."""
    by_name = {subject.name: subject for subject in SUBJECTS}
    fields = {name for subject in taken if subject in by_name for name in by_name[subject].part.canonical or ()}
    fields |= {"stream_options"} & set(taken)
    return (_ALWAYS | fields) - set(refused)
