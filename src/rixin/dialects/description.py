"""What a route takes and gives, told for people and for generators of clients: the source of the API's description.

Descriptions stand beside their dialects, in modules that no request needs: they are loaded when somebody asks.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from rixin.core.cards import FieldRule
from rixin.core.json import JsonObject
from rixin.errors import Kind

Shape: TypeAlias = Any
"""A type that msgspec knows the JSON schema of, or a tuple of those, of which it is one."""
AnyObject: TypeAlias = dict[str, object]
"""A JSON object that is told no further."""

JSON = "application/json"
EVENTS = "text/event-stream"


class ServerSentEvent(Struct, frozen=True):
    """One event of a stream; its data are JSON, or a word that ends the stream."""

    data: str
    event: str | UnsetType = UNSET


class Query(Struct, frozen=True):
    """A field of a query."""

    about: str
    kind: Shape = str


class Answer(Struct, frozen=True, kw_only=True):
    """What comes with one status."""

    about: str
    content: Mapping[str, Shape | None] = {}
    """By media type, the shape of the body; None for bytes of any kind. Empty where there is no body."""
    headers: Mapping[str, str] = {}
    """What its own headers tell, by name."""


class Description(Struct, frozen=True, kw_only=True):
    """One method of one path."""

    summary: str
    answers: Mapping[int, Answer]
    """By status. Errors of the route's dialect are not among them."""
    tag: str = ""
    """What it belongs to; empty for its dialect."""
    body: Shape | None = None
    """The shape of the body, in JSON; None where there is none, or `form` tells it."""
    body_optional: bool = False
    form: JsonObject | None = None
    """The JSON schema of a multipart body."""
    query: Mapping[str, Query] = {}
    parameters: Mapping[str, str] = {}
    """What stands for the parameters of the path, by name."""
    asks_model: bool = False
    """Whether a model answers, with all that can go wrong then."""
    errors: frozenset[Kind] = frozenset()
    """Errors beside those that every route of this kind has."""


class DialectDescription(Struct, frozen=True, kw_only=True):
    """A dialect, as far as its routes do not tell."""

    title: str
    about: str
    error: Shape
    """The body of every error."""
    details: Mapping[str, JsonObject] = {}
    """What its structs do not say of their fields, as keywords of JSON schema, by the field's name (`temperature`), or
    by the struct's and the field's (`WireMessage.role`)."""
    routes: Mapping[str, Description]
    """By the first path of each route."""


def answered(shape: Shape, about: str = "The answer.") -> dict[int, Answer]:
    """What there is where a body of JSON comes with status 200."""
    return {200: Answer(about=about, content={JSON: shape})}


def generated(shape: Shape) -> dict[int, Answer]:
    """What there is where a model answers: all at once, or as a stream of events."""
    return {200: Answer(about="The answer, whole or as a stream.", content={JSON: shape, EVENTS: ServerSentEvent})}


def ranges(rules: Mapping[str, FieldRule]) -> dict[str, JsonObject]:
    """The details of fields that are numbers."""
    return {name: _range(rule) for name, rule in rules.items()}


def words(allowed: Iterable[str]) -> JsonObject:
    """The detail of a field that is one of some words."""
    return {"enum": [*allowed]}


def _range(rule: FieldRule) -> JsonObject:
    detail: JsonObject = {}
    if rule.minimum is not None:
        detail["exclusiveMinimum" if rule.minimum_open else "minimum"] = rule.minimum
    if rule.maximum is not None:
        detail["exclusiveMaximum" if rule.maximum_open else "maximum"] = rule.maximum
    return detail
