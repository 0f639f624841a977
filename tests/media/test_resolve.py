"""Images and videos of whole requests, over real servers and real decoders: M6 of the security checklist."""

import base64

import pytest

from rixin.core.messages import ImagePart, TextPart, ToolResult, VideoPart
from rixin.core.requests import Change
from rixin.errors import Kind
from rixin.media.jobs import Picture
from rixin.media.policy import TEXT_ONLY, Policy
from rixin.settings import Media
from tests.media.resolving import PATH, Drawer, asking, color_of, data_url, opened, picture_of, refused, resolved
from tests.media.samples import BLUE, RED, image, shown, video
from tests.support.hang import HANG
from tests.upstreams.scripted import ScriptedUpstream, answer

FETCHING = Policy(images="pass", videos="pass")


async def test_a_request_without_media_is_given_back():
    """The same object: nothing is copied, and its upstream's bytes may be relayed."""
    request = asking(TextPart("Hello"))
    async with opened() as resolver:
        assert await resolver.resolve(request, TEXT_ONLY) is request
        assert resolver.decoders.pids == []


async def test_images_become_data_from_every_source():
    """By URL, data URL, raw base64, and file id; words and order stay, and so does the detail."""
    red, blue = image(color=RED), image("JPEG", color=BLUE)
    async with ScriptedUpstream(answer(red, content_type="text/html")) as server:
        request = asking(
            TextPart("one"),
            ImagePart(url=server.url, detail="low"),
            ImagePart(url=data_url(blue, "image/svg+xml")),
            TextPart("two"),
            ImagePart(base64=base64.urlsafe_b64encode(red).decode().rstrip("=")),
            ImagePart(file_id="photo"),
            ImagePart(url="https://rixin.example/v1/files/photo/content?signature=x"),
        )
        result = await resolved(request, files=Drawer(photo=blue))
    parts = result.messages[0].parts
    assert [parts[0], parts[3]] == [TextPart("one"), TextPart("two")]
    assert isinstance(parts[1], ImagePart)
    assert parts[1].detail == "low"
    assert [color_of(parts[index]) for index in (1, 2, 4, 5, 6)] == [RED, BLUE, RED, BLUE, BLUE]
    assert result.changes == (Change("fetch_image", "messages[0].content[1]"),)
    assert result.edited == {"messages"}


async def test_images_of_tool_results_are_resolved():
    """Agents look at screenshots."""
    result = await resolved(
        asking(
            ToolResult(call_id="a", parts=(TextPart("Done."), ImagePart(url=data_url(image("GIF", size=(3000, 30))))))
        )
    )
    (part,) = result.messages[0].parts
    assert isinstance(part, ToolResult)
    assert (part.call_id, part.parts[0]) == ("a", TextPart("Done."))
    assert shown(picture_of(part.parts[1])).size == (2048, 20)
    assert result.changes == (Change("reduce_image", "messages[0].content[0].content[1]"),)


async def test_an_animation_is_told():
    """What the model does not see, the client should know."""
    with_more = image(
        "GIF", save_all=True, append_images=[shown(Picture("image/png", base64.b64encode(image(color=BLUE)).decode()))]
    )
    result = await resolved(asking(ImagePart(url=data_url(with_more))))
    assert result.changes == (Change("still_image", PATH),)


# What an engine takes


async def test_an_engine_that_fetches_is_given_urls():
    """And data, as they are: nobody looks at them."""
    request = asking(
        ImagePart(url="http://10.0.0.1/a.png"),
        ImagePart(url="data:image/png;base64,AAAA"),
        ImagePart(base64="AAAA"),
        VideoPart(url="https://example.com/a.mp4"),
        VideoPart(url="https://example.com/b.mp4"),
    )
    async with opened(Media(max_images=2)) as resolver:
        assert await resolver.resolve(request, FETCHING, Drawer()) is request
        assert await resolver.resolve(asking(ImagePart(file_id="theirs")), FETCHING) == asking(
            ImagePart(file_id="theirs")
        )


async def test_an_engine_that_fetches_is_given_our_files_as_data():
    """It has no way to them."""
    request = asking(ImagePart(file_id="photo"), ImagePart(url="https://example.com/a.png"), VideoPart(file_id="film"))
    film = video()
    result = await resolved(request, FETCHING, Drawer(photo=image(), film=film))
    assert shown(picture_of(result.messages[0].parts[0])).size == (40, 30)
    assert result.messages[0].parts[1:] == (
        ImagePart(url="https://example.com/a.png"),
        VideoPart(url=data_url(film, "video/mp4")),
    )


async def test_an_engine_of_text_refuses_images_and_videos():
    """Before anything is fetched."""
    for part, noun in (
        (ImagePart(url="http://127.0.0.1:1/"), "images"),
        (VideoPart(url="http://127.0.0.1:1/"), "videos"),
    ):
        error = await refused(asking(TextPart("See:"), part), TEXT_ONLY)
        assert (error.kind, error.param) == (Kind.INVALID_REQUEST, "messages[0].content[1]")
        assert error.message == f"invalid messages[0].content[1], this model does not take {noun}."


async def test_images_that_the_profile_puts_words_for_are_left():
    """Nobody fetches what nobody sees."""
    request = asking(ImagePart(url="http://10.0.0.1/a.png"), ImagePart(file_id="gone"))
    assert await resolved(request, Policy(images="leave", videos="refuse"), Drawer()) is request


@pytest.mark.parametrize(
    "part", [ImagePart(url="data:image/png;base64,AA"), ImagePart(base64="AA"), ImagePart(file_id="a")]
)
async def test_an_engine_of_urls_refuses_data(part: ImagePart):
    """It says how an image should come instead."""
    policy = Policy(images="urls", videos="refuse")
    assert (await refused(asking(part), policy)).message == f"invalid {PATH}, this model takes images by URL only."
    by_url = asking(ImagePart(url="https://example.com/a.png"))
    assert await resolved(by_url, policy) is by_url


# Videos


async def test_a_video_becomes_images_with_their_times():
    """For engines that see images only."""
    async with ScriptedUpstream(answer(video(rate=1, frames=100), content_type="text/plain")) as server:
        result = await resolved(asking(VideoPart(url=server.url), TextPart("What happens?")))
    parts = result.messages[0].parts
    assert parts[0] == TextPart("[A video of 1:39.0. 8 images from it follow.]")
    assert [part.text for part in parts[1:-1:2] if isinstance(part, TextPart)] == [
        f"[{time}]" for time in ("0:06.0", "0:18.0", "0:31.0", "0:43.0", "0:56.0", "1:08.0", "1:21.0", "1:33.0")
    ]
    assert all(shown(picture_of(part)).size == (64, 48) for part in parts[2:-1:2])
    assert parts[-1] == TextPart("What happens?")
    assert result.changes == (Change("fetch_video", PATH), Change("sample_video", PATH))


@pytest.mark.parametrize("source", ["url", "data", "spelled otherwise", "file"])
async def test_a_video_is_handed_on_whole(source: str):
    """To engines that see videos but fetch none."""
    film = video()
    otherwise = base64.urlsafe_b64encode(film).decode().rstrip("=") + "\n"
    async with ScriptedUpstream(answer(film)) as server:
        part = {
            "url": VideoPart(url=server.url),
            "data": VideoPart(url=data_url(film, "application/x")),
            "spelled otherwise": VideoPart(url=f"data:;base64,{otherwise}"),
            "file": VideoPart(file_id="film"),
        }[source]
        result = await resolved(asking(part), Policy(images="inline", videos="inline"), Drawer(film=film))
    assert result.messages[0].parts == (VideoPart(url=data_url(film, "video/mp4")),)


async def test_m6_a_video_that_is_too_long_is_refused_before_it_is_handed_on():
    """The bounds are the same for engines that see videos."""
    policy = Policy(images="inline", videos="inline")
    error = await refused(
        asking(VideoPart(url=data_url(video()))), policy, Media(max_video_seconds=1.0, decode_timeout=HANG)
    )
    assert error.message == f"invalid {PATH}, the video is too long."
