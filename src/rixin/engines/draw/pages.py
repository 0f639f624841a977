"""A page from a specification: measured, planned and drawn by typst, for whom everything said is data."""

import io
import re
from pathlib import Path
from typing import Final

import manimgx_fonts_cjk
import msgspec
import typst
from msgspec import Struct
from PIL import Image

from rixin.core.json import JsonObject
from rixin.core.requests import ImageFormat
from rixin.engines.draw.layout import Content, Frame, Measures, Page, Sheet, plan
from rixin.engines.draw.palettes import Palette, colors
from rixin.engines.draw.specification import Block, Chart, Listing, Note, Quote, Specification, Table
from rixin.engines.draw.templates import SANS, SERIF, Template

_SOURCES: Final = Path(__file__).parent / "typst"
_FALLBACK: Final = (SERIF, "DejaVu Sans Mono")
"""Fonts that typst brings, for the scripts that the main one has not."""
_JPEG_QUALITY: Final = 92
_WEBP_QUALITY: Final = 90


class Drawing(Struct, frozen=True, kw_only=True):
    """A picture, and where everything stands in it."""

    content: bytes
    header: Frame
    blocks: tuple[tuple[int, Frame], ...]
    """Blocks of the specification by their number, and their frames."""
    dropped: tuple[int, ...]


def draw_page(
    specification: Specification,
    *,
    width: int,
    height: int,
    template: Template,
    palette: Palette,
    format: ImageFormat,  # noqa: A002 - the word of the API
    variant: int = 0,
    mark: str = "",
) -> Drawing:
    """Draws a page.

    Args:
        specification: What it says.
        width: In pixels.
        height: In pixels.
        template: How it looks.
        palette: In which colours.
        format: Of the file.
        variant: Which arrangement is taken of those that fit.
        mark: A word at the lower edge.

    Raises:
        NoRoomError: Not even the title fits.
    """
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(Path(manimgx_fonts_cjk.__file__).parent)])
    job: JsonObject = {
        "width": width,
        "height": height,
        "lang": specification.language,
        "title": specification.title,
        "subtitle": specification.subtitle,
        "mark": mark,
    }
    blocks: list[JsonObject] = [msgspec.to_builtins(block) for block in specification.blocks]

    def compiler(**more: object) -> typst.Compiler:
        whole = {**job, **more}
        return typst.Compiler(
            _SOURCES / "page.typ",
            root=_SOURCES,
            font_paths=fonts,
            sys_inputs={"job": msgspec.json.encode(whole).decode()},
        )

    def theme(header: str) -> JsonObject:
        serif = template.serif and specification.language == "en"
        return {
            "colors": msgspec.to_builtins(colors(palette)),
            "fonts": [SANS, *_FALLBACK],
            "title_fonts": [SERIF, SANS, _FALLBACK[1]] if serif else [SANS, *_FALLBACK],
            "frame": template.frame,
            "radius": template.radius,
            "header": header,
            "backdrop": template.backdrop,
        }

    def measure(sheet: Sheet) -> Measures:
        answer = compiler(
            theme=theme(sheet.header),
            unit=sheet.unit,
            title_factor=sheet.title_factor,
            header_widths=[sheet.header_width],
            widths=list(sheet.widths),
            blocks=blocks,
            **{"pass": "measure"},
        ).query("<sizes>", field="value", one=True)
        return msgspec.json.decode(answer, type=Measures)

    page = Page(
        width=width,
        height=height,
        header=template.header,
        contents=tuple(map(_content, specification.blocks)),
        variant=variant,
    )
    found = plan(page, measure)
    final = compiler(
        theme=theme(found.header),
        unit=found.unit,
        title_factor=found.title_factor,
        header_frame=msgspec.to_builtins(found.header_frame),
        band=msgspec.to_builtins(found.band),
        blocks=[{**blocks[number], "frame": msgspec.to_builtins(frame)} for number, frame in found.blocks],
        **{"pass": "draw"},
    )
    return Drawing(
        content=_encoded(final, format), header=found.header_frame, blocks=found.blocks, dropped=found.dropped
    )


def _content(block: Block) -> Content:
    match block:
        case Chart():
            return Content(block.kind, 1)
        case Table():
            return Content("table", len(block.header))
        case Quote() | Note() | Listing():
            return Content(str(block.__struct_config__.tag), 1)
        case _:
            return Content(str(block.__struct_config__.tag), len(block.items))


def _encoded(compiler: typst.Compiler, format: ImageFormat) -> bytes:  # noqa: A002 - the word of the API
    kind = format if format in ("svg", "pdf") else "png"
    pages = compiler.compile(format=kind, ppi=72)
    content = pages[0] if isinstance(pages, list) else pages
    if content is None:
        raise EOFError
    if format == "svg":  # its pixels are CSS pixels, where typst writes points
        return re.sub(rb'width="(\d+)pt" height="(\d+)pt"', rb'width="\1" height="\2"', content, count=1)
    if format not in ("jpeg", "webp"):
        return content
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        quality = _JPEG_QUALITY if format == "jpeg" else _WEBP_QUALITY
        image.convert("RGB").save(buffer, format, quality=quality)
    return buffer.getvalue()
