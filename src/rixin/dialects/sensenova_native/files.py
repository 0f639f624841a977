"""Files in the native platform's shape, as `/v1/files` gives them to clients with a token.

Source: the platform's Python SDK: a new file stands at the top level, one that is asked for under `file`. How a list
looks is not published; it goes by the platform's other lists, which are named after what they hold.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from rixin.core.files import File, FilePage
from rixin.core.json import JsonObject
from rixin.dialects.instants import in_utc

MOST: Final = 10_000
"""Files that a list has; nothing is published of pages."""

_SCHEMES = {"assistants": "KNOWLEDGE_BASE_1", "fine-tune": "FINE_TUNE_1", "vision": "MULTIMODAL_1"}
"""What OpenAI's purposes are here; the others go by their own names."""

_ENCODER = msgspec.json.Encoder()


def parse_page(_query: Mapping[str, str]) -> FilePage:
    """All files, the newest first."""
    return FilePage(limit=MOST)


def render_created(file: File) -> bytes:
    """A file that has just come."""
    return _ENCODER.encode(_entry(file))


def render_file(file: File) -> bytes:
    """One file."""
    return _ENCODER.encode({"file": _entry(file)})


def render_files(files: Sequence[File], *, more: bool) -> bytes:  # noqa: ARG001 - no list says so
    """Files."""
    return _ENCODER.encode({"files": [_entry(file) for file in files]})


def render_deleted(_file: File) -> bytes:
    """Nothing, as an object."""
    return b"{}"


def _entry(file: File) -> JsonObject:
    entry: JsonObject = {
        "id": file.id,
        "status": file.status.upper(),
        "scheme": _SCHEMES.get(file.purpose, file.purpose),
        "description": file.description,
        "user_provided_filename": file.name,
        "size": file.size,
        "created_at": in_utc(file.created_at),
        "updated_at": in_utc(file.updated_at),
    }
    if file.expires_at is not None:
        entry["expires_at"] = in_utc(file.expires_at)
    return entry
