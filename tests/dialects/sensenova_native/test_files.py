"""Files in the native platform's shape."""

import msgspec

from rixin.core.files import File, FilePage
from rixin.dialects.sensenova_native.files import (
    MOST,
    parse_page,
    render_created,
    render_deleted,
    render_file,
    render_files,
)

FILE = File(
    key="01a2016d85897b81961a9b987332eb80",
    shape="native",
    purpose="KNOWLEDGE_BASE_1",
    name="file",
    media_type="application/json",
    size=12,
    status="uploaded",
    created_at=1_800_000_000.9,
    updated_at=1_800_000_061.0,
    description="测试知识库文件",
)
SHOWN = {
    "id": "01a2016d-8589-7b81-961a-9b987332eb80",
    "status": "UPLOADED",
    "scheme": "KNOWLEDGE_BASE_1",
    "description": "测试知识库文件",
    "user_provided_filename": "file",
    "size": 12,
    "created_at": "2027-01-15T08:00:00Z",
    "updated_at": "2027-01-15T08:01:01Z",
}


def test_a_new_file_stands_at_the_top() -> None:
    """And one that is asked for under `file`, as the platform's SDK looks for them."""
    assert msgspec.json.decode(render_created(FILE)) == SHOWN
    assert msgspec.json.decode(render_file(FILE)) == {"file": SHOWN}


def test_lists() -> None:
    """All files; one of OpenAI's by its own id, in the platform's words."""
    other = msgspec.structs.replace(FILE, shape="openai", purpose="vision", status="valid", expires_at=1.8e9)
    shown = {
        "id": f"file-{FILE.key}",
        "status": "VALID",
        "scheme": "MULTIMODAL_1",
        "expires_at": "2027-01-15T08:00:00Z",
    }
    assert msgspec.json.decode(render_files([FILE, other], more=False)) == {"files": [SHOWN, SHOWN | shown]}
    assert parse_page({"limit": "1"}) == FilePage(limit=MOST)


def test_a_deleted_file_is_nothing() -> None:
    """An empty object, which is what the SDK parses."""
    assert render_deleted(FILE) == b"{}"
