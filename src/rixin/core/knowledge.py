"""Knowledge bases: collections of documents that answers may draw on."""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

DocumentStatus: TypeAlias = Literal["uploaded", "valid", "invalid"]
"""`uploaded`: waits to be read, or is; `valid`: can be searched; `invalid`: cannot be read."""

_BASE_ID = re.compile(r"s[0-9a-f]{12}7[0-9a-f]{19}")


class KnowledgeDocument(Struct, frozen=True, kw_only=True):
    """A file of a knowledge base. Instants are seconds since the epoch."""

    file_id: str
    name: str
    status: DocumentStatus
    passages: int | None = None
    """Pieces that it was cut into; None until it is."""
    indexed: int = 0
    """How many of them can be found by now."""
    error: str | None = None
    """Why it cannot be read."""
    created_at: float
    updated_at: float


class KnowledgeBase(Struct, frozen=True, kw_only=True):
    """A knowledge base. Instants are seconds since the epoch."""

    id: str
    description: str
    created_at: float
    updated_at: float
    documents: tuple[KnowledgeDocument, ...] = ()


def base_id(uuid7: str) -> str:
    """The id of a knowledge base, in the form that the native platform's have."""
    return "s" + uuid7.replace("-", "")


def is_base_id(text: str) -> bool:
    """Whether a text may be the id of one of ours: those of other platforms hold random UUIDs."""
    return _BASE_ID.fullmatch(text) is not None


class Hit(Struct, frozen=True, kw_only=True):
    """A passage that was found."""

    base_id: str
    file_id: str
    document: str
    """The name of the document that it is from."""
    text: str
    heading: str = ""
    """The headings that it stands under, outermost first."""
    page: int | None = None
    """Of a document that has pages, counted from 1."""
    score: float
    """From 0 to 1; comparable within one search only."""
    text_rank: int | None = None
    """Its place among what was found by words, counted from 1; None where it was not."""
    vector_rank: int | None = None
    """The same of what was found by meaning."""
