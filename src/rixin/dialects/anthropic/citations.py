"""Citations in this dialect's form, which belong to the text block that they stand in."""

from rixin.core.json import JsonValue

KINDS = frozenset({
    "char_location", "page_location", "content_block_location", "search_result_location", "web_search_result_location",
})  # fmt: skip


def is_citation(value: JsonValue) -> bool:
    """Whether an annotation is one that a client of this dialect understands."""
    return isinstance(value, dict) and value.get("type") in KINDS
