"""Tools on offer, the choice among them and the form of an answer, read from a client's body.

Every tool that the client itself can run becomes a function, which any model can call: a custom tool is one that takes
`input`, its grammar quoted as advice. `Tool.origin` keeps what the answer needs to be of the declared kind. Tools that
OpenAI hosts are dropped by name.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple, cast

import msgspec

from rixin.core.json import JsonObject, JsonValue
from rixin.core.requests import Change
from rixin.core.tools import ResponseFormat, Tool, ToolChoice, ToolOrigin
from rixin.dialects.decoding import check_depth
from rixin.dialects.openai_chat.bounds import MAX_TOOLS, check_size, check_word
from rixin.dialects.openai_responses.names import distinct, flatten
from rixin.dialects.openai_responses.wire import WireFormat
from rixin.errors import invalid

CUSTOM = "custom"
TOOL_SEARCH = "tool_search"
LOCAL_SHELL = "local_shell"

MAX_LABEL = 128

CUSTOM_PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The tool's input, as plain text."}},
    "required": ["input"],
    "additionalProperties": False,
}
SEARCH_PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {"query": {"type": "string", "description": "What the wanted tools should be able to do."}},
    "required": ["query"],
    "additionalProperties": False,
}
SHELL_PARAMETERS: JsonObject = {
    "type": "object",
    "properties": {
        "command": {"type": "array", "items": {"type": "string"}, "description": "The program and its arguments."},
        "working_directory": {"type": "string", "description": "Where to run it."},
        "timeout_ms": {"type": "integer", "description": "How long it may take, in milliseconds."},
        "env": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Further environment."},
    },
    "required": ["command"],
    "additionalProperties": False,
}

_MODES: dict[str, Literal["auto", "none", "required"]] = {"auto": "auto", "none": "none", "required": "required"}
_FORMATS: dict[str, Literal["text", "json_object", "json_schema"]] = {
    "text": "text",
    "json_object": "json_object",
    "json_schema": "json_schema",
}


class Toolbox:
    """Gathers the tools of a request, from wherever they are declared."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._tools: dict[str, Tool] = {}
        self._names: dict[tuple[str | None, str], str] = {}
        self._seen = 0

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, in the order of their first declaration."""
        return tuple(self._tools.values())

    def add(self, declarations: JsonValue, path: str) -> None:
        """Takes a list of declarations, namespaces among them.

        Raises:
            RixinError: `INVALID_REQUEST` for what is no list of tools.
        """
        if declarations is None:
            return
        check_depth(declarations, path)
        self._add(declarations, path, None)

    def _add(self, declarations: JsonValue, path: str, namespace: str | None) -> None:
        if not isinstance(declarations, list):
            raise invalid(f"invalid {path}, it should be a list of tools.", path)
        self._seen += len(declarations)
        check_size(self._seen, MAX_TOOLS, path, "tools")
        for position, declaration in enumerate(declarations):
            place = f"{path}[{position}]"
            if not isinstance(declaration, dict):
                raise invalid(f"invalid {place}, it should be an object.", place)
            if declaration.get("type") == "namespace":
                self._add(declaration.get("tools") or [], f"{place}.tools", _inner(namespace, declaration.get("name")))
            else:
                self._declare(declaration, place, namespace)

    def _declare(self, declaration: JsonObject, path: str, namespace: str | None) -> None:
        kind = declaration.get("type")
        make = _MAKERS.get(kind) if isinstance(kind, str) else None
        if make is None:
            self.changes.append(Change("drop_hosted_tool", _label(kind or declaration.get("name"))))
            return
        # Some clients nest a function as Chat has it.
        nested = declaration.get(kind) if isinstance(kind, str) else None
        fields = {**declaration, **nested} if isinstance(nested, dict) else declaration
        name = fields.get("name") if kind in ("function", CUSTOM) else kind
        if not isinstance(name, str) or not name.strip():
            self.changes.append(Change("drop_nameless_tool", path))
            return
        if (namespace, name) in self._names:
            before = self._tools[self._names[namespace, name]]
            if before.origin is None or before.origin.declaration != declaration:
                self.changes.append(Change("drop_second_tool", _label(name)))
            return
        flat = flatten(namespace, name)
        if flat in self._tools:
            flat = distinct(namespace, name)
        origin = ToolOrigin(kind=str(kind), name=name, namespace=namespace, declaration=declaration)
        self._tools[flat] = make(flat, fields, origin)
        self._names[namespace, name] = flat

    def flat_name(self, namespace: str | None, name: str) -> str:
        """The name under which the model knows a tool, also one that is not declared any more."""
        return self._names.get((namespace, name)) or flatten(namespace, name)

    def find(self, namespace: str | None, name: str) -> Tool | None:
        """A declared tool, also by its bare name if there is only one of it."""
        flat = self._names.get((namespace, name))
        if flat is None and namespace is None:
            found = [flat for (_, inner), flat in self._names.items() if inner == name]
            flat = found[0] if len(found) == 1 else name
        return self._tools.get(flat or "")


def _inner(outer: str | None, name: JsonValue) -> str | None:
    own = name if isinstance(name, str) and name.strip() else None
    return f"{outer}__{own}" if outer and own else own or outer


def _label(value: JsonValue) -> str:
    """A word of the client's, fit for a header."""
    text = value if isinstance(value, str) else "?"
    return "".join(character if character.isprintable() and character.isascii() else "_" for character in text)[
        :MAX_LABEL
    ]


def _description(fields: JsonObject) -> str | None:
    text = fields.get("description")
    return text if isinstance(text, str) and text else None


def _function(name: str, fields: JsonObject, origin: ToolOrigin) -> Tool:
    parameters, strict = fields.get("parameters"), fields.get("strict")
    return Tool(
        name=name,
        description=_description(fields),
        parameters=parameters if isinstance(parameters, dict) else None,
        strict=strict if isinstance(strict, bool) else None,
        origin=origin,
    )


def _custom(name: str, fields: JsonObject, origin: ToolOrigin) -> Tool:
    form = fields.get("format")
    words = [_description(fields) or ""]
    if isinstance(form, dict) and isinstance(grammar := form.get("definition"), str):
        syntax = form.get("syntax")
        words.append(f"`input` must follow this {syntax if isinstance(syntax, str) else 'grammar'}:\n{grammar}")
    return Tool(
        name=name,
        description="\n\n".join(word for word in words if word) or None,
        parameters=CUSTOM_PARAMETERS,
        origin=origin,
    )


def _search(name: str, fields: JsonObject, origin: ToolOrigin) -> Tool:
    parameters = fields.get("parameters")
    return Tool(
        name=name,
        description=_description(fields) or "Finds further tools by what they can do.",
        parameters=parameters if isinstance(parameters, dict) else SEARCH_PARAMETERS,
        origin=origin,
    )


def _shell(name: str, fields: JsonObject, origin: ToolOrigin) -> Tool:
    description = _description(fields) or "Runs a program on the user's machine."
    return Tool(name=name, description=description, parameters=SHELL_PARAMETERS, origin=origin)


_MAKERS: dict[str, Callable[[str, JsonObject, ToolOrigin], Tool]] = {
    "function": _function,
    CUSTOM: _custom,
    TOOL_SEARCH: _search,
    LOCAL_SHELL: _shell,
}
"""Kinds of tools that the client runs. All others are OpenAI's own."""


class Chosen(NamedTuple):
    """What a `tool_choice` amounts to."""

    choice: ToolChoice | None
    tools: tuple[Tool, ...]
    """Those that may be called."""
    change: Change | None = None


def read_tool_choice(value: JsonValue, toolbox: Toolbox) -> Chosen:
    """The choice, which may narrow the tools.

    Raises:
        RixinError: `INVALID_REQUEST` for a word or tool that nobody declared.
    """
    tools = toolbox.tools
    if value is None or (not tools and value != "required"):
        return Chosen(None, tools)
    if isinstance(value, str):
        check_word(value, tuple(_MODES), "tool_choice")
        if tools:
            return Chosen(ToolChoice(_MODES[value]), tools)
        if toolbox.changes:
            return Chosen(None, tools, Change("relax_tool_choice", "tool_choice"))
        raise invalid("invalid tool_choice, required needs tools.", "tool_choice")
    if not isinstance(value, dict):
        raise invalid("invalid tool_choice, it should be a string or an object.", "tool_choice")
    if value.get("type") == "allowed_tools":
        return _allowed(value, toolbox)
    tool = _named(value, toolbox)
    if tool is None:
        if value.get("type") in ("function", CUSTOM):
            raise invalid("invalid tool_choice.name, tools has none of that name.", "tool_choice.name")
        return Chosen(ToolChoice("auto"), tools, Change("relax_tool_choice", _label(value.get("type"))))
    return Chosen(ToolChoice("named", tool.name), tools)


def _allowed(value: JsonObject, toolbox: Toolbox) -> Chosen:
    inner = value.get("allowed_tools")
    fields = inner if isinstance(inner, dict) else value
    mode, entries = fields.get("mode", "auto"), fields.get("tools")
    if not isinstance(mode, str) or not isinstance(entries, list):
        raise invalid("invalid tool_choice.tools, it should be a list of tools.", "tool_choice.tools")
    check_word(mode, tuple(_MODES), "tool_choice.mode")
    found = {tool.name for entry in entries if isinstance(entry, dict) and (tool := _named(entry, toolbox)) is not None}
    tools = tuple(tool for tool in toolbox.tools if tool.name in found)
    if not tools:
        return Chosen(ToolChoice("none"), toolbox.tools, Change("relax_tool_choice", "allowed_tools"))
    return Chosen(ToolChoice(_MODES[mode]), tools)


def _named(value: JsonObject, toolbox: Toolbox) -> Tool | None:
    kind = value.get("type")
    if kind in (TOOL_SEARCH, LOCAL_SHELL):
        return toolbox.find(None, str(kind))
    nested = value.get(kind) if isinstance(kind, str) else None
    fields = nested if isinstance(nested, dict) else value
    name, namespace = fields.get("name"), fields.get("namespace")
    return toolbox.find(namespace if isinstance(namespace, str) else None, name) if isinstance(name, str) else None


def read_format(form: WireFormat) -> ResponseFormat:
    """The form of the answer, from `text.format`."""
    check_word(form.type, tuple(_FORMATS), "text.format.type")
    kind = _FORMATS[form.type]
    if kind != "json_schema":
        return ResponseFormat(kind=kind)
    if form.schema is None:
        raise invalid("invalid text.format.schema, it is required.", "text.format.schema")
    schema = cast("JsonObject", form.schema)
    check_depth(schema, "text.format.schema")
    return ResponseFormat(kind=kind, name=form.name, schema=schema, strict=form.strict)


def render_tools(tools: Iterable[Tool]) -> list[JsonValue]:
    """Tools for an upstream of this dialect: as they were declared, namespaces put together again."""
    rendered: list[JsonValue] = []
    spaces: dict[str, list[JsonValue]] = {}
    for tool in tools:
        origin = tool.origin
        if origin is None:
            rendered.append(_render_tool(tool))
        elif origin.namespace is None:
            rendered.append(origin.declaration)
        else:
            if origin.namespace not in spaces:
                inner = spaces[origin.namespace] = []
                rendered.append(
                    {"type": "namespace", "name": origin.namespace, "description": origin.namespace, "tools": inner}
                )
            spaces[origin.namespace].append(origin.declaration)
    return rendered


def _render_tool(tool: Tool) -> JsonObject:
    fields: JsonObject = {"type": tool.kind, "name": tool.name}
    if tool.description is not None:
        fields["description"] = tool.description
    if tool.kind == "custom":
        return fields if tool.format is None else {**fields, "format": tool.format}
    parameters: JsonObject = tool.parameters or {"type": "object", "properties": {}}
    return {**fields, "parameters": parameters, "strict": bool(tool.strict)}


def render_tool_choice(choice: ToolChoice, tools: tuple[Tool, ...]) -> JsonValue:
    """The choice, for an upstream of this dialect."""
    if choice.mode != "named":
        return choice.mode
    tool = next((tool for tool in tools if tool.name == choice.name), None)
    origin = tool.origin if tool is not None else None
    if origin is not None and origin.kind in (TOOL_SEARCH, LOCAL_SHELL):
        return {"type": origin.kind}
    kind = origin.kind if origin is not None else tool.kind if tool is not None else "function"
    named: JsonObject = {"type": kind, "name": origin.name if origin is not None else choice.name}
    return named if origin is None or origin.namespace is None else {**named, "namespace": origin.namespace}


def render_format(form: ResponseFormat) -> JsonObject:
    """The field `text.format`, for an upstream of this dialect."""
    if form.kind != "json_schema":
        return {"type": form.kind}
    rendered: JsonObject = {"type": "json_schema", "name": form.name or "answer", "schema": form.schema}
    return rendered if form.strict is None else {**rendered, "strict": form.strict}


def wrap_input(text: str) -> str:
    """A custom tool's input as the arguments of the function that stands for it."""
    return msgspec.json.encode({"input": text}).decode()
