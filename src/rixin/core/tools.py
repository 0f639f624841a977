"""Tools that a model may call, and how it is told to choose among them."""

from typing import Literal

from msgspec import Struct

from rixin.core.json import JsonObject


class ToolOrigin(Struct, frozen=True, kw_only=True):
    """What a tool is in its client's dialect, where the model is offered it in another form or under another name.

    The dialect that read it needs this to answer in the kind in which the tool was declared.
    """

    kind: str
    """The dialect's own word, such as `custom` or `local_shell`."""
    name: str
    namespace: str | None = None
    declaration: JsonObject = {}
    """The tool as the client wrote it."""


class Tool(Struct, frozen=True, kw_only=True):
    """A tool on offer.

    A `function` has a JSON schema, a `custom` tool takes free text (`format` may hold a grammar).
    """

    name: str
    description: str | None = None
    parameters: JsonObject | None = None
    strict: bool | None = None
    kind: Literal["function", "custom"] = "function"
    format: JsonObject | None = None
    origin: ToolOrigin | None = None
    """Where it came from, if that is more than its name and kind tell."""


class ToolChoice(Struct, frozen=True):
    """`auto`, `none`, `required`, or `named` together with the tool's `name`."""

    mode: Literal["auto", "none", "required", "named"]
    name: str | None = None


class ResponseFormat(Struct, frozen=True, kw_only=True):
    """The form an answer must have: any text, any JSON object, or JSON under a schema."""

    kind: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: JsonObject | None = None
    strict: bool | None = None
