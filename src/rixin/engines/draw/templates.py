"""Eight templates, as what sets them apart, and how a request's words choose one and its palette."""

import re
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from rixin.engines.draw.palettes import PALETTES, Palette

Header: TypeAlias = Literal["plain", "center", "lead", "band", "side"]
"""Above at the left, above in the middle, beside a bar, on a band over the page, or on a panel beside it."""
Frame: TypeAlias = Literal["card", "strip", "rule", "outline", "tile"]
Backdrop: TypeAlias = Literal["none", "circles", "grid", "stripe"]
SERIF: Final = "Libertinus Serif"
SANS: Final = "Noto Sans CJK SC"


class Template(Struct, frozen=True, kw_only=True):
    """A look."""

    name: str
    header: Header
    frame: Frame
    backdrop: Backdrop = "none"
    radius: float = 0.7
    """Of the frames' corners, in units of the text's size."""
    serif: bool = False
    """Whether titles are set with serifs, where the script has such letters."""
    ornate: bool = False
    """Whether it is one for those who ask for high quality."""
    palettes: tuple[str, ...]
    """What it looks best in, by the palettes' names."""


TEMPLATES: Final = (
    Template(name="cards", header="plain", frame="strip", palettes=("ocean", "grape", "forest", "slate")),
    Template(name="banner", header="band", frame="card", ornate=True, palettes=("ocean", "sunset", "forest", "grape")),
    Template(
        name="sidebar",
        header="side",
        frame="tile",
        radius=0.8,
        ornate=True,
        palettes=("grape", "forest", "ocean", "paper"),
    ),
    Template(
        name="editorial",
        header="lead",
        frame="rule",
        serif=True,
        radius=0,
        palettes=("paper", "slate", "sunset", "forest"),
    ),
    Template(
        name="poster",
        header="center",
        frame="card",
        backdrop="circles",
        radius=1.0,
        ornate=True,
        palettes=("midnight", "aurora", "sunset", "grape"),
    ),
    Template(
        name="blueprint",
        header="lead",
        frame="outline",
        backdrop="grid",
        radius=0.15,
        palettes=("midnight", "ocean", "slate", "aurora"),
    ),
    Template(
        name="mosaic",
        header="plain",
        frame="tile",
        radius=1.1,
        ornate=True,
        palettes=("sunset", "grape", "ocean", "forest"),
    ),
    Template(
        name="report",
        header="plain",
        frame="card",
        backdrop="stripe",
        radius=0.3,
        palettes=("slate", "ocean", "paper", "forest"),
    ),
)

_STYLES: Final[tuple[tuple[str, str], ...]] = (
    (r"\bcards?\b|卡片", "cards"),
    (r"\bbanner\b|横幅", "banner"),
    (r"\bside ?bar\b|侧栏", "sidebar"),
    (r"\b(?:editorial|minimal(?:ist)?|elegant|classic|magazine|natural)\b|简约|极简|杂志|优雅", "editorial"),
    (r"\b(?:poster|bold|vivid|playful)\b|海报|醒目|活泼", "poster"),
    (r"\b(?:blueprint|technical|tech|engineering)\b|蓝图|科技|技术", "blueprint"),
    (r"\b(?:mosaic|bento|tiles?|colou?rful)\b|拼贴|马赛克|多彩", "mosaic"),
    (r"\b(?:report|business|corporate|professional)\b|报告|商务|专业", "report"),
)
_TONES: Final[tuple[tuple[str, str], ...]] = (
    (r"\b(?:ocean|blue|water|sea)\b|蓝|海洋|水资源", "ocean"),
    (r"\b(?:forest|green|nature|natural|eco)\b|绿|森林|自然|环保", "forest"),
    (r"\b(?:sunset|warm|orange|red|vivid)\b|暖|橙|红", "sunset"),
    (r"\b(?:grape|purple|violet)\b|紫", "grape"),
    (r"\b(?:paper|sand|vintage|retro|beige|tea)\b|复古|米色|纸|茶", "paper"),
    (r"\b(?:slate|gr[ea]y|mono(?:chrome)?|black and white)\b|灰|黑白", "slate"),
    (r"\b(?:midnight|dark|night|space)\b|深色|暗色|夜|太空|航天", "midnight"),
    (r"\b(?:aurora|neon|cyber\w*|futuristic)\b|霓虹|赛博|未来感", "aurora"),
)
"""What chooses a template or a palette, in the words of a client; the first that is found does."""
_PLAIN: Final = frozenset({"low", "draft"})
_ORNATE: Final = frozenset({"high", "hd", "ultra"})


def choose(
    *, style: str, prompt: str, quality: str | None, draw: int, number: int, palette: str = "", layout: str = ""
) -> tuple[Template, Palette]:
    """The look of a picture.

    Args:
        style: Names of templates and palettes, or words for them; what it leaves open is chosen by the other arguments.
        prompt: Where its words speak of colours, they choose the palette.
        quality: `low` for plain templates, `high` or `hd` for ornate ones.
        draw: A number that decides between what is left; the same one decides alike.
        number: Which picture of a request it is; each looks different from those before it.
        palette: The name of the one that somebody thinks fit who was not asked for it; the client's words count more.
        layout: The name of such a template.
    """
    wanted = quality.lower() if quality else ""
    templates = [
        template
        for template in TEMPLATES
        if not (wanted in _PLAIN and template.ornate) and not (wanted in _ORNATE and not template.ornate)
    ]
    named = _named(style, _STYLES) or next((t.name for t in templates if t.name == layout), None)
    template = next((t for t in TEMPLATES if t.name == named), None) if number == 0 or len(templates) < 2 else None
    if template is None:
        rest = [t for t in templates if t.name != named] or templates
        template = rest[(draw + number) % len(rest)]
    tone = _named(style, _TONES)
    if tone is None and number == 0:
        tone = _named(prompt, _TONES) or palette
    if not tone:
        tone = template.palettes[(draw // len(TEMPLATES) + number) % len(template.palettes)]
    return template, next(each for each in PALETTES if each.name == tone)


def _named(words: str, table: tuple[tuple[str, str], ...]) -> str | None:
    return next((name for pattern, name in table if re.search(pattern, words, re.IGNORECASE)), None)
