"""Tells models that see nothing what is in images and videos, as far as it can be told without seeing it."""

import math
from collections.abc import Mapping
from hashlib import blake2b
from importlib.util import find_spec
from typing import Final, Self

from rixin.errors import Kind, RixinError
from rixin.media.jobs import MAX_THREADS, Clip, Color, DescribeJob, Description, Line, Picture, Still, Texture
from rixin.media.payload import Payload
from rixin.media.recent import Recent
from rixin.media.worker import SIGHT, Decoders
from rixin.settings import Media

PREFACE: Final = (
    "What follows was read by a program in images that you cannot see: their words, where those stand, and colors. "
    "What the images show besides is not known."
)
_PACKAGES: Final = ("rapidocr", "onnxruntime")
_MEMORY: Final = 3 * 2**30
"""Bytes of address space, of which a page full of words takes a third in memory."""
_REMEMBERED: Final = 4 * 2**20
"""Bytes of descriptions that are kept."""
_MAX_CHARACTERS: Final = 8000
"""Of the words of an image, or of all images of a video."""
_TEXTURES: dict[Texture, str] = {
    "photograph": "probably a photograph",
    "drawn": "probably a screenshot, a page or a drawing",
    "either": "a photograph or drawn",
}
_COLORS: dict[str, tuple[int, int, int]] = {
    "black": (0, 0, 0),
    "dark gray": (72, 72, 72),
    "gray": (136, 136, 136),
    "light gray": (208, 208, 208),
    "white": (255, 255, 255),
    "red": (214, 36, 36),
    "dark red": (120, 16, 16),
    "orange": (244, 136, 24),
    "brown": (120, 72, 32),
    "beige": (228, 206, 172),
    "yellow": (246, 222, 40),
    "green": (48, 172, 60),
    "dark green": (16, 84, 32),
    "light green": (164, 226, 164),
    "turquoise": (48, 196, 196),
    "blue": (32, 92, 220),
    "dark blue": (16, 28, 96),
    "light blue": (152, 200, 248),
    "purple": (128, 44, 168),
    "pink": (246, 148, 184),
}


class Describer:
    """Describes images and videos, each once while it is remembered.

    Args:
        decoders: Of the program `worker.SIGHT`.
        settings: How much of each.
    """

    def __init__(self, decoders: Decoders, settings: Media) -> None:
        self.decoders = decoders
        self._settings = settings
        self._recent = Recent[Description](_REMEMBERED)

    @classmethod
    def open(cls, settings: Media, environment: Mapping[str, str]) -> Self:
        """One with a decoder of its own.

        Args:
            settings: Of images and videos.
            environment: All that the decoder sees of the environment; it should hold no secrets.

        Raises:
            RixinError: `CONFIGURATION` where the packages that it needs are not installed.
        """
        missing = [name for name in _PACKAGES if find_spec(name) is None]
        if missing:
            raise RixinError(
                Kind.CONFIGURATION,
                f"media.vision_adapter is on and {' and '.join(missing)} cannot be imported: "
                "install them with `pip install 'rixin[vision]'`, or set it to false.",
            )
        # One process, which has several threads: images are described one after the other.
        timeout, queue = settings.vision_timeout, settings.decode_queue
        return cls(
            Decoders(environment, number=1, queue=queue, timeout=timeout, memory=_MEMORY, program=SIGHT), settings
        )

    async def image(self, still: Still) -> str:
        """An image in words.

        Raises:
            RefusedError: It takes too much time or memory.
            RixinError: `QUEUE_FULL` while too many others wait.
        """
        found = await self._describe(still.picture)
        scale = still.width / found.width
        head = f"{still.kind}, {still.width} x {still.height} pixels, {_look(found)}."
        return f"{head}\n{_words(found, scale, _MAX_CHARACTERS)}"

    async def clip(self, clip: Clip) -> str:
        """A video in words: some images from it. Raises as `image`."""
        told = [f"{clip.media_type}, {clock(clip.seconds)} long. {len(clip.frames)} images from it:"]
        before: tuple[Line, ...] | None = None
        for frame in clip.frames:
            found = await self._describe(frame.picture)
            texts = _words(found, 1.0, _MAX_CHARACTERS // len(clip.frames))
            told.append(
                f"At {clock(frame.second)}: {found.width} x {found.height} pixels, {_look(found)}. "
                + ("The same words as before." if found.lines and found.lines == before else texts)
            )
            before = found.lines
        return "\n".join(told)

    async def aclose(self) -> None:
        """Ends the decoder."""
        await self.decoders.aclose()

    async def _describe(self, picture: Picture) -> Description:
        data = picture.data
        digest = blake2b(data.encode("ascii"), digest_size=32).digest()
        found = self._recent.get(digest)
        if found is None:
            settings = self._settings
            job = DescribeJob(
                base64=True,
                max_bytes=len(data),
                max_pixels=settings.long_edge**2,
                max_characters=_MAX_CHARACTERS,
                cpu_seconds=math.ceil(settings.vision_timeout * MAX_THREADS),
            )
            found = await self.decoders.describe(job, Payload(data))
            self._recent.put(digest, found, sum(len(line.text) + 100 for line in found.lines) + 500)
        return found


def clock(seconds: float) -> str:
    """`1:02.5`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def _look(found: Description) -> str:
    colors = ", ".join(f"{_name(color)} {color.share:.0%}" for color in found.colors)
    return f"{_TEXTURES[found.texture]}; mostly {colors}"


def _name(color: Color) -> str:
    def distance(name: str) -> int:
        red, green, blue = _COLORS[name]
        return (color.red - red) ** 2 + (color.green - green) ** 2 + (color.blue - blue) ** 2

    return f"{min(_COLORS, key=distance)} #{color.red:02x}{color.green:02x}{color.blue:02x}"


def _words(found: Description, scale: float, most: int) -> str:
    """The lines of a picture with their places in the image that it was made of, as many as may be told."""
    if not found.lines:
        return "No words were found in it."
    told: list[str] = []
    for line in found.lines:
        most -= len(line.text)
        if most < 0:
            break
        place = (round(edge * scale) for edge in (line.left, line.top, line.width, line.height))
        told.append(f"[{','.join(map(str, place))}] {line.text}")
    left = found.more_lines + len(found.lines) - len(told)
    rest = [f"({left} more lines were left out.)"] if left else []
    return "\n".join(["Its words, each line after its [left,top,width,height] in pixels:", *told, *rest])
