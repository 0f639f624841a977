"""What happens while a model answers: a closed union of small events.

The grammar, which readers produce and writers may rely on: `Start` comes first and once. Per choice, `ToolStart` opens
a call, `ToolArguments` follow with its `index`, `ToolEnd` closes it when the next item begins or the finish has come,
never on a broken stream. `Finish` comes at most once per choice, and a stream that ends without one for each choice
that began is broken. `Usage` is cumulative.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from rixin.core.json import JsonValue
from rixin.core.messages import Opaque
from rixin.core.usage import Usage

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "context"]


class Start(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The answer begins. `id` and `model` are the upstream's own."""

    id: str
    created: int
    model: str


class Text(Struct, frozen=True, kw_only=True, tag=True):
    """Some words. `tokens` is how many they are, where the engine says so; `logprobs` are carried as they came."""

    text: str
    choice: int = 0
    tokens: int | None = None
    logprobs: JsonValue = None


class Reasoning(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Some thought. A `signature` closes the thought it belongs to."""

    text: str = ""
    choice: int = 0
    tokens: int | None = None
    signature: str | None = None


class ToolStart(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A tool call begins; its name is known."""

    index: int
    id: str
    name: str
    choice: int = 0
    kind: Literal["function", "custom"] = "function"


class ToolArguments(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """More text of the call `index`'s arguments."""

    index: int
    text: str
    choice: int = 0


class ToolEnd(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The call `index` is complete."""

    index: int
    choice: int = 0


class Refusal(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """Some words of a refusal."""

    text: str
    choice: int = 0


class Annotation(Struct, frozen=True, kw_only=True, tag=True):
    """A citation or similar that belongs to the text so far."""

    value: JsonValue
    choice: int = 0


class Finish(Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """A choice is complete."""

    reason: FinishReason
    choice: int = 0
    stop_sequence: str | None = None


Event: TypeAlias = (
    Start | Text | Reasoning | ToolStart | ToolArguments | ToolEnd | Refusal | Annotation | Usage | Finish | Opaque
)


def joined(events: list[Event]) -> list[Event]:
    """Events that arrived together, those words in one that follow each other; the same list where there are none.

    Nobody is told anything later for it, and nothing else: log probabilities stay with their words, and tokens that
    were told are added up.
    """
    if len(events) < 2:
        return events
    told: list[Event] = []
    run: list[Text] = []
    for event in events:
        if type(event) is Text and event.logprobs is None:
            if run and not (event.choice == run[0].choice and (event.tokens is None) is (run[0].tokens is None)):
                told.append(_one(run))
                run = []
            run.append(event)
            continue
        if run:
            told.append(_one(run))
            run = []
        told.append(event)
    if run:
        told.append(_one(run))
    return told if len(told) < len(events) else events


def _one(run: list[Text]) -> Text:
    if len(run) == 1:
        return run[0]
    tokens = None if run[0].tokens is None else sum([words.tokens or 0 for words in run])
    return Text(text="".join([words.text for words in run]), choice=run[0].choice, tokens=tokens)
