"""Files in OpenAI's shape, as `/v1/files` gives them to clients with an API key.

Source: OpenAI's Files reference.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from rixin.core.files import File, FilePage, Status
from rixin.core.json import JsonObject
from rixin.errors import invalid

MAX_LIMIT: Final = 10_000

_PURPOSES = {
    "KNOWLEDGE_BASE_1": "assistants",
    "FINE_TUNE_1": "fine-tune",
    "FINE_TUNE_2": "fine-tune",
    "MULTIMODAL_1": "vision",
    "MULTIMODAL_2": "user_data",
}
"""What the native platform's schemes are here."""
_STATUSES: dict[Status, str] = {"uploaded": "uploaded", "valid": "processed", "invalid": "error"}

_ENCODER = msgspec.json.Encoder()


def parse_page(query: Mapping[str, str]) -> FilePage:
    """The page that a list's query asks for: `limit`, `after`, `order` and `purpose`.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the one that is wrong.
    """
    limit, order, purpose = query.get("limit", ""), query.get("order", "desc"), query.get("purpose")
    if order not in ("asc", "desc"):
        raise invalid("invalid order, should be one of asc, desc.", "order")
    same = () if purpose is None else tuple(scheme for scheme, known in _PURPOSES.items() if known == purpose)
    return FilePage(
        limit=_limit(limit) if limit else MAX_LIMIT,
        after=query.get("after") or None,
        descending=order == "desc",
        purposes=() if purpose is None else (purpose, *same),
    )


def render_file(file: File) -> bytes:
    """One file."""
    return _ENCODER.encode(_entry(file))


def render_files(files: Sequence[File], *, more: bool) -> bytes:
    """A page of files, and whether there are more."""
    return _ENCODER.encode({
        "object": "list",
        "data": [_entry(file) for file in files],
        "first_id": files[0].id if files else None,
        "last_id": files[-1].id if files else None,
        "has_more": more,
    })  # fmt: skip


def render_deleted(file: File) -> bytes:
    """A file that is no more."""
    return _ENCODER.encode({"id": file.id, "object": "file", "deleted": True})


def _entry(file: File) -> JsonObject:
    entry: JsonObject = {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": int(file.created_at),
        "filename": file.name,
        "purpose": _PURPOSES.get(file.purpose, file.purpose),
        "status": _STATUSES[file.status],
        "status_details": None,
    }
    if file.expires_at is not None:
        entry["expires_at"] = int(file.expires_at)
    return entry


def _limit(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_LIMIT)) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid(f"invalid limit, should in [1,{MAX_LIMIT}].", "limit")
    return limit
