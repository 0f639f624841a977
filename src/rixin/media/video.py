"""Looks at videos, and takes images from them. Runs in a decoder process only.

The packets are counted before one is decoded: what a container says of its length and rate is not believed. Then only
those packets are decoded that lead to an image which is wanted.
"""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from io import BytesIO
from typing import Final, NamedTuple, cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from rixin.media.images import encode, reduced
from rixin.media.jobs import Clip, Fault, Frame, Picture, RefusedError, VideoJob, VideoType
from rixin.media.sniff import HEAD, VideoKind, sniff_video

PLUGINS = (AudioStream, SubtitleStream)
"""What PyAV leaves to the first video that has them; a decoder may open no files by then."""
MAX_PIXELS: Final = 4096 * 2304
"""Of a frame."""
MAX_RATE: Final = 240
"""Frames a second."""

_CODECS = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4"})
"""By FFmpeg's names. Others are never opened: FFmpeg has hundreds, and holes are found in the rare ones."""
_BUDGET: Final = 1500 * 1280 * 720
"""Pixels that are decoded for images at their exact instants; beyond it key frames near by do."""
_EDGE: Final = 1024
"""Pixels of the longer edge of a video's images: there are several, and engines see each as an image."""
_TURNS = {90: Image.Transpose.ROTATE_90, -90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180}
_TURNS[-180] = _TURNS[180]
_OPTIONS = {"codec_whitelist": ",".join(sorted(_CODECS)), "max_pixels": str(MAX_PIXELS), "threads": "1"}


class PacketFacts(NamedTuple):
    """What is known of a packet before it is decoded."""

    instant: int
    """When its image is shown, in the stream's time base."""
    key: bool
    """Whether decoding may begin with it."""


class Wanted(NamedTuple):
    """An image to take."""

    first: int
    """The number of the packet that decoding begins with."""
    instant: int


def look_at(data: bytes, job: VideoJob) -> Clip:
    """What a video is, and as many images from it as the job wants, evenly spread.

    Raises:
        RefusedError: It is no video of a kind that is taken, or exceeds a bound.
        Exception: Whatever PyAV raises for a video that is damaged.
    """
    kind = sniff_video(data)
    if kind is None:
        raise RefusedError(Fault.VIDEO_KIND)
    with _open(data, kind) as container:
        stream = _stream(container)
        base = float(stream.time_base or 0)
        packets = _count(container, stream, math.ceil(job.max_seconds * MAX_RATE))
    instants = [packet.instant for packet in packets]
    seconds = (max(instants) - min(instants)) * base if instants else 0.0
    if seconds > job.max_seconds:
        raise RefusedError(Fault.SECONDS, f"{seconds:.1f} s")
    if len(packets) > MAX_RATE * max(seconds, 1.0):
        raise RefusedError(Fault.RATE, f"{len(packets)} frames in {seconds:.1f} s")
    frames: list[Frame] = []
    if job.frames:
        with _open(data, kind) as container:
            stream = _stream(container)
            wanted = choose(packets, job.frames, _BUDGET // (stream.codec_context.width * stream.codec_context.height))
            for frame in _take(container, stream, wanted):
                second = 0.0 if frame.pts is None else (frame.pts - min(instants)) * base
                frames.append(Frame(round(second, 3), _picture(frame, min(job.long_edge, _EDGE))))
        if not frames:
            raise RefusedError(Fault.VIDEO_BROKEN, "no frame")
    return Clip(media_type=_media_type(kind, data), seconds=seconds, size=len(data), frames=tuple(frames))


def _open(data: bytes, kind: VideoKind) -> InputContainer:
    return av.open(BytesIO(data), "r", format=kind, options=_OPTIONS)


def _stream(container: InputContainer) -> VideoStream:
    """The first stream of images, whose codec is then known to be one that is taken."""
    if not container.streams.video:
        raise RefusedError(Fault.VIDEO_BROKEN, "no video stream")
    stream = container.streams.video[0]
    context = stream.codec_context
    if context.name not in _CODECS:
        raise RefusedError(Fault.CODEC, context.name)
    if not 0 < context.width * context.height <= MAX_PIXELS:
        raise RefusedError(Fault.RESOLUTION, f"{context.width}x{context.height}")
    return stream


def _count(container: InputContainer, stream: VideoStream, most: int) -> list[PacketFacts]:
    """All packets, in the order of decoding."""
    packets: list[PacketFacts] = []
    for packet in container.demux(stream):
        if not packet.size:
            continue  # the end
        if len(packets) >= most:
            raise RefusedError(Fault.RATE, f"more than {most} frames")
        instant = packet.pts if packet.pts is not None else packet.dts
        packets.append(PacketFacts(len(packets) if instant is None else instant, packet.is_keyframe))
    return packets


def choose(packets: list[PacketFacts], number: int, budget: int) -> list[Wanted]:
    """Which images to take.

    Args:
        packets: Of the video.
        number: How many images, at most.
        budget: How many frames may be decoded for them; where it does not suffice, key frames are taken.
    """
    keys = [index for index, packet in enumerate(packets) if packet.key] or [0]
    order = sorted(range(len(packets)), key=lambda index: packets[index].instant)
    middles = [order[int((part + 0.5) * len(order) / number)] for part in range(number)] if order else []
    exact = {index: keys[max(bisect_right(keys, index) - 1, 0)] for index in middles}
    last = {first: index for index, first in sorted(exact.items())}
    if sum(index - first + 1 for first, index in last.items()) > budget:
        exact = {first: first for first in exact.values()}
    return [Wanted(first, packets[index].instant) for index, first in exact.items()]


def _take(container: InputContainer, stream: VideoStream, wanted: list[Wanted]) -> Iterator[VideoFrame]:
    """Decodes no more than what leads to the wanted images. The end of a video that is cut off is passed over."""
    waiting = deque(sorted(wanted, key=lambda image: image.instant))
    decoding = False
    for index, packet in enumerate(container.demux(stream)):
        if not waiting:
            return
        if not decoding and packet.size and index < waiting[0].first:
            continue
        decoding = True
        for frame in packet.decode():
            if waiting and (frame.pts is None or frame.pts >= waiting[0].instant):
                waiting.popleft()
                yield frame
        if waiting and waiting[0].first > index + 1:
            decoding = False
            stream.codec_context.flush_buffers()


def _picture(frame: VideoFrame, long_edge: int) -> Picture:
    if frame.width * frame.height > MAX_PIXELS:
        raise RefusedError(Fault.RESOLUTION, f"{frame.width}x{frame.height}")
    width, height = reduced((frame.width, frame.height), long_edge)
    image = cast("Image.Image", frame.to_image(width=width, height=height))  # pyright: ignore[reportUnknownMemberType] - untyped there
    return encode(image, long_edge, lossy=True, turn=_TURNS.get(frame.rotation))


def _media_type(kind: VideoKind, data: bytes) -> VideoType:
    match kind:
        case "mp4":
            return "video/mp4"
        case "avi":
            return "video/x-msvideo"
        case "matroska":
            return "video/webm" if b"webm" in data[:HEAD] else "video/x-matroska"
