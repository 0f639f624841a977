"""The processes that decode: M5, M6 and M7 of the security checklist, across the border of a process."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from rixin.errors import Kind, RixinError
from rixin.media.jobs import ENCODER, PREFIX, Fault, ImageJob, RefusedError
from rixin.media.payload import Payload
from rixin.media.worker import Decoders
from tests.media.conftest import ENVIRONMENT
from tests.media.samples import image, image_job, png_bomb, png_of, shown, video, video_job
from tests.support.hang import HANG

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


async def refused(decoders: Decoders, data: bytes, **options: Any) -> RefusedError:
    """Why an image is not decoded."""
    with pytest.raises(RefusedError) as caught:
        async with asyncio.timeout(HANG):
            await decoders.image(image_job(**options), Payload(data))
    return caught.value


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has asked after yet counts as well."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and ") Z" in status.read_text()


async def test_images_and_videos_are_decoded(decoders: Decoders):
    """By the same process, one after the other."""
    still = await decoders.image(image_job(), Payload(image("JPEG")))
    assert shown(still.picture).size == (40, 30)
    pids = decoders.pids
    clip = await decoders.video(video_job(frames=4), Payload(video(sound=True)))
    assert [shown(frame.picture).size for frame in clip.frames] == [(64, 48)] * 4
    assert decoders.pids == pids


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP"])
async def test_every_kind_is_decoded_in_confinement(decoders: Decoders, kind: str):
    """What a kind needs of the libraries is there before files are out of reach."""
    assert shown((await decoders.image(image_job(), Payload(image(kind)))).picture).size == (40, 30)


@pytest.mark.parametrize(
    ("codec", "container"),
    [("libx264", "mp4"), ("libx265", "mp4"), ("libvpx-vp9", "webm"), ("libsvtav1", "mp4"), ("mpeg4", "avi")],
)
async def test_every_codec_is_decoded_in_confinement(decoders: Decoders, codec: str, container: str):
    """Without threads and files of its own."""
    assert len((await decoders.video(video_job(), Payload(video(codec, container)))).frames) == 8


async def test_base64_is_decoded_apart(decoders: Decoders):
    """The server does not spend its time on it."""
    still = await decoders.image(
        image_job(base64=True), Payload("R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw")
    )
    assert shown(still.picture).getpixel((0, 0)) == (255, 0, 0)
    assert (await refused(decoders, b"no base64!", base64=True)).fault is Fault.BASE64


async def test_bytes_are_counted_once_more(decoders: Decoders):
    """Text says less exactly than bytes how many there are."""
    assert (await refused(decoders, bytes(1001), max_bytes=1000)).fault is Fault.BYTES


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (png_of(50_000, 50_000), Fault.PIXELS),
        (image("JPEG")[:300], Fault.IMAGE_BROKEN),
        (b"<svg/>", Fault.IMAGE_KIND),
        (video(), Fault.IMAGE_KIND),
    ],
    ids=["M5 50k x 50k PNG", "M5 truncated", "M5 SVG", "M5 video for an image"],
)
async def test_m5_a_refusal_costs_no_decoder(decoders: Decoders, data: bytes, fault: Fault):
    """The process goes on with the next."""
    assert (await refused(decoders, data)).fault is fault
    pids = decoders.pids
    await decoders.image(image_job(), Payload(image()))
    assert decoders.pids == pids


@linux
async def test_m5_a_bomb_that_takes_too_much_memory_is_refused():
    """The limit is the process's; the server's memory is not touched."""
    decoders = Decoders(ENVIRONMENT, timeout=HANG, memory=400 * 2**20)
    assert (await refused(decoders, png_bomb())).fault is Fault.RESOURCES
    assert await decoders.image(image_job(), Payload(image()))
    await decoders.aclose()


async def test_m5_the_largest_image_that_may_be_is_decoded(decoders: Decoders):
    """The memory that decoders have suffices for what the settings allow."""
    still = await decoders.image(image_job(), Payload(png_bomb()))
    assert shown(still.picture).size == (2048, 2048)


async def test_m6_a_decoder_that_takes_too_long_is_killed():
    """The next job gets a new one."""
    decoders = Decoders(ENVIRONMENT, number=1, timeout=HANG)
    await decoders.image(image_job(), Payload(image()))
    (pid,) = decoders.pids
    os.kill(pid, signal.SIGSTOP)  # as one that hangs within a library
    decoders.timeout = 0.2
    assert (await refused(decoders, image())).fault is Fault.RESOURCES
    assert gone(pid)
    decoders.timeout = HANG
    assert await decoders.image(image_job(), Payload(image()))
    assert decoders.pids != [pid]
    await decoders.aclose()


@linux
async def test_m6_a_decoder_that_computes_too_long_is_ended_by_the_system():
    """Also where its parent would not come to it."""
    decoders = Decoders(ENVIRONMENT, number=1, timeout=HANG)
    slow = png_bomb()
    assert (await refused(decoders, slow, cpu_seconds=-1)).fault is Fault.RESOURCES
    assert await decoders.image(image_job(), Payload(slow))
    await decoders.aclose()


async def test_a_decoder_that_died_is_replaced(decoders: Decoders):
    """Nobody's job is lost for it."""
    await decoders.image(image_job(), Payload(image()))
    (pid,) = decoders.pids
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(HANG):
        while decoders.pids:  # noqa: ASYNC110 - the pool tells nobody
            await asyncio.sleep(0.01)
    assert await decoders.image(image_job(), Payload(image()))
    assert decoders.pids != [pid]


async def test_a_decoder_whose_client_left_is_killed():
    """Nobody waits for what it would say."""
    decoders = Decoders(ENVIRONMENT, number=1, timeout=HANG)
    await decoders.image(image_job(), Payload(image()))
    (pid,) = decoders.pids
    os.kill(pid, signal.SIGSTOP)
    task = asyncio.create_task(decoders.image(image_job(), Payload(image())))
    for _ in range(5):
        await asyncio.sleep(0)  # it asks within a few turns of the loop
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone(pid)
    assert decoders.pids == []
    await decoders.aclose()


async def test_so_many_wait_and_no_more():
    """One more is told to come back."""
    decoders = Decoders(ENVIRONMENT, number=1, queue=1, timeout=HANG)
    tasks = [asyncio.create_task(decoders.image(image_job(), Payload(image()))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(RixinError) as caught:
        await decoders.image(image_job(), Payload(image()))
    assert caught.value.kind is Kind.QUEUE_FULL
    assert caught.value.retry_after
    assert len(await asyncio.gather(*tasks)) == 2
    assert await decoders.image(image_job(), Payload(image()))
    await decoders.aclose()


async def test_decoders_work_side_by_side():
    """As many as there may be, and no more processes."""
    decoders = Decoders(ENVIRONMENT, number=2, timeout=HANG)
    assert len(await asyncio.gather(*(decoders.image(image_job(), Payload(image())) for _ in range(6)))) == 6
    assert len(decoders.pids) == 2
    await decoders.aclose()


async def test_a_decoder_without_work_ends():
    """It takes no memory for long."""
    decoders = Decoders(ENVIRONMENT, timeout=HANG, idle=0.05)
    await decoders.image(image_job(), Payload(image()))
    async with asyncio.timeout(HANG):
        while decoders.pids:  # noqa: ASYNC110 - a timer of the pool's own
            await asyncio.sleep(0.01)
    assert await decoders.image(image_job(), Payload(image()))
    await decoders.aclose()


async def test_closing_ends_all():
    """At once, also those that work."""
    decoders = Decoders(ENVIRONMENT, number=2, timeout=HANG)
    await asyncio.gather(*(decoders.image(image_job(), Payload(image())) for _ in range(2)))
    pids = decoders.pids
    await decoders.aclose()
    assert all(gone(pid) for pid in pids)


@linux
async def test_m6_a_decoder_has_nothing_worth_stealing(monkeypatch: pytest.MonkeyPatch):
    """No secret of the server's environment, no open file, no terminal, no core dump, and limits it cannot raise."""
    monkeypatch.setenv("RIXIN_SECRET_KEY", "canary")
    decoders = Decoders(ENVIRONMENT, number=1, timeout=HANG)
    await decoders.image(image_job(), Payload(image()))
    process = Path("/proc") / str(decoders.pids[0])
    assert b"canary" not in (process / "environ").read_bytes()
    targets = {str(entry.readlink()) for entry in (process / "fd").iterdir()}
    assert all(target.startswith(("pipe:", "socket:", "/dev/null", "anon_inode:")) for target in targets)
    limits = {line[:26].strip(): line[26:].split()[:2] for line in (process / "limits").read_text().splitlines()}
    assert limits["Max address space"] == [str(2**30)] * 2
    for name in ("Max core file size", "Max file size", "Max open files", "Max processes"):
        assert limits[name] == ["0", "0"]
    assert limits["Max cpu time"][0] != "unlimited"
    assert os.getsid(decoders.pids[0]) != os.getsid(0)
    await decoders.aclose()


def framed(message: bytes) -> bytes:
    """A message as it travels."""
    return PREFIX.pack(len(message), 0) + message


async def test_m7_an_answer_that_is_none_is_not_believed(tmp_path: Path):
    """A decoder that was taken over can only be wrong about an image."""
    still = {"type": "still", "picture": ["image/png", "AAAA"], "size": 1, "reduced": False, "animated": False}
    answers = {
        "no message": framed(b"hello"),
        "enormous": b"\xff\xff\xff\xff\x00\x00\x00\x00",
        "nothing": b"",
        "a type of its own": framed(ENCODER.encode(still | {"picture": ["text/html", "AAAA"]})),
        "no base64": framed(ENCODER.encode(still | {"picture": ["image/png", 'AA"><script>']})),
        "words of its own": framed(ENCODER.encode({"type": "refusal", "fault": "evil", "detail": ""})),
    }
    for name, answer in answers.items():
        script = tmp_path / "taken_over.py"
        script.write_text(f"import os; os.read(0, 10**6); os.write(1, {answer!r})")
        environment = ENVIRONMENT | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
        decoders = Decoders(environment, timeout=HANG, program="taken_over")
        error = await refused(decoders, image())
        assert error.fault is Fault.RESOURCES, name
        await decoders.aclose()


async def test_a_question_is_answered_in_kind(decoders: Decoders):
    """The jobs of images and videos are two things."""
    assert isinstance(image_job(), ImageJob)
    with pytest.raises(RefusedError) as caught:
        await decoders.video(video_job(), Payload(image()))
    assert caught.value.fault is Fault.VIDEO_KIND


async def test_a_decoder_does_not_outlive_its_server():
    """Also where the server was killed and could end nothing."""
    parent = f"""
import asyncio, sys
from rixin.media.payload import Payload
from rixin.media.worker import Decoders
from tests.media.samples import image, image_job

async def main():
    decoders = Decoders({ENVIRONMENT!r}, timeout={HANG})
    await decoders.image(image_job(), Payload(image()))
    print(decoders.pids[0], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(HANG):
        pid = int(await process.stdout.readline())
        process.kill()
        await process.wait()
        while not gone(pid):  # noqa: ASYNC110 - it is nobody's child any more
            await asyncio.sleep(0.01)
