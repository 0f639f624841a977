"""Knowledge bases in the native platform's shape.

Source: the platform's Python SDK and its clients: a base stands under `knowledge_base`, a list under `knowledge_bases`,
by analogy with the platform's other lists. What is told of a base besides its id is not published.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from rixin.core.json import JsonObject, JsonValue
from rixin.core.knowledge import KnowledgeBase, KnowledgeDocument
from rixin.dialects.decoding import decode
from rixin.dialects.instants import in_utc

_ENCODER = msgspec.json.Encoder()


class BaseBody(Struct, frozen=True):
    """The body that makes or changes a base. None is absent."""

    description: str | None = None
    files: tuple[str, ...] | None = None


class AttachBody(Struct, frozen=True):
    """The body that puts a file into a base."""

    file_id: str | None = None


_BASE = msgspec.json.Decoder(BaseBody)
_ATTACH = msgspec.json.Decoder(AttachBody)


def parse_base(body: bytes) -> BaseBody:
    """What a base shall be. Raises `INVALID_REQUEST` naming the field."""
    return decode(_BASE, body or b"{}")


def parse_attach(body: bytes) -> AttachBody:
    """Which file is to be put in. Raises `INVALID_REQUEST` naming the field."""
    return decode(_ATTACH, body or b"{}")


def render_base(base: KnowledgeBase) -> bytes:
    """One base."""
    return _ENCODER.encode({"knowledge_base": _base(base)})


def render_bases(bases: Iterable[KnowledgeBase]) -> bytes:
    """A list of them."""
    return _ENCODER.encode({"knowledge_bases": [_base(base) for base in bases]})


def render_files(base: KnowledgeBase) -> bytes:
    """The files of a base."""
    return _ENCODER.encode({"files": [_file(document) for document in base.documents]})


def render_deleted() -> bytes:
    """Nothing, as an object."""
    return b"{}"


def _base(base: KnowledgeBase) -> JsonObject:
    files: list[JsonValue] = [_file(document) for document in base.documents]
    return {
        "id": base.id,
        "description": base.description,
        "status": _status(base),
        "files": files,
        "created_at": in_utc(base.created_at),
        "updated_at": in_utc(base.updated_at),
    }


def _status(base: KnowledgeBase) -> str:
    """`VALID` once everything that can be read is."""
    waiting = any(document.status == "uploaded" for document in base.documents)
    return "UPLOADED" if waiting else "VALID"


def _file(document: KnowledgeDocument) -> JsonObject:
    entry: JsonObject = {
        "id": document.file_id,
        "user_provided_filename": document.name,
        "status": document.status.upper(),
        "progress": _progress(document),
        "created_at": in_utc(document.created_at),
        "updated_at": in_utc(document.updated_at),
    }
    if document.error is not None:
        entry["error"] = document.error
    return entry


def _progress(document: KnowledgeDocument) -> float:
    """How much can be found by now, from 0 to 1."""
    return round(document.indexed / document.passages, 4) if document.passages else 0.0
