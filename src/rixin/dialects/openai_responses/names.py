"""Names of tools: a tree of namespaces flattened into names that every model and upstream takes."""

import re

from rixin.dialects.tool_names import MAX_LENGTH, digest, fitting

IMPLICIT = "functions"
"""The namespace whose tools are called by their bare names."""

_MARK = 8


def flatten(namespace: str | None, name: str) -> str:
    """One name for a tool: `namespace__name`, made fitting, and the same in each request."""
    return fitting(name if not namespace or namespace == IMPLICIT else f"{namespace}__{name}")


def distinct(namespace: str | None, name: str) -> str:
    """Another name for a tool whose flat one is taken: it ends in a mark made from both, apart."""
    mark = digest(f"{namespace or ''}\0{name}")[:_MARK]
    return f"{flatten(namespace, name)[: MAX_LENGTH - _MARK - 1]}_{mark}"


def normalised(name: str) -> str:
    """A name without regard to case and separators, as models tend to misspell it."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
