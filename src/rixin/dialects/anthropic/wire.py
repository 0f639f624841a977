"""The structs of a request's body. Blocks of content stay plain JSON: `messages` reads them by their `type`."""

from typing import TypeAlias

from msgspec import Struct

NAME = "anthropic"

WireBlock: TypeAlias = dict[str, object]
"""A block of content, of any type."""


class WireMessage(Struct, frozen=True):
    """A message of any role."""

    role: str
    content: str | list[WireBlock] | None = None


class WireTool(Struct, frozen=True):
    """A tool: without a type, or of type `custom`, it is the client's own and has a schema."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, object] | None = None
    strict: bool | None = None
    defer_loading: bool | None = None


class WireToolChoice(Struct, frozen=True):
    """A choice of tool; `type` is `auto`, `any`, `tool` or `none`."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class Thinking(Struct, frozen=True):
    """A switch for thinking; `type` is `enabled`, `adaptive` or `disabled`."""

    type: str
    budget_tokens: int | None = None


class OutputFormat(Struct, frozen=True):
    """The form of an answer."""

    type: str
    schema: dict[str, object] | None = None


class OutputConfig(Struct, frozen=True):
    """How much work goes into an answer, and its form."""

    effort: str | None = None
    format: OutputFormat | None = None


class Metadata(Struct, frozen=True):
    """Who asks."""

    user_id: str | None = None


class CountBody(Struct, frozen=True, kw_only=True):
    """The body of `POST /v1/messages/count_tokens`. None is absent."""

    model: str
    messages: list[WireMessage]
    system: str | list[WireBlock] | None = None
    tools: list[WireTool] | None = None
    tool_choice: WireToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None


class MessagesBody(CountBody, frozen=True, kw_only=True):
    """The body of `POST /v1/messages`."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
