"""Tools and the choice among them, read and rendered."""

from typing import NamedTuple, cast

from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Change, Generate
from rixin.core.tools import Tool, ToolChoice
from rixin.dialects.anthropic.wire import NAME, WireTool, WireToolChoice
from rixin.dialects.decoding import check_depth
from rixin.dialects.openai_chat.bounds import MAX_NAME, MAX_TOOLS, check_size, check_word
from rixin.errors import invalid

SERVER_TOOLS = f"{NAME}.server_tools"
"""Where a request's `extra` keeps the tools that only their maker's servers can run, as the client wrote them."""

_SEARCH = "tool_search_tool_"
"""How the type of a server's tool begins that finds deferred tools. Without it the model must see them all."""

CHOICES: dict[str, ToolChoice] = {
    "auto": ToolChoice("auto"),
    "any": ToolChoice("required"),
    "none": ToolChoice("none"),
}
RENDERED = {"auto": "auto", "required": "any", "none": "none"}

CUSTOM_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}
"""What a tool of free text takes on this wire, which knows objects only."""


class Offer(NamedTuple):
    """The tools of a request."""

    tools: tuple[Tool, ...]
    server: tuple[int, ...]
    """Positions of those that only a server can run."""
    changes: tuple[Change, ...]


def read_tools(tools: list[WireTool], references: frozenset[str], choice: WireToolChoice | None) -> Offer:
    """The tools on offer.

    A tool whose loading is deferred is shown once the conversation refers to it, or the choice names it.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the tool.
    """
    check_size(len(tools), MAX_TOOLS, "tools", "tools")
    server = tuple(position for position, tool in enumerate(tools) if tool.type not in (None, "custom"))
    shown = references | {choice.name} if choice is not None else references
    searching = any((tools[position].type or "").startswith(_SEARCH) for position in server)
    read: list[Tool] = []
    for position, tool in enumerate(tools):
        path = f"tools[{position}]"
        if position not in server:
            own = _read_tool(tool, path)
            if not tool.defer_loading or searching or tool.name in shown:
                read.append(own)
    changes = tuple(Change("drop_server_tool", (tools[position].type or "")[:MAX_NAME]) for position in server)
    return Offer(tuple(read), server, changes)


def _read_tool(tool: WireTool, path: str) -> Tool:
    if not tool.name:
        raise invalid(f"invalid {path}.name, it should not be empty.", f"{path}.name")
    check_size(len(tool.name), MAX_NAME, f"{path}.name", "characters")
    schema = cast("JsonObject | None", tool.input_schema)
    check_depth(schema, f"{path}.input_schema")
    return Tool(name=tool.name, description=tool.description, parameters=schema, strict=tool.strict)


def read_tool_choice(choice: WireToolChoice, tools: list[WireTool], offer: Offer) -> tuple[ToolChoice | None, bool]:
    """The choice of tool, and whether it had to be dropped since what it asks for went with the server's tools.

    Raises:
        RixinError: `INVALID_REQUEST` for a choice of what was not offered.
    """
    check_word(choice.type, (*CHOICES, "tool"), "tool_choice.type")
    if choice.type == "tool":
        if any(tool.name == choice.name for tool in offer.tools):
            return ToolChoice("named", choice.name), False
        if any(tools[position].name == choice.name for position in offer.server):
            return None, True
        raise invalid("invalid tool_choice.name, tools has none of that name.", "tool_choice.name")
    if offer.tools:
        return CHOICES[choice.type], False
    if choice.type == "any" and not offer.server:
        raise invalid("invalid tool_choice, any needs tools.", "tool_choice")
    return None, choice.type == "any"


def render_tools(request: Generate) -> JsonObject:
    """The field `tools`: those that we know, then those that only a server can run."""
    server = request.extra.get(SERVER_TOOLS)
    tools = [*map(_render_tool, request.tools), *(server if isinstance(server, list) else ())]
    return {"tools": tools} if tools else {}


def _render_tool(tool: Tool) -> JsonValue:
    rendered: JsonObject = {"name": tool.name}
    if tool.description:
        rendered["description"] = tool.description
    rendered["input_schema"] = CUSTOM_SCHEMA if tool.kind == "custom" else _object_schema(tool.parameters)
    if tool.strict:
        rendered["strict"] = True
    return rendered


def _object_schema(schema: JsonObject | None) -> JsonObject:
    """A schema whose root is an object with properties, which is the least that this wire takes."""
    if not schema:
        return {"type": "object", "properties": {}}
    if schema.get("type") == "object" and ("properties" in schema or "$ref" in schema):
        return schema
    return {**schema, "type": "object", "properties": schema.get("properties", {})}


def render_tool_choice(request: Generate) -> JsonObject:
    """The field `tool_choice`, which also says whether calls may be parallel."""
    choice, alone = request.tool_choice, request.parallel_tool_calls is False
    if not request.tools or (choice is None and not alone):
        return {}
    rendered: JsonObject = {"type": "auto" if choice is None else RENDERED.get(choice.mode, "tool")}
    if choice is not None and choice.mode == "named":
        rendered["name"] = choice.name
    if alone and rendered["type"] != "none":
        rendered["disable_parallel_tool_use"] = True
    return {"tool_choice": rendered}
