"""What files are for: the native platform's schemes and OpenAI's purposes, and which files fit them.

Sources: the SenseNova V6 platform's Python SDK and its knowledge bases' documentation; OpenAI's Files reference.
"""

from typing import Final

from msgspec import Struct

from rixin.accounts.file_kind import Family
from rixin.core.files import Shape
from rixin.errors import invalid

_MIB = 2**20
_DAY = 86400.0
_WORDS: dict[Family, str] = {
    "image": "an image (PNG, JPEG, WebP, GIF or BMP)",
    "video": "a video (MP4, WebM, Matroska or AVI)",
    "text": "text in UTF-8",
    "document": "a document (PDF or DOCX)",
    "other": "any file",
}


class Purpose(Struct, frozen=True):
    """What a file for a purpose must be."""

    families: tuple[Family, ...] = ()
    """Any of these; empty for everything."""
    max_bytes: int | None = None
    """None where only the settings limit it."""
    lifetime: float | None = None
    """Seconds after which it goes, unless the client says otherwise."""


SCHEMES: Final[dict[str, Purpose]] = {
    "KNOWLEDGE_BASE_1": Purpose(("text", "document"), 20 * _MIB),
    "FINE_TUNE_1": Purpose(("text",)),
    "FINE_TUNE_2": Purpose(("text",)),
    "MULTIMODAL_1": Purpose(("image",), 45 * _MIB),
    "MULTIMODAL_2": Purpose(("video",), 45 * _MIB),
}
"""The native platform's."""
PURPOSES: Final[dict[str, Purpose]] = {
    "assistants": Purpose(),
    "batch": Purpose(("text",), 200 * _MIB, 30 * _DAY),
    "evals": Purpose(("text",)),
    "fine-tune": Purpose(("text",)),
    "image_generation": Purpose((), None, _DAY),
    "user_data": Purpose(),
    "vision": Purpose(("image",)),
}
"""OpenAI's, and `image_generation` for what we draw."""


def purpose_of(shape: Shape, name: str) -> Purpose:
    """What files for a purpose must be.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the field, for a purpose that there is not.
    """
    field, known = ("scheme", SCHEMES) if shape == "native" else ("purpose", PURPOSES)
    if not name:
        raise invalid(f"invalid {field}, it is required.", field)
    if name not in known:
        raise invalid(f"invalid {field}, should be one of {', '.join(known)}.", field)
    return known[name]


def check(purpose: Purpose, name: str, family: Family, size: int) -> None:
    """Raises `INVALID_REQUEST` for a file that does not fit its purpose."""
    if purpose.families and family not in purpose.families:
        wanted = " or ".join(_WORDS[each] for each in purpose.families)
        raise invalid(f"invalid file, for {name} it should be {wanted}.", "file")
    if purpose.max_bytes is not None and size > purpose.max_bytes:
        raise invalid(f"invalid file, for {name} it should be no larger than {purpose.max_bytes // _MIB} MB.", "file")
