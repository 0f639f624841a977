"""Writes the reference pages from the program itself, so that they cannot say what it does not do.

`python docs/generate.py` writes them, `--check` only tells which are stale (exit code 1).
"""

import ast
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
import typer
from msgspec.structs import FieldInfo
from typer.cli import get_docs_for_click

from rixin import settings
from rixin.cli.app import app
from rixin.settings import tables

REFERENCE = Path(__file__).parent / "reference"
_STRUCTS: tuple[tuple[type[msgspec.Struct], str, str], ...] = (
    (settings.Server, "[server]", "RIXIN_{}"),
    (settings.Engine, "[engine]", "RIXIN_ENGINE__{}"),
    (settings.Provider, "[[providers]]", ""),
    (settings.ModelOverride, "[[providers.overrides]]", ""),
    (settings.LocalModel, "[[models]]", ""),
    (settings.Media, "[media]", "RIXIN_MEDIA__{}"),
    (settings.Files, "[files]", "RIXIN_FILES__{}"),
    (settings.Moderation, "[moderation]", "RIXIN_MODERATION__{}"),
    (settings.Telemetry, "[telemetry]", "RIXIN_TELEMETRY__{}"),
    (settings.Oidc, "[oidc]", "RIXIN_OIDC__{}"),
    (settings.RouteTarget, "[[routes.NAME]]", ""),
    (settings.Plan, "[plans.NAME]", ""),
    (settings.PlanLimit, "[[plans.NAME.limits]]", ""),
    (settings.ModelPrice, "[prices.NAME]", ""),
    (settings.UsageKeeping, "[usage]", "RIXIN_USAGE__{}"),
    (settings.Settings, "Beside the tables", ""),
)
_WORDS = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "`true`, `false`",
    "Path": "path",
    "dict[str, str]": "table of texts",
    "dict[str, Any]": "table",
    "dict[str, Role]": "table of roles",
    "dict[str, int]": "table of integers",
    "Unit": "`requests`, `tokens`, `concurrency`, `credits`, `money`",
    "Role": "`owner`, `admin`, `auditor`, `member`",
    "ModelOverride": "tables, see below",
    "PlanLimit": "tables, see below",
}
_TABLES = frozenset(
    {
        "server",
        "engine",
        "providers",
        "models",
        "media",
        "files",
        "moderation",
        "telemetry",
        "oidc",
        "routes",
        "plans",
        "prices",
        "usage",
    }
)
_NOTICE = "<!-- Made by docs/generate.py from the program itself. Change the program, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """The pages' texts, by file name."""
    return {"cli.md": _NOTICE + _cli(), "settings.md": _NOTICE + _settings()}


def _cli() -> str:
    command = typer.main.get_command(app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command, info_name="rixin"), name="rixin")
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"


def _settings() -> str:
    source = Path(tables.__file__).read_text(encoding="utf-8")
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    parts = ["# Settings", (settings.__doc__ or "").partition("\n\n")[2]]
    parts += [_table(struct, title, variable, classes[struct.__name__]) for struct, title, variable in _STRUCTS]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _table(struct: type[msgspec.Struct], title: str, variable: str, node: ast.ClassDef) -> str:
    told = dict(_fields(node.body))
    heading = title if title[0] != "[" else f"`{title}`"
    lines = [f"## {heading}\n\n{_prose(struct.__doc__ or '')}\n"]
    lines += [
        f"| setting | type | default |{' variable |' if variable else ''} |",
        f"| --- | --- | --- |{' --- |' if variable else ''} --- |",
    ]
    for field in msgspec.structs.fields(struct):
        if struct is settings.Settings and field.name in _TABLES:
            continue
        kind, about = told[field.name]
        cells = [f"`{field.name}`", _kind(kind), _default(field)]
        if variable:
            # A variable holds one value, no list.
            cells.append("" if kind.startswith("tuple") else f"`{variable.format(field.name.upper())}`")
        lines.append("".join(f"| {cell} " if cell else "| " for cell in [*cells, _prose(about)]) + "|")
    return "\n".join(lines)


def _kind(annotation: str) -> str:
    """A type as people say it who write TOML."""
    annotation = annotation.removesuffix(" | None")
    if annotation.startswith("tuple["):
        return f"list of {_kind(annotation.removeprefix('tuple[').removesuffix(', ...]'))}"
    if annotation.startswith("Literal["):
        return ", ".join(f"`{value}`" for value in annotation.removeprefix("Literal[").removesuffix("]").split(", "))
    first, _, second = annotation.partition(" | ")
    return f"{_kind(first)}, {_kind(second)}" if second else _WORDS[annotation]


def _fields(body: list[ast.stmt]) -> Iterable[tuple[str, tuple[str, str]]]:
    """Each field's name with its type, as it is written, and the docstring that follows it."""
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        about = ""
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            about = str(following.value.value)
        yield statement.target.id, (ast.unparse(statement.annotation).replace("'", '"'), about)


def _default(field: FieldInfo) -> str:
    if field.required:
        return "required"
    if field.default_factory is tables.default_data_dir:
        return "by platform"
    value: object = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return "" if value is None else f"`{msgspec.json.encode(value).decode()}`"


def _prose(text: str) -> str:
    return " ".join(text.split())


def main() -> int:
    """Writes the pages or checks them; the exit code."""
    check = "--check" in sys.argv[1:]
    stale: list[Path] = []
    for name, text in pages().items():
        path = REFERENCE / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        sys.stdout.write(
            f"{path.relative_to(REFERENCE.parent.parent)} {'is stale; run: make docs' if check else 'written'}\n"
        )
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
