"""Eight palettes, and the colours that are derived from them so that every text can be read on what it stands on."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from msgspec import Struct

CONTRAST: Final = 4.5
"""The least contrast between a text and its ground (WCAG 2.2, success criterion 1.4.3)."""
_SAFE: Final = 4.7
"""What derived colours reach, so that none falls below `CONTRAST` by rounding."""

_MARKS: Final = 3.0
"""The least contrast between an icon and its ground (success criterion 1.4.11)."""


class Palette(Struct, frozen=True, kw_only=True):
    """What a palette is made from; colours are written `#rrggbb`."""

    name: str
    page: str
    surface: str
    """The ground of a card."""
    ink: str
    """Text on both."""
    accents: tuple[str, ...]
    """What is drawn; the first is the main one and the ground of a title's band."""


PALETTES: Final = (
    Palette(
        name="ocean",
        page="#eef4fb",
        surface="#ffffff",
        ink="#0f2540",
        accents=("#1d5fd1", "#0aa5a8", "#f2994a", "#7a5af0", "#e2557b"),
    ),
    Palette(
        name="forest",
        page="#f1f5ec",
        surface="#ffffff",
        ink="#1c2b1f",
        accents=("#1f7a4d", "#e0a526", "#2f8f9d", "#b4592e", "#6b9a2f"),
    ),
    Palette(
        name="sunset",
        page="#fff5ee",
        surface="#ffffff",
        ink="#3a1a22",
        accents=("#d9412f", "#f5a524", "#8e3b8c", "#e8718d", "#2a7f93"),
    ),
    Palette(
        name="grape",
        page="#f5f1fc",
        surface="#ffffff",
        ink="#24183f",
        accents=("#6a35c9", "#e0479e", "#2d9cdb", "#f2a93b", "#22b07d"),
    ),
    Palette(
        name="paper",
        page="#f7f1e5",
        surface="#fffcf5",
        ink="#2b2620",
        accents=("#b23a2e", "#1f5f6b", "#d8973c", "#5c6b3c", "#7a4a63"),
    ),
    Palette(
        name="slate",
        page="#f3f4f6",
        surface="#ffffff",
        ink="#14181f",
        accents=("#22303f", "#e5484d", "#5b7a99", "#c28e3a", "#4b9a86"),
    ),
    Palette(
        name="midnight",
        page="#0d1526",
        surface="#17233b",
        ink="#eef3fb",
        accents=("#4f8cff", "#2dd4bf", "#fbbf24", "#f472b6", "#a78bfa"),
    ),
    Palette(
        name="aurora",
        page="#160f29",
        surface="#241a40",
        ink="#f6f1ff",
        accents=("#b06bff", "#38e0a4", "#ff7ac6", "#ffc857", "#4cc9f0"),
    ),
)


class Colors(Struct, frozen=True, kw_only=True):
    """The colours of a page. Each kind of text reaches `CONTRAST` on each ground that it may stand on."""

    page: str
    surface: str
    wash: str
    """Shapes behind everything, a shade off the page."""
    stripe: str
    """Every second row of a table."""
    track: str
    """What a bar has not reached."""
    line: str
    rule: str
    ink: str
    muted: str
    """Text of less weight, on all of `grounds`."""
    accents: tuple[str, ...]
    ons: tuple[str, ...]
    """Text on each accent."""
    marks: tuple[str, ...]
    """Icons on each accent, for which less contrast does."""
    tints: tuple[str, ...]
    """Pale grounds, one an accent."""
    deeps: tuple[str, ...]
    """Text in the tone of each accent, on all of `grounds`."""
    band: str
    band_wash: str
    on_band: str
    """Text on a title's band, and on the shapes in it."""
    on_band_muted: str

    @property
    def grounds(self) -> tuple[str, ...]:
        """What `ink`, `muted` and `deeps` may stand on."""
        return (self.page, self.surface, self.wash, self.stripe, self.track, *self.tints)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@cache
def colors(palette: Palette) -> Colors:
    """Everything that a page of a palette is drawn in."""
    page, surface, ink = palette.page, palette.surface, palette.ink
    dark = _luminance(page) < 0.2
    tints = tuple(mix(accent, surface, 0.15 if dark else 0.13) for accent in palette.accents)
    wash = mix(palette.accents[0], page, 0.1 if dark else 0.06)
    stripe = mix(ink, surface, 0.06 if dark else 0.04)
    track = mix(ink, surface, 0.09 if dark else 0.06)
    grounds = (page, surface, wash, stripe, track, *tints)
    band = mix(palette.accents[0], page, 0.42) if dark else mix(palette.accents[0], ink, 0.82)
    band_wash = mix("#ffffff", band, 0.07)
    on_band = readable("#ffffff", (band, band_wash), toward="#ffffff")
    return Colors(
        page=page,
        surface=surface,
        wash=wash,
        stripe=stripe,
        track=track,
        line=mix(ink, surface, 0.16 if dark else 0.1),
        rule=mix(ink, page, 0.3 if dark else 0.22),
        ink=readable(ink, grounds, toward="#ffffff" if dark else "#000000"),
        muted=readable(mix(ink, surface, 0.68), grounds, toward=ink),
        accents=palette.accents,
        ons=tuple(_on(accent, ink, page, _SAFE) for accent in palette.accents),
        marks=tuple(_on(accent, ink, page, _MARKS) for accent in palette.accents),
        tints=tints,
        deeps=tuple(readable(accent, grounds, toward=ink) for accent in palette.accents),
        band=band,
        band_wash=band_wash,
        on_band=on_band,
        on_band_muted=readable(mix("#ffffff", band, 0.8), (band, band_wash), toward=on_band),
    )


def readable(color: str, grounds: Iterable[str], *, toward: str) -> str:
    """A colour as near to `color` as lets it be read on all grounds, moved toward another that can be."""
    grounds = tuple(grounds)
    for step in range(21):
        moved = mix(toward, color, step / 20)
        if all(contrast(moved, ground) >= _SAFE for ground in grounds):
            return moved
    return toward


def mix(one: str, other: str, part: float) -> str:
    """`part` of one colour with the rest of another."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a * part + b * (1 - part)):02x}" for a, b in pairs)


def _on(accent: str, ink: str, page: str, least: float) -> str:
    """White where it can be read, else the darkest of the palette's own colours, else black, which then can."""
    darkest = min((ink, page), key=_luminance)
    return next((c for c in ("#ffffff", darkest) if contrast(c, accent) >= least), "#000000")


def _channels(color: str) -> Sequence[int]:
    return bytes.fromhex(color.removeprefix("#"))


def _luminance(color: str) -> float:
    red, green, blue = (
        (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4) for c in (x / 255 for x in _channels(color))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
