"""The engine that draws, with the processes that it starts."""

import asyncio
import io
import json
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from PIL import Image as Picture

from rixin.core.cards import ModelCard
from rixin.core.images import Images
from rixin.core.requests import DrawProgress, ImageFormat
from rixin.engines.base import Draws, Engine
from rixin.engines.draw.engine import DrawEngine
from rixin.engines.draw.writing import Ask, Write
from rixin.errors import Kind, RixinError
from tests.engines.draw.conftest import request, words_of
from tests.support.hang import HANG

TEA = "Brewing tea: leaves 3 g, water 200 ml, minutes 2."
WATER = "Draw an infographic about the water cycle."
WORDS = json.dumps(
    {
        "title": "The water cycle",
        "subtitle": "Where rain comes from",
        "blocks": [
            {
                "type": "steps",
                "title": "",
                "items": [
                    {"heading": "Evaporation", "text": "The sun lifts water into the air."},
                    {"heading": "Condensation", "text": "Cool air turns it into clouds."},
                    {"heading": "Rain", "text": "About 505,000 cubic kilometres fall each year."},
                    {"heading": "Run-off", "text": "Rivers bring it back to the sea."},
                ],
            }
        ],
    }
)
U1_SIZES = [
    *((1664, 2496), (2496, 1664), (1760, 2368), (2368, 1760), (1824, 2272), (2272, 1824)),
    *((2048, 2048), (2752, 1536), (1536, 2752), (3072, 1376), (1344, 3136)),
]
LOCAL = ModelCard(name="local", target="local")


def engine(write: Write | None = None, **options: float) -> DrawEngine:
    """An engine, whose words come from `write`."""
    return DrawEngine(write, os.environ, **options)  # pyright: ignore[reportArgumentType]


async def writes(_: Ask) -> AsyncGenerator[str, None]:
    """A model that knows of the water cycle, and tells it word by word."""
    for word in WORDS.split(" "):
        yield f"{word} "


async def drawn(prompt: str, **fields: object) -> Images:
    """A prompt's pictures, made of it alone."""
    async with asyncio.timeout(HANG):
        return await engine().draw(request(prompt, **fields), None)


def content(images: Images, number: int = 0) -> bytes:
    """The file of a picture."""
    file = images.images[number].content
    assert isinstance(file, bytes)
    return file


def test_is_an_engine_that_draws() -> None:
    """It satisfies the protocols of the room."""
    made: Engine = engine()
    assert isinstance(made, Draws)


@pytest.mark.parametrize("size", [*U1_SIZES, (512, 512), (864, 2048), (4096, 4096), (4096, 1376)])
async def test_has_just_the_size_that_was_asked(size: tuple[int, int]) -> None:
    """A picture has exactly as many pixels as were asked for."""
    images = await drawn(TEA, size=size)
    with Picture.open(io.BytesIO(content(images))) as picture:
        assert picture.size == size
    assert images.images[0].size == size


@pytest.mark.parametrize(
    ("kind", "magic"), [("png", b"\x89PNG"), ("jpeg", b"\xff\xd8\xff"), ("webp", b"RIFF"), ("pdf", b"%PDF")]
)
async def test_comes_in_the_format_that_was_asked(kind: ImageFormat, magic: bytes) -> None:
    """Each format is what its first bytes say."""
    images = await drawn(TEA, size=(1024, 768), output_format=kind)
    assert content(images).startswith(magic)
    assert images.images[0].format == kind


async def test_svg_is_as_large_as_was_asked() -> None:
    """An SVG has its size in CSS pixels."""
    svg = content(await drawn(TEA, size=(1024, 768), output_format="svg"))
    assert b'width="1024" height="768"' in svg[:300]


async def test_draws_what_a_model_wrote_but_not_its_numbers() -> None:
    """The words of a model are drawn, save those with a number that the prompt has not."""
    images = await engine(writes).draw(request(WATER, output_format="pdf", size=(1024, 1024)), None)
    words = words_of(content(images))
    assert "Evaporation" in words
    assert "505" not in words
    assert images.images[0].revised_prompt is not None


async def test_a_seed_repeats_and_another_one_differs() -> None:
    """The same request with the same seed has the same pictures, whatever the model writes the second time."""
    answers = iter([WORDS, WORDS.replace("Cool air", "Cold air")])

    async def write(_: Ask) -> AsyncGenerator[str, None]:
        yield next(answers)

    made = engine(write)
    wish = request(WATER, seed=7, n=2, size=(1024, 1024))
    first, second = await made.draw(wish, None), await made.draw(wish, None)
    assert [image.content for image in first.images] == [image.content for image in second.images]
    other = await drawn(WATER, seed=8, size=(1024, 1024))
    assert other.images[0].content != (await drawn(WATER, seed=7, size=(1024, 1024))).images[0].content


async def test_more_images_are_different_ones() -> None:
    """Of `n` pictures no two look alike."""
    images = await drawn(TEA, n=4, seed=1, size=(768, 768))
    assert len({image.content for image in images.images}) == 4


async def test_tells_how_far_it_is() -> None:
    """Progress goes from the writing, as the words come, over each picture to the end."""
    told: list[DrawProgress] = []

    async def write(ask: Ask) -> AsyncGenerator[str, None]:
        ask(LOCAL)
        async with aclosing(writes(ask)) as words:
            async for word in words:
                yield word

    await engine(write).draw(request(WATER, n=2, size=(512, 512), progress=told.append), None)
    stages = [progress.stage for progress in told]
    assert stages == sorted(stages, reverse=True)
    assert stages.count("writing") > 2
    assert stages.count("drawing") == 3
    parts = [progress.part for progress in told]
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


async def test_a_watermark_is_drawn_where_it_is_wanted() -> None:
    """A mark at the lower edge, and none otherwise."""
    for wanted in (True, False, None):
        words = words_of(content(await drawn(TEA, size=(1024, 1024), output_format="pdf", watermark=wanted)))
        assert ("Rixin" in words) is (wanted is True)


HOSTILE = {
    "typst code": '#panic("x") #read("/etc/passwd") #import "@preview/a:1.0.0" $ x^2 $ #while true {} `raw` <a> @ref',
    "typst in data": '| #sys.inputs | #eval("1+1") |\n|---|---|\n| #{panic()} | 12 |\n| [x](y) | 30 |',
    "JSON": '{"type": "chart", "kind": "pie"} "}]}, \\u0000 \\" ]]',
    "huge table": "| a | b |\n|---|---|\n" + "| x | 1 |\n" * 9000,
    "wide table": "|" + " a |" * 3000 + "\n|" + "---|" * 3000 + "\n|" + " 1 |" * 3000,
    "many numbers": "Sales: " + ", ".join(f"m{n} {n}" for n in range(12000)),
    "control characters": "Tea\x00\x01\x02\x1b[31m red\x7f \ufeff\u200b\u2028 time\r\nand\ttabs",
    "right to left": "شاي أخضر: الماء 80، الأوراق 3\nשלום עולם \u202e\u2066 abc \u2069",
    "emoji": "🎉🎉 Party 👩‍👩‍👧‍👦 time 🇨🇳 ✅ 100% fun",
    "one long word": "a" * 100_000,
    "one long Chinese text": "茶" * 33_000,
    "long title": "# " + "Very long title " * 400,
    "many lists": "- a: b\n" * 14_000,
    "many steps": "1) boil 2) pour " * 6000,
    "surrogates": "tea \ud83d broken \udc00",
    "huge numbers": "A 1" + "0" * 400 + ", B 2, C 0.000001, D 99999999999999999999",
    "zeros": "A 0, B 0, C 0, D 0",
    "negative": "A -5, B -3, C -9, D 4",
    "markup of all kinds": "<script>alert(1)</script> **x** {{7*7}} ${HOME} %s %n '; DROP TABLE images; --",
}

TOO_LONG = {"huge table", "wide table", "one long word", "one long Chinese text", "huge numbers"}
"""Those of which nothing is short enough for a picture."""


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_prompts_are_drawn_or_refused_in_time(name: str) -> None:
    """Whatever a prompt holds, it becomes a picture within the limit, or an error that says why it does not."""
    [outcome] = await asyncio.gather(drawn(HOSTILE[name], size=(1024, 1024)), return_exceptions=True)
    if isinstance(outcome, RixinError):
        assert name in TOO_LONG
        assert (outcome.kind, outcome.param) == (Kind.INVALID_REQUEST, "prompt")
        return
    assert isinstance(outcome, Images)
    with Picture.open(io.BytesIO(content(outcome))) as picture:
        assert picture.size == (1024, 1024)


async def test_code_is_drawn_as_the_words_that_it_is() -> None:
    """Typst's own syntax in a prompt is text."""
    words = words_of(
        content(await drawn("# Code\n- #panic() and #eval\n- $x^2$ *bold*", output_format="pdf", size=(1024, 512)))
    )
    assert "#panic() and #eval" in words
    assert "$x^2$ *bold*" in words


async def test_tells_what_cannot_be_drawn() -> None:
    """Characters without a glyph and data beyond any picture are named."""
    emoji = await drawn("Party 🎉 time", size=(512, 512))
    assert ("left-out", "characters") in [(change.name, change.field) for change in emoji.changes]
    table = await drawn("# Table\n" + HOSTILE["huge table"], size=(512, 512))
    assert ("left-out", "table") in [(change.name, change.field) for change in table.changes]


@pytest.mark.parametrize("prompt", ["", "   \n", "🎉", "\x00\x01"])
async def test_refuses_a_prompt_that_says_nothing(prompt: str) -> None:
    """An empty prompt is an error that names the field."""
    with pytest.raises(RixinError) as caught:
        await drawn(prompt, size=(512, 512))
    assert (caught.value.kind, caught.value.param) == (Kind.INVALID_REQUEST, "prompt")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"size": (100, 100)}, "size"),
        ({"size": (5000, 512)}, "size"),
        ({"n": 0}, "n"),
        ({"n": 11}, "n"),
        ({"images": ("data:,",)}, "images"),
    ],
)
async def test_refuses_what_it_cannot_do(fields: dict[str, object], param: str) -> None:
    """A size, a number of images or an image to edit that cannot be served is named."""
    with pytest.raises(RixinError) as caught:
        await drawn(TEA, **fields)
    assert caught.value.param == param


async def test_a_drawing_that_takes_too_long_is_killed() -> None:
    """At the limit its process is gone and the client is told."""
    before = _children()
    with pytest.raises(RixinError) as caught:
        await engine(timeout=0.01).draw(request(TEA), None)
    assert caught.value.kind is Kind.UPSTREAM_TIMEOUT
    assert _children() <= before


async def test_a_drawing_without_memory_is_refused() -> None:
    """A process that is refused memory fails alone."""
    with pytest.raises(RixinError) as caught:
        await engine(memory=160 * 2**20).draw(request(TEA, size=(4096, 4096)), None)
    assert caught.value.kind is Kind.INVALID_REQUEST


async def test_leaving_ends_the_process() -> None:
    """A client that goes away takes its drawing with it."""
    before = _children()
    task = asyncio.create_task(engine().draw(request(TEA, n=10), None))
    async with asyncio.timeout(HANG):
        while _children() <= before:  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children() <= before


async def test_more_requests_than_may_wait_are_refused() -> None:
    """With all places taken a request is told to come again."""
    made = engine(number=1, queue=0)
    first = asyncio.create_task(made.draw(request(TEA, size=(512, 512)), None))
    await asyncio.sleep(0)
    with pytest.raises(RixinError) as caught:
        await made.draw(request(TEA, size=(512, 512)), None)
    assert caught.value.kind is Kind.QUEUE_FULL
    assert len((await first).images) == 1


def _children() -> set[str]:
    """Our child processes: those that draw, and what fixtures of other tests keep running."""
    found: set[str] = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                with open(f"/proc/{entry.name}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - as /proc has it
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                found.add(entry.name)
    return found
