"""The hosted search of a client's dialect, handed on to an upstream that has one of its own."""

from collections.abc import Iterable

from rixin.core.json import JsonObject
from rixin.core.requests import Change
from rixin.profiles.sanitizers.draft import objects

DROPPED = frozenset({"drop_hosted_tool", "drop_server_tool"})
"""The changes by which dialects tell that a tool which its vendor hosts has no form in Chat."""
SEARCH = "web_search"
FORWARDED = Change("forward_tool", SEARCH)


def forward_search(body: JsonObject, changes: Iterable[Change]) -> JsonObject:
    """The Chat body with the upstream's own search, where the client asked for its vendor's; else as it is.

    Args:
        body: For the upstream.
        changes: What was done to the client's request.
    """
    asked = any(change.name in DROPPED and change.field.startswith(SEARCH) for change in changes)
    tools = objects(body.get("tools"))
    if not asked or any(tool.get("type") == SEARCH for tool in tools):
        return body
    return {**body, "tools": [*tools, {"type": SEARCH}]}
