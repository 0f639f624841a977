"""Images and videos in words, over the real program: M5 to M7 of the security checklist."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rixin.errors import Kind, RixinError
from rixin.media import describing
from rixin.media.describing import Describer
from rixin.media.jobs import Clip, Fault, Frame, RefusedError, Still
from rixin.media.payload import Payload
from rixin.media.worker import SIGHT, Decoders
from rixin.settings import Media
from tests.media.conftest import ENVIRONMENT
from tests.media.pages import page, photograph
from tests.media.samples import image_job, written
from tests.media.test_images import decoded
from tests.support.hang import HANG

SETTINGS = Media(vision_adapter=True, vision_timeout=HANG)


@pytest.fixture
async def describer() -> AsyncIterator[Describer]:
    """A describer with a process of its own."""
    made = Describer.open(SETTINGS, ENVIRONMENT)
    yield made
    await made.aclose()


def still_of(*lines: str, kind: str = "PNG", size: tuple[int, int] = (900, 420)) -> Still:
    """A page, as it comes out of the decoder."""
    return decoded(written(page(*lines, size=size), kind))


async def test_an_image_in_words(describer: Describer):
    """Format, size, texture, colors, and each line with its place."""
    told = await describer.image(still_of("Quarterly report", "季度报告", kind="WEBP"))
    head, title, *lines = told.splitlines()
    look = "WEBP, 900 x 420 pixels, probably a screenshot, a page or a drawing; "
    assert re.fullmatch(re.escape(look) + r"mostly white #ffffff [89]\d%, red #f[ef]0[01]0[01] \d+%\.", head)
    assert title == "Its words, each line after its [left,top,width,height] in pixels:"
    assert [line.partition("] ")[2] for line in lines] == ["Quarterly report", "季度报告"]
    assert all(len(line.partition("]")[0].split(",")) == 4 for line in lines)


async def test_places_are_those_of_the_whole_image(describer: Describer):
    """However much it was reduced before it was looked at."""
    still = decoded(written(page("Below that", size=(3000, 2000), letters=90)), long_edge=1500)
    assert (still.width, still.height, still.reduced) == (3000, 2000, True)
    told = await describer.image(still)
    left, top, _, height = map(int, told.partition("\n[")[2].partition("]")[0].split(","))
    assert "PNG, 3000 x 2000 pixels" in told
    assert 0 < left < 60
    assert 20 < top < 100
    assert 90 < height < 200


async def test_an_image_without_words_says_so(describer: Describer):
    """Nothing is made up."""
    told = await describer.image(decoded(written(photograph(), "JPEG")))
    assert told.startswith("JPEG, 640 x 480 pixels, probably a photograph; mostly ")
    assert told.endswith("\nNo words were found in it.")


async def test_a_video_in_words(describer: Describer):
    """Some images with their instants; words that stay are told once."""
    first, second = still_of("Chapter one").picture, still_of("Chapter two").picture
    frames = (Frame(0.5, first), Frame(2.0, first), Frame(64.25, second))
    told = await describer.clip(Clip(media_type="video/webm", seconds=70.0, size=1, frames=frames))
    assert told.startswith("video/webm, 1:10.0 long. 3 images from it:\nAt 0:00.5: 900 x 420 pixels, ")
    assert told.count("Chapter one") == 1
    assert "At 0:02.0: 900 x 420 pixels" in told
    assert "The same words as before." in told
    assert told.endswith("Chapter two")


async def test_an_image_that_comes_again_is_described_once(describer: Describer):
    """Conversations bring the same ones with each of their requests."""
    still = still_of("Once")
    told = await describer.image(still)
    for pid in describer.decoders.pids:
        os.kill(pid, signal.SIGKILL)
    assert await describer.image(still) == told


async def test_m5_a_description_that_takes_too_long_is_killed():
    """With its process; the next one gets a new one."""
    describer = Describer(Decoders(ENVIRONMENT, number=1, timeout=HANG, program=SIGHT), SETTINGS)
    await describer.image(still_of("Warm"))
    (pid,) = describer.decoders.pids
    os.kill(pid, signal.SIGSTOP)
    describer.decoders.timeout = 0.2
    with pytest.raises(RefusedError) as caught:
        await describer.image(still_of("Slow"))
    assert caught.value.fault is Fault.RESOURCES
    assert describer.decoders.pids == []
    describer.decoders.timeout = HANG
    assert "Slow" in await describer.image(still_of("Slow"))
    await describer.aclose()


async def test_m5_memory_is_bounded():
    """A process that wants more than it may have is refused, not the server."""
    pool = Decoders(ENVIRONMENT, number=1, timeout=HANG, memory=2**29, program=SIGHT)
    with pytest.raises(RefusedError) as caught:
        async with asyncio.timeout(HANG):
            await Describer(pool, SETTINGS).image(still_of("Large", size=(2000, 2000)))
    assert caught.value.fault in (Fault.RESOURCES, Fault.IMAGE_BROKEN)
    await pool.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_m6_the_program_has_nothing_worth_stealing(monkeypatch: pytest.MonkeyPatch, describer: Describer):
    """No secret of the server's environment, no file that it could open, and limits that it cannot raise."""
    monkeypatch.setenv("RIXIN_SECRET_KEY", "canary")
    await describer.image(still_of("Hello"))
    (pid,) = describer.decoders.pids
    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="utf-8")
    for name in ("Max open files", "Max file size", "Max core file size", "Max processes"):
        (row,) = [line for line in limits.splitlines() if line.startswith(name)]
        assert row.removeprefix(name).split()[:2] == ["0", "0"], row


async def test_m7_a_question_is_answered_in_kind(describer: Describer):
    """It is no decoder of images."""
    with pytest.raises(RefusedError) as caught:
        await describer.decoders.image(image_job(), Payload(written(page("x"))))
    assert caught.value.fault is Fault.IMAGE_BROKEN


def test_what_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch):
    """At the start, with the command that installs it."""
    monkeypatch.setattr(describing, "_PACKAGES", ("rapidocr", "no_such_package"))
    with pytest.raises(RixinError) as caught:
        Describer.open(SETTINGS, ENVIRONMENT)
    assert caught.value.kind is Kind.CONFIGURATION
    assert caught.value.message == (
        "media.vision_adapter is on and no_such_package cannot be imported: "
        "install them with `pip install 'rixin[vision]'`, or set it to false."
    )
