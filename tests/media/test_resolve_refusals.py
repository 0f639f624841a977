"""What is told of images and videos that are not had: M1, M4 and M7 of the security checklist."""

import pytest

from rixin.core.messages import ImagePart, Part, VideoPart
from rixin.errors import Kind, RixinError
from tests.media.resolving import PATH, asking, data_url, refused, resolved
from tests.media.samples import image, png_of, video
from tests.upstreams.scripted import Cut, Reply, ScriptedUpstream, Send, answer, head

REASONS: dict[str, Reply | str] = {
    "M7 refused connection": "http://127.0.0.1:1/",
    "M7 private": "http://10.1.2.3/secret",
    "M7 metadata": "http://169.254.169.254/latest/meta-data/iam",
    "M7 a name of this machine": "http://localhost:8700/admin/v1/keys",
    "M7 unknown name": "http://internal.invalid/",
    "M7 404": answer(b"secret", status=404),
    "M7 redirect": [Send(head(302, location="http://10.0.0.1/", content_length="0"))],
    "M7 cut off": [Send(head(content_length="10") + b"secret"), Cut()],
}


@pytest.mark.parametrize("reply", REASONS.values(), ids=REASONS.keys())
async def test_m7_an_image_that_cannot_be_had_is_told_in_three_words(reply: Reply | str):
    """Whatever the reason was: an answer that differs would be a map of our network. The log has it."""
    async with ScriptedUpstream([] if isinstance(reply, str) else reply) as server:
        url = reply if isinstance(reply, str) else server.url
        image_error = await refused(asking(ImagePart(url=url)))
        video_error = await refused(asking(VideoPart(url=url)))
    assert (image_error.kind, image_error.message, image_error.param) == (
        Kind.INVALID_REQUEST,
        "image down failed",
        PATH,
    )
    assert video_error.message == "video down failed"
    assert image_error.detail


async def test_m1_a_url_that_is_none_is_told_as_such():
    """That is wrong with the request itself, and a client can mend it."""
    for url in ("file:///etc/passwd", "http://user@example.com/", "http://2130706433/", "data:image/png,x", ""):
        error = await refused(asking(ImagePart(url=url)))
        assert error.message == f"invalid {PATH}, should be an http or https URL without a user name."


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (ImagePart(base64="no base64!"), "it is not base64"),
        (ImagePart(base64="ÄÖÜ"), "it is not base64"),
        (ImagePart(url=data_url(b"<svg onload=alert(1)>")), "an image should be PNG, JPEG, WebP, GIF or BMP"),
        (ImagePart(url=data_url(png_of(50_000, 50_000))), "the image has too many pixels"),
        (ImagePart(url=data_url(image("JPEG")[:300])), "the image is damaged or cut off"),
        (VideoPart(url=data_url(image())), "a video should be MP4, WebM, Matroska or AVI"),
        (VideoPart(url=data_url(video()[:300])), "the video is damaged or cut off"),
    ],
)
async def test_m7_what_is_wrong_is_told_in_words_of_ours(part: Part, message: str):
    """No library's message, path or address is among them."""
    error = await refused(asking(part))
    assert (error.kind, error.param) == (Kind.INVALID_REQUEST, PATH)
    assert error.message == f"invalid {PATH}, {message}."


async def test_m4_a_page_for_an_image_is_refused():
    """Whatever type it is said to have."""
    async with ScriptedUpstream(answer(b"<html>Sign in</html>", content_type="image/png")) as server:
        error = await refused(asking(ImagePart(url=server.url)))
    assert error.message == f"invalid {PATH}, an image should be PNG, JPEG, WebP, GIF or BMP."


async def test_a_file_that_is_not_there_is_told():
    """In the words of whoever keeps files; without anybody who does there are none."""
    assert (await refused(asking(ImagePart(file_id="gone")))).kind is Kind.NOT_FOUND
    with pytest.raises(RixinError) as caught:
        await resolved(asking(ImagePart(file_id="gone")))
    assert caught.value.message == f"invalid {PATH}, there is no file of this id."
