"""Videos, as decoders look at them: M6 of the security checklist. The real thing, within this process."""

import os
from contextlib import suppress
from typing import Any

import pytest
from av.error import FFmpegError
from PIL import Image

from rixin.media.jobs import Clip, Fault, RefusedError
from rixin.media.sniff import sniff_video
from rixin.media.video import MAX_RATE, PacketFacts, Wanted, choose, look_at
from tests.media.samples import frame_color, image, shown, video, video_job


def looked_at(data: bytes, **options: Any) -> Clip:
    """What is seen of a video."""
    return look_at(data, video_job(**options))


def refused(data: bytes, **options: Any) -> Fault:
    """Why a video is not looked at."""
    with pytest.raises(RefusedError) as caught:
        looked_at(data, **options)
    return caught.value.fault


def test_making_a_video_makes_no_test_a_real_time_process():
    """The encoder of AV1 does that to whoever calls it, if it may."""
    before = os.sched_getscheduler(0)
    video("libsvtav1")
    assert os.sched_getscheduler(0) == before


@pytest.mark.parametrize(
    ("codec", "container", "media_type"),
    [
        ("libx264", "mp4", "video/mp4"),
        ("libx264", "mov", "video/mp4"),
        ("libx264", "matroska", "video/x-matroska"),
        ("libx265", "mp4", "video/mp4"),
        ("libvpx", "webm", "video/webm"),
        ("libvpx-vp9", "webm", "video/webm"),
        ("libsvtav1", "mp4", "video/mp4"),
        ("mpeg4", "avi", "video/x-msvideo"),
        ("mpeg4", "mp4", "video/mp4"),
    ],
)
def test_images_are_taken_from_all_of_a_video(codec: str, container: str, media_type: str):
    """Evenly, in their order, and each is the one of its second."""
    data = video(codec, container)
    clip = looked_at(data, frames=5)
    assert clip.media_type == media_type
    assert clip.size == len(data)
    assert clip.seconds == pytest.approx(2.9, abs=0.05)
    assert [frame.second for frame in clip.frames] == pytest.approx([0.3, 0.9, 1.5, 2.1, 2.7], abs=0.11)
    for frame in clip.frames:
        pixels = shown(frame.picture)
        assert pixels.size == (64, 48)
        color = pixels.getpixel((32, 24))
        assert color == pytest.approx(frame_color(round(frame.second * 10), 30), abs=20)


def test_sound_beside_the_images_is_passed_over():
    """Its codec is none that is opened."""
    assert len(looked_at(video(sound=True)).frames) == 8


def test_a_video_of_fewer_images_gives_them_all():
    """Each once."""
    assert [frame.second for frame in looked_at(video(frames=3), frames=8).frames] == pytest.approx([0, 0.1, 0.2])
    assert len(looked_at(video(frames=1), frames=8).frames) == 1


def test_a_look_may_take_no_images():
    """For engines that take the video itself, only its bounds are looked after."""
    clip = looked_at(video(), frames=0)
    assert clip.frames == ()
    assert clip.seconds == pytest.approx(2.9)


@pytest.mark.parametrize("turned", [90, -90, 180])
def test_a_video_is_set_upright(turned: int):
    """Phones write how they were held beside the video."""
    size = shown(looked_at(video(turned=turned), frames=1).frames[0].picture).size
    assert size == ((64, 48) if turned == 180 else (48, 64))


def test_images_of_a_video_are_reduced():
    """There are several of them, so that each is smaller than an image that comes alone."""
    data = video(frames=2, size=(1920, 1080))
    assert shown(looked_at(data, frames=1).frames[0].picture).size == (1024, 576)
    assert shown(looked_at(data, frames=1, long_edge=512).frames[0].picture).size == (512, 288)


def test_m6_what_is_too_much_to_decode_gives_key_frames():
    """Where all that leads to the instants would cost too much, the images that stand for themselves are taken."""
    packets = [PacketFacts(instant=index, key=index % 50 == 0) for index in range(100)]
    exact = [Wanted(first=0, instant=12), Wanted(0, 37), Wanted(50, 62), Wanted(50, 87)]
    assert choose(packets, 4, budget=38 + 38) == exact
    assert choose(packets, 4, budget=38 + 37) == [Wanted(0, 0), Wanted(50, 50)]


@pytest.mark.parametrize(
    ("codec", "container", "pixels"),
    [("mjpeg", "mp4", "yuvj420p"), ("jpeg2000", "mov", "yuv420p"), ("png", "mov", "rgb24"), ("ffv1", "avi", "yuv420p"),
     ("mpeg2video", "matroska", "yuv420p"), ("rawvideo", "avi", "yuv420p")],
    ids=lambda value: f"M6 {value}",
)  # fmt: skip
def test_m6_only_common_codecs_are_opened(codec: str, container: str, pixels: str):
    """JPEG 2000 within a video has been a way into servers."""
    assert refused(video(codec, container, pixels=pixels, rate=25)) is Fault.CODEC


DISGUISED = {
    "M6 playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
    "M6 concat": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "M6 DASH": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>',
    "M6 SDP": b"v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "M6 image": image("JPEG"),
    "M6 JPEGs one after the other": image("JPEG") * 1000,
    "M6 GIF": image("GIF"),
    "M6 HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
    "M6 MPEG transport stream": video(container="mpegts"),
    "M6 Flash video": video("flv", "flv"),
    "M6 nothing": b"",
}


@pytest.mark.parametrize("data", DISGUISED.values(), ids=DISGUISED.keys())
def test_m6_what_is_no_video_of_four_kinds_is_refused(data: bytes):
    """By its first bytes: nothing that names other files, and nothing that is guessed at."""
    assert refused(data) is Fault.VIDEO_KIND


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_m6_the_duration_is_counted(container: str):
    """From the packets, whatever the head says."""
    data = video("mpeg4", container, frames=31)
    assert looked_at(data, max_seconds=3.0, frames=0).seconds == pytest.approx(3.0, abs=0.01)
    assert refused(data, max_seconds=2.9) is Fault.SECONDS


def test_m6_the_rate_is_counted():
    """A video of a second holds no thousand images."""
    assert refused(video(frames=MAX_RATE + 60, rate=1000)) is Fault.RATE


def test_m6_frames_are_counted_before_they_are_decoded():
    """More than the longest video of the highest rate may have end the count."""
    assert refused(video(frames=250, rate=10), max_seconds=1.0) is Fault.RATE


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_m6_the_resolution_is_bounded(codec: str):
    """Before anything is decoded."""
    assert refused(video(codec, frames=1, size=(4096, 2320))) is Fault.RESOLUTION


def test_m6_a_resolution_that_grows_is_bounded():
    """What the head of the container says, the frames need not keep to."""
    small, large = (
        video("libvpx", "webm", frames=1, size=(64, 48)),
        video("libvpx", "webm", frames=1, size=(4112, 2400)),
    )
    head = small[: small.index(b"\x1f\x43\xb6\x75")]
    assert sniff_video(head) == "matroska"
    with pytest.raises(Exception):  # noqa: B017, PT011 - of PyAV's or ours, the border knows both
        looked_at(head + large[large.index(b"\x1f\x43\xb6\x75") :])


def test_m6_sound_alone_is_no_video():
    """There is nothing to see in it."""
    with pytest.raises(RefusedError) as caught:
        looked_at(video(sound=True, frames=0))
    assert caught.value.fault is Fault.VIDEO_BROKEN


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
@pytest.mark.parametrize("share", [0.001, 0.01])
def test_m6_a_video_without_images_is_refused(container: str, share: float):
    """A head alone shows nothing."""
    data = video("mpeg4", container, frames=100)
    with pytest.raises(Exception):  # noqa: B017, PT011 - of PyAV's or ours, the border knows both
        looked_at(data[: int(len(data) * share)])


def test_a_video_that_is_cut_off_gives_what_is_there():
    """A stream that broke off is a shorter one."""
    data = video("libvpx", "webm", frames=100)
    assert looked_at(data[: len(data) // 2]).seconds < 8


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_m6_noise_within_a_video_hurts_nobody(container: str):
    """It gives images, or an error, and both in time."""
    data = bytearray(video("mpeg4", container, frames=100))
    for position in range(2000, len(data), 97):
        data[position] ^= 0xFF
    with suppress(FFmpegError, RefusedError):
        assert looked_at(bytes(data)).frames


def test_a_video_without_a_length_is_looked_at():
    """Browsers record WebM without saying how long it will be."""
    data = video("libvpx", "webm", live="1")
    assert looked_at(data, frames=5).seconds == pytest.approx(2.9, abs=0.05)


def test_images_of_a_video_hold_nothing_else():
    """No metadata comes along."""
    picture = looked_at(video(), frames=1).frames[0].picture
    assert isinstance(shown(picture), Image.Image)
    assert not shown(picture).getexif()
