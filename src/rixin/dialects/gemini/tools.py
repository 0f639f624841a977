"""Tools and the choice among them, read."""

from typing import cast

from rixin.core.json import JsonObject
from rixin.core.requests import Change
from rixin.core.tools import Tool, ToolChoice
from rixin.dialects.gemini.schemas import json_schema
from rixin.dialects.gemini.wire import WireCallingConfig, WireFunction, WireTool
from rixin.dialects.openai_chat.bounds import MAX_NAME, MAX_TOOLS, check_size, check_word
from rixin.errors import invalid

MODES: dict[str, ToolChoice | None] = {
    "MODE_UNSPECIFIED": None,
    "AUTO": ToolChoice("auto"),
    "ANY": ToolChoice("required"),
    "NONE": ToolChoice("none"),
    "VALIDATED": ToolChoice("auto"),
}

SEARCHES = frozenset({"googleSearch", "googleSearchRetrieval"})
"""Google's own search, for which an upstream may have another."""


def read_tools(tools: list[WireTool]) -> tuple[Tool, ...]:
    """The functions on offer.

    Raises:
        RixinError: `INVALID_REQUEST`, naming the function.
    """
    read: list[Tool] = []
    for position, tool in enumerate(tools):
        for index, function in enumerate(tool.function_declarations):
            read.append(_read_function(function, f"tools[{position}].functionDeclarations[{index}]"))
    check_size(len(read), MAX_TOOLS, "tools", "functions")
    return tuple(read)


def _read_function(function: WireFunction, path: str) -> Tool:
    if not function.name:
        raise invalid(f"invalid {path}.name, it should not be empty.", f"{path}.name")
    check_size(len(function.name), MAX_NAME, f"{path}.name", "characters")
    return Tool(name=function.name, description=function.description, parameters=_parameters(function))


def _parameters(function: WireFunction) -> JsonObject | None:
    if function.parameters_json_schema is not None:
        return cast("JsonObject", function.parameters_json_schema)
    return None if function.parameters is None else json_schema(cast("JsonObject", function.parameters))


def dropped_tools(names: list[str]) -> list[Change]:
    """What is told of the tools that only Google's servers can run."""
    return [Change("drop_server_tool", "web_search" if name in SEARCHES else name[:MAX_NAME]) for name in names]


def read_choice(config: WireCallingConfig, tools: tuple[Tool, ...]) -> tuple[ToolChoice | None, tuple[Tool, ...]]:
    """The choice of tool, and the tools that are left to choose from.

    Raises:
        RixinError: `INVALID_REQUEST` for a mode that nobody knows, or a choice of what was not offered.
    """
    path = "toolConfig.functionCallingConfig"
    mode = config.mode or "MODE_UNSPECIFIED"
    check_word(mode, tuple(MODES), f"{path}.mode")
    allowed = config.allowed_function_names or []
    for name in allowed:
        if not any(tool.name == name for tool in tools):
            place = f"{path}.allowedFunctionNames"
            raise invalid(f"invalid {place}, tools has no function {name[:MAX_NAME]}.", place)
    if not tools:
        if mode == "ANY":
            raise invalid(f"invalid {path}.mode, ANY needs functions.", f"{path}.mode")
        return None, tools
    if mode == "ANY" and len(allowed) == 1:
        return ToolChoice("named", allowed[0]), tools
    return MODES[mode], tuple(tool for tool in tools if tool.name in allowed) if allowed else tools
