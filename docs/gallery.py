"""Draws the pictures of docs/gallery.md from docs/gallery/prompts.toml, and writes the page around them.

`python docs/gallery.py` draws all, `python docs/gallery.py NAME ...` those that are named; `--page` only writes the
page.
"""

import asyncio
import io
import os
import sys
import tomllib
from collections.abc import AsyncGenerator
from pathlib import Path

from msgspec import Struct, convert
from PIL import Image

from rixin.core.cards import ModelCard
from rixin.core.requests import Draw
from rixin.engines.draw.engine import DrawEngine
from rixin.engines.draw.writing import Ask

PAGE = Path(__file__).parent / "gallery.md"
FOLDER = Path(__file__).parent / "gallery"
_LONG_EDGE = 1120
"""Pixels of a picture on the page; it is drawn in full size and made smaller."""
_CARD = ModelCard(name="sensenova-u1-fast", target="draw", operations=("draw",))
_HEAD = """# Gallery

Twenty prompts, and what `sensenova-u1-fast` makes of them where no provider serves it: drawn on this machine, without a
network, by the engine that [drawing.md](drawing.md) describes. Numbers come from the prompts alone. The pictures are
shown smaller than they were drawn; `python docs/gallery.py` draws them again.
"""


class Entry(Struct, frozen=True, kw_only=True):
    """A picture of the gallery."""

    name: str
    size: str
    style: str
    seed: int
    prompt: str
    written: str = ""

    @property
    def edges(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = self.size.split("x")
        return int(width), int(height)

    def request(self) -> Draw:
        """What the picture is asked with."""
        return Draw(
            model=_CARD.name,
            card=_CARD,
            prompt=self.prompt.strip(),
            size=self.edges,
            style=self.style,
            seed=self.seed,
            output_format="png",
        )


def entries() -> list[Entry]:
    """The pictures, in their order."""
    data = tomllib.loads((FOLDER / "prompts.toml").read_text(encoding="utf-8"))
    return convert(data["pictures"], list[Entry])


def page(pictures: list[Entry]) -> str:
    """The text of the page."""
    parts = [_HEAD]
    for number, entry in enumerate(pictures, 1):
        quoted = "\n".join(f"    {line}".rstrip() for line in entry.prompt.strip().splitlines())
        asked = f'`size` {entry.size}, `style` "{entry.style}", `seed` {entry.seed}'
        parts.append(
            f"\n## {number}. {entry.name}\n\n{quoted}\n\n{asked}\n\n![{entry.name}](gallery/{entry.name}.webp)\n"
        )
    return "".join(parts)


async def draw(entry: Entry) -> bytes:
    """The picture, small enough for the page, as WebP."""

    async def kept(_: Ask) -> AsyncGenerator[str, None]:
        yield entry.written

    images = await DrawEngine(kept, os.environ).draw(entry.request(), None)
    for change in images.changes:
        sys.stderr.write(f"{entry.name}: {change.name}({change.field})\n")
    content = images.images[0].content
    assert isinstance(content, bytes)  # noqa: S101 - this engine gives files
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        small = picture.convert("RGB")
        small.thumbnail((_LONG_EDGE, _LONG_EDGE), Image.Resampling.LANCZOS)
        small.save(buffer, "webp", quality=84, method=6)
    return buffer.getvalue()


def main() -> None:
    """Draws what the command line names."""
    pictures = entries()
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    for entry in pictures:
        if "--page" not in sys.argv and (not named or entry.name in named):
            (FOLDER / f"{entry.name}.webp").write_bytes(asyncio.run(draw(entry)))
    PAGE.write_text(page(pictures), encoding="utf-8")


if __name__ == "__main__":
    main()
