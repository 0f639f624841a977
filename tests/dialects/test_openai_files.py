"""Files in OpenAI's shape."""

import msgspec
import pytest
from openai.types import FileDeleted, FileObject

from rixin.core.files import File, FilePage
from rixin.dialects.openai_files import MAX_LIMIT, parse_page, render_deleted, render_file, render_files
from rixin.errors import Kind, RixinError

FILE = File(
    key="01a2016d85897b81961a9b987332eb80",
    shape="openai",
    purpose="user_data",
    name="猫.txt",
    media_type="text/plain",
    size=12,
    status="valid",
    created_at=1_800_000_000.9,
    updated_at=1_800_000_001.0,
)
NATIVE = msgspec.structs.replace(FILE, shape="native", purpose="MULTIMODAL_1", status="invalid", expires_at=1.8e9)


def test_one_file() -> None:
    """As OpenAI's reference has it, and its SDK reads it."""
    assert msgspec.json.decode(render_file(FILE)) == {
        "id": "file-01a2016d85897b81961a9b987332eb80",
        "object": "file",
        "bytes": 12,
        "created_at": 1_800_000_000,
        "filename": "猫.txt",
        "purpose": "user_data",
        "status": "processed",
        "status_details": None,
    }
    FileObject.model_validate_json(render_file(FILE))


def test_a_native_file_in_a_list() -> None:
    """By its own id, in words that the SDK knows."""
    listed = msgspec.json.decode(render_files([NATIVE, FILE], more=True))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == (NATIVE.id, FILE.id, True)
    shown = FileObject.model_validate(listed["data"][0])
    assert (shown.id, shown.purpose, shown.status) == ("01a2016d-8589-7b81-961a-9b987332eb80", "vision", "error")
    assert shown.expires_at == 1_800_000_000


def test_no_files() -> None:
    """A list without ends."""
    assert msgspec.json.decode(render_files([], more=False)) == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


def test_a_deleted_file() -> None:
    """Is told by its id."""
    assert FileDeleted.model_validate_json(render_deleted(FILE)).id == FILE.id


@pytest.mark.parametrize(
    ("query", "page"),
    [
        ({}, FilePage(limit=MAX_LIMIT)),
        ({"limit": "2", "after": "file-1", "order": "asc"}, FilePage(limit=2, after="file-1", descending=False)),
        ({"purpose": "evals"}, FilePage(limit=MAX_LIMIT, purposes=("evals",))),
        ({"purpose": "vision"}, FilePage(limit=MAX_LIMIT, purposes=("vision", "MULTIMODAL_1"))),
    ],
)
def test_pages(query: dict[str, str], page: FilePage) -> None:
    """What a query asks for; a purpose finds native files of the same kind."""
    assert parse_page(query) == page


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "10001"}, {"limit": "-1"}, {"limit": "²"}, {"order": "x"}])
def test_a_wrong_query_is_named(query: dict[str, str]) -> None:
    """By its parameter."""
    with pytest.raises(RixinError) as refused:
        parse_page(query)
    assert (refused.value.kind, refused.value.param) == (Kind.INVALID_REQUEST, next(iter(query)))
