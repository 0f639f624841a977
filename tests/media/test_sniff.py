"""What bytes are by how they begin."""

import pytest

from rixin.media.sniff import HEAD, ImageKind, VideoKind, sniff_image, sniff_video
from tests.media.samples import image, video


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_an_image_is_known_by_its_head(kind: ImageKind):
    """And is no video."""
    head = image(kind)[:HEAD]
    assert sniff_image(head) == kind
    assert sniff_video(head) is None


@pytest.mark.parametrize(
    ("container", "kind"),
    [("mp4", "mp4"), ("mov", "mp4"), ("matroska", "matroska"), ("webm", "matroska"), ("avi", "avi")],
)
def test_a_video_is_known_by_its_head(container: str, kind: VideoKind):
    """And is no image."""
    head = video("libvpx" if container == "webm" else "mpeg4", container)[:HEAD]
    assert sniff_video(head) == kind
    assert sniff_image(head) is None


@pytest.mark.parametrize("length", range(12))
def test_half_a_head_is_nothing(length: int):
    """Fewer bytes than a kind has are none of it, and hurt nobody."""
    for data in (b"RIFF\x24\x00\x00\x00WEBP", b"RIFF\x24\x00\x00\x00AVI ", b"\x00\x00\x00\x18ftypisom"):
        assert sniff_image(data[:length]) is None
        assert sniff_video(data[: min(length, 7)]) is None
