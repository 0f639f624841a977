"""The YAML at the top of a SKILL.md, held to the limits of its format (https://agentskills.io/specification)."""

import re
from typing import cast

from msgspec import Struct
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rixin.core.json import JsonValue
from rixin.errors import invalid

MAX_NAME = 64
MAX_DESCRIPTION = 1024
MAX_COMPATIBILITY = 500
MAX_BYTES = 64 * 1024
"""A longer frontmatter is refused before it is parsed."""

_FENCE = re.compile(r"---[ \t]*\n(?P<yaml>.*?)^---[ \t]*$", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Frontmatter(Struct, frozen=True, kw_only=True):
    """What an agent knows of a skill before it reads the rest."""

    name: str
    description: str


def is_name(text: str) -> bool:
    """Whether a skill may be called so: a name is also the name of its folder, and nothing else."""
    return len(text) <= MAX_NAME and _NAME.fullmatch(text) is not None


def read_frontmatter(content: bytes) -> Frontmatter:
    """Reads the frontmatter of a SKILL.md. Fields that the format does not know are left to those who do.

    Raises:
        RixinError: `INVALID_REQUEST`, with all that is wrong.
    """
    fields = _fields(_fenced(content))
    name, description = fields.get("name"), fields.get("description")
    problems = [
        *_text_problems("description", description, MAX_DESCRIPTION, required=True),
        *_text_problems("compatibility", fields.get("compatibility"), MAX_COMPATIBILITY),
        *_text_problems("license", fields.get("license")),
    ]
    if not isinstance(name, str) or not is_name(name):
        problems.insert(
            0,
            "`name` is missing"
            if name is None
            else f"`name` is {name!r}; it must be 1 to {MAX_NAME} lower-case letters and digits, with single hyphens "
            "between them",
        )
    if not isinstance(fields.get("metadata", {}), dict):
        problems.append("`metadata` must be a mapping")
    if not _is_tools(fields.get("allowed-tools", "")):
        problems.append("`allowed-tools` must be a text or a list of texts")
    if problems:
        raise invalid("; ".join(problems))
    return Frontmatter(name=str(name), description=str(description).strip())


def _fenced(content: bytes) -> str:
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError:
        raise invalid("is not UTF-8") from None
    found = _FENCE.match(text.replace("\r\n", "\n"))
    if found is None:
        raise invalid("has no frontmatter: it must begin with a line `---`, and a second such line must end it")
    if len(found["yaml"]) > MAX_BYTES:
        raise invalid(f"has a frontmatter of more than {MAX_BYTES} bytes")
    return found["yaml"]


def _fields(text: str) -> dict[str, JsonValue]:
    try:
        fields = cast("JsonValue", YAML(typ="safe", pure=True).load(text))  # pyright: ignore[reportUnknownMemberType] - untyped
    except (YAMLError, ValueError, RecursionError) as error:
        line: object = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" in line {line + 2}" if isinstance(line, int) else ""
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise invalid(f"has a frontmatter that is no valid YAML{where}: {problem}") from None
    if not isinstance(fields, dict):
        raise invalid("has a frontmatter that is no mapping of fields")
    return fields


def _text_problems(field: str, value: JsonValue, limit: int | None = None, *, required: bool = False) -> list[str]:
    if value is None:
        return [f"`{field}` is missing"] if required else []
    if not isinstance(value, str) or not value.strip():
        return [f"`{field}` must be a text that is not empty"]
    if limit is not None and len(value.strip()) > limit:
        return [f"`{field}` has {len(value.strip())} characters; at most {limit} are allowed"]
    return []


def _is_tools(value: JsonValue) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))
