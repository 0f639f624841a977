"""Messages and the parts they are made of.

A message is a role and an ordered tuple of parts. Tool calls and their results are parts too, so that the order in
which a model spoke, thought and called survives every translation. A part that a dialect does not understand travels
as `Opaque`.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from rixin.core.json import JsonValue

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]


class TextPart(Struct, frozen=True, tag=True):
    """Words, as they are shown."""

    text: str


class ImagePart(Struct, frozen=True, kw_only=True, tag=True):
    """An image by exactly one of its sources."""

    url: str | None = None
    """An `http(s)` or `data:` URL."""
    base64: str | None = None
    """Raw base64 without a `data:` prefix; the type is sniffed."""
    file_id: str | None = None
    detail: str | None = None


class VideoPart(Struct, frozen=True, kw_only=True, tag=True):
    """A video by exactly one of its sources."""

    url: str | None = None
    file_id: str | None = None


class DocumentPart(Struct, frozen=True, kw_only=True, tag=True):
    """A document (PDF, text) by exactly one of its sources."""

    url: str | None = None
    base64: str | None = None
    file_id: str | None = None
    text: str | None = None
    name: str | None = None
    media_type: str | None = None


class ReasoningPart(Struct, frozen=True, kw_only=True, tag=True):
    """What a model thought. `signature` is an envelope, ours or a vendor's, that proves or encrypts it."""

    text: str = ""
    summary: tuple[str, ...] = ()
    signature: str | None = None
    issuer: str | None = None
    """The provider that gave `signature`, and alone may be shown it; None where it stands as the client sent it."""


class RefusalPart(Struct, frozen=True, tag=True):
    """A model's refusal to answer."""

    text: str


class ToolCall(Struct, frozen=True, kw_only=True, tag=True):
    """A model's wish to run a tool. `arguments` is the raw text: JSON for a function, free text for a custom tool."""

    id: str
    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"


class ToolResult(Struct, frozen=True, kw_only=True, tag=True):
    """What running a tool gave; `call_id` names the `ToolCall` it answers."""

    call_id: str
    parts: "tuple[Part, ...]"
    name: str | None = None
    is_error: bool = False


class Opaque(Struct, frozen=True, kw_only=True, tag=True):
    """Something of a dialect that we carry without understanding it. As an event it may belong to one `choice`."""

    dialect: str
    kind: str
    value: JsonValue
    choice: int | None = None


Part: TypeAlias = (
    TextPart | ImagePart | VideoPart | DocumentPart | ReasoningPart | RefusalPart | ToolCall | ToolResult | Opaque
)


class Message(Struct, frozen=True, kw_only=True):
    """One turn, or one tool's results, of a conversation."""

    role: Role
    parts: tuple[Part, ...]
    name: str | None = None

    @property
    def text(self) -> str:
        """The words of this message, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))
