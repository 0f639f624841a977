"""Images and videos of whole requests, over real servers and real decoders: M1 to M7 of the security checklist."""

import asyncio
import base64
import os
import re
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest

from rixin.core.cards import ModelCard
from rixin.core.messages import DocumentPart, ImagePart, Message, Part, TextPart, ToolResult, VideoPart
from rixin.core.requests import Change, Generate
from rixin.errors import Kind, RixinError
from rixin.media.allowance import Allowance
from rixin.media.describing import PREFACE, Describer
from rixin.media.fetch import Fetcher, FetchTimeouts
from rixin.media.guard import Guard
from rixin.media.jobs import Picture
from rixin.media.policy import IMAGES_AS_DATA, TEXT_ONLY, Policy
from rixin.media.reading import DocumentReader
from rixin.media.resolve import Resolver
from rixin.media.worker import DOCUMENTS, Decoders
from rixin.settings import Media
from tests.media.conftest import ENVIRONMENT
from tests.media.documents import pdf, word
from tests.media.pages import page
from tests.media.samples import BLUE, RED, image, png_of, shown, video, written
from tests.upstreams.scripted import Cut, Reply, Request, ScriptedUpstream, Send, Stall, Wait, answer, head

HANG = 60.0
"""Seconds after which a test that should have ended counts as hanging."""
CARD = ModelCard(name="model", target="model")
FETCHING = Policy(images="pass", videos="pass")
DESCRIBING = Media(decode_timeout=HANG, vision_adapter=True, vision_timeout=HANG)
PATH = "messages[0].content[0]"


class Drawer:
    """Files of one account."""

    def __init__(self, **files: bytes) -> None:
        self.files: Mapping[str, bytes] = files

    def named_by(self, url: str) -> str | None:
        """Files have a URL with us."""
        found = re.fullmatch(r"https://rixin\.example/v1/files/(\w+)/content\?.*", url)
        return found and found[1]

    async def read(self, file_id: str, allowance: Allowance) -> bytes:
        """What is in it."""
        if file_id not in self.files:
            raise RixinError(Kind.NOT_FOUND, f"there is no file {file_id}")
        allowance.take(len(self.files[file_id]))
        return self.files[file_id]


def asking(*parts: Part) -> Generate:
    """A request of one message."""
    return Generate(model="model", card=CARD, messages=(Message(role="user", parts=parts),))


def data_url(data: bytes, media_type: str = "image/png") -> str:
    """Bytes in a URL."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


@asynccontextmanager
async def opened(settings: Media | None = None, fetch: FetchTimeouts | None = None) -> AsyncGenerator[Resolver, None]:
    """A resolver that may reach the test's servers, and describes where the settings want it."""
    settings = settings or Media(decode_timeout=HANG)
    decoders = Decoders(ENVIRONMENT, timeout=settings.decode_timeout)
    readers = Decoders(ENVIRONMENT, timeout=settings.decode_timeout, program=DOCUMENTS)
    describer = Describer.open(settings, ENVIRONMENT) if settings.vision_adapter else None
    fetcher = Fetcher(Guard(["127.0.0.1"]), fetch)
    try:
        async with asyncio.timeout(HANG):
            yield Resolver(fetcher, decoders, DocumentReader(readers, settings), settings, describer)
    finally:
        if describer is not None:
            await describer.aclose()
        await fetcher.aclose()
        await decoders.aclose()
        await readers.aclose()


async def resolved(request: Generate, policy: Policy = IMAGES_AS_DATA, files: Drawer | None = None) -> Generate:
    """What becomes of a request."""
    async with opened() as resolver:
        return await resolver.resolve(request, policy, files)


async def refused(request: Generate, policy: Policy = IMAGES_AS_DATA, settings: Media | None = None) -> RixinError:
    """Why a request is not answered."""
    async with opened(settings) as resolver:
        with pytest.raises(RixinError) as caught:
            await resolver.resolve(request, policy, Drawer())
    return caught.value


def picture_of(part: Part) -> Picture:
    """The picture that a part has become."""
    assert isinstance(part, ImagePart)
    assert (part.base64, part.file_id) == (None, None)
    found = re.fullmatch(r"data:(image/png|image/jpeg);base64,(.+)", part.url or "")
    assert found is not None
    return msgspec.convert({"media_type": found[1], "data": found[2]}, Picture)


def color_of(part: Part) -> tuple[int, ...]:
    """The color of a picture, by its strongest channels."""
    color = shown(picture_of(part)).getpixel((5, 5))
    assert isinstance(color, tuple)
    return tuple(round(value / 255) * 255 for value in color)


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


async def test_the_same_image_is_fetched_once():
    """A conversation holds it again and again; each place is told."""
    async with ScriptedUpstream(answer(image())) as server:
        result = await resolved(asking(ImagePart(url=server.url), TextPart("and"), ImagePart(url=server.url)))
    assert len(server.requests) == 1
    assert result.messages[0].parts[0] == result.messages[0].parts[2]
    assert [change.field for change in result.changes] == [PATH, "messages[0].content[2]"]


async def test_fetches_of_a_request_run_side_by_side():
    """Six at a time: none waits for the one before."""
    go, six = asyncio.Event(), asyncio.Event()

    def reply(_request: Request) -> Reply:
        if len(server.requests) == 6:
            six.set()
        return [Wait(go), *answer(image())]

    async with ScriptedUpstream(reply) as server, opened() as resolver:
        parts = [ImagePart(url=f"{server.url}/{number}") for number in range(8)]
        task = asyncio.create_task(resolver.resolve(asking(*parts), IMAGES_AS_DATA))
        await six.wait()
        assert server.connections == 6
        go.set()
        assert len((await task).messages[0].parts) == 8


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


# Limits


async def test_m5_so_many_images_and_no_more():
    """None is fetched when there are too many."""
    parts = [ImagePart(url="http://127.0.0.1:1/")] * 4
    error = await refused(asking(*parts), settings=Media(max_images=3))
    assert error.message == "invalid messages, they should hold at most 3 images."
    error = await refused(asking(*[VideoPart(url="http://127.0.0.1:1/")] * 2))
    assert error.message == "invalid messages, they should hold at most 1 videos."


@pytest.mark.parametrize("source", ["url", "data", "base64", "file"])
async def test_m5_so_many_bytes_and_no_more(source: str):
    """Of all images together, wherever they come from; the limit itself is not too many."""
    data = image("BMP")
    text = base64.b64encode(data).decode()
    async with ScriptedUpstream(answer(data)) as server, opened(Media(max_bytes=len(data) + 1)) as resolver:
        parts = {
            "url": (ImagePart(url=f"{server.url}/1"), ImagePart(url=f"{server.url}/2")),
            "data": (ImagePart(url=data_url(data)), ImagePart(url=data_url(data), detail="low")),
            "base64": (ImagePart(base64=text), ImagePart(base64=text, detail="low")),
            "file": (ImagePart(file_id="photo"), ImagePart(file_id="photo", detail="low")),
        }[source]
        assert await resolver.resolve(asking(parts[0]), IMAGES_AS_DATA, Drawer(photo=data))
        with pytest.raises(RixinError) as caught:
            await resolver.resolve(asking(*parts), IMAGES_AS_DATA, Drawer(photo=data))
    assert caught.value.kind is Kind.INVALID_REQUEST
    assert caught.value.message.startswith("invalid messages, the images and videos should be no larger than ")


# Errors


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


async def test_one_failure_ends_the_others():
    """What they would bring is not needed any more."""

    def reply(request: Request) -> Reply:
        return [Wait(stalled), *answer(b"", status=500)] if request.path.endswith("bad") else stall()

    def stall() -> Reply:
        stalled.set()
        return [Send(head(content_length="10")), Stall()]

    stalled = asyncio.Event()
    async with ScriptedUpstream(reply) as server:
        error = await refused(asking(ImagePart(url=f"{server.url}/bad"), ImagePart(url=f"{server.url}/slow")))
        assert error.message == "image down failed"
        async with asyncio.timeout(HANG):
            await server.left.wait()


async def test_a_client_that_leaves_ends_all():
    """Its fetches are broken off, and its jobs given up."""
    async with ScriptedUpstream([Send(head(content_length="10")), Stall()]) as server, opened() as resolver:
        task = asyncio.create_task(resolver.resolve(asking(ImagePart(url=server.url)), IMAGES_AS_DATA))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left.wait()


async def test_a_full_queue_is_told():
    """The request may come again."""
    async with opened() as resolver:
        await resolver.decoders.aclose()
        resolver.decoders = Decoders(ENVIRONMENT, number=1, queue=0, timeout=HANG)
        parts = [ImagePart(url=data_url(image(size=(width, 30)))) for width in (40, 41, 42)]
        with pytest.raises(RixinError) as caught:
            await resolver.resolve(asking(*parts), IMAGES_AS_DATA)
        await resolver.decoders.aclose()
    assert caught.value.kind is Kind.QUEUE_FULL


async def test_m5_m6_hostile_media_leave_others_served(capsys: pytest.CaptureFixture[str]):
    """While bombs are decoded the loop goes on turning; how long it paused is reported."""
    hostile = [
        ImagePart(url=data_url(png_of(50_000, 50_000))),
        ImagePart(url=data_url(image("BMP", size=(3700, 3700)))),
        VideoPart(url=data_url(video(rate=1000, frames=1000) + bytes(40 * 10**6))),
    ]
    pauses: list[float] = []

    async def turn() -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.001)
            pauses.append(loop.time() - before - 0.001)

    async with opened(Media(decode_timeout=HANG, recent_bytes=0)) as resolver:
        turning = asyncio.create_task(turn())
        results = await asyncio.gather(
            *(resolver.resolve(asking(part), IMAGES_AS_DATA) for part in hostile * 3), return_exceptions=True
        )
        turning.cancel()
    assert [isinstance(result, RixinError) for result in results] == [True, False, True] * 3
    pauses.sort()
    with capsys.disabled():
        worst, usual = pauses[-1] * 1000, pauses[len(pauses) * 99 // 100] * 1000
        print(f"\nthe loop paused {worst:.0f} ms at most, {usual:.1f} ms at p99")  # noqa: T201 - a figure to report
    assert pauses[-1] < HANG / 10


async def test_a_request_of_many_images_does_not_stand_in_its_own_way():
    """They are decoded a few at a time, however few may wait."""
    async with opened() as resolver:
        await resolver.decoders.aclose()
        resolver.decoders = Decoders(ENVIRONMENT, number=2, queue=4, timeout=HANG)
        parts = [ImagePart(url=data_url(image(size=(width, 30)))) for width in range(40, 60)]
        result = await resolver.resolve(asking(*parts), IMAGES_AS_DATA)
        assert [shown(picture_of(part)).size[0] for part in result.messages[0].parts] == list(range(40, 60))


async def test_an_image_that_comes_again_is_decoded_once():
    """With the next request of its conversation; it is fetched again, for it may be another one by now."""
    colors = iter([RED, RED, BLUE])
    async with ScriptedUpstream(lambda _: answer(image(color=next(colors)))) as server, opened() as resolver:
        request = asking(ImagePart(url=server.url))
        first = await resolver.resolve(request, IMAGES_AS_DATA)
        (pid,) = resolver.decoders.pids
        os.kill(pid, signal.SIGSTOP)  # nothing can be decoded
        assert await resolver.resolve(request, IMAGES_AS_DATA) == first
        os.kill(pid, signal.SIGCONT)
        assert color_of((await resolver.resolve(request, IMAGES_AS_DATA)).messages[0].parts[0]) == BLUE


async def test_documents_become_words_from_every_source():
    """By URL, data URL, base64 and file id, in results of tools too; what is words already stays."""
    words = DocumentPart(text="Plain.", name="plain")
    call = ToolResult(call_id="1", parts=(DocumentPart(base64=base64.b64encode(word("In a tool.")).decode()),))
    async with ScriptedUpstream(answer(pdf("Fetched"), content_type="image/png")) as server:
        request = asking(
            words,
            DocumentPart(url=server.url, name="a.pdf"),
            DocumentPart(url=data_url(b"Text.", "application/pdf")),
            DocumentPart(file_id="paper"),
            call,
        )
        result = await resolved(request, TEXT_ONLY, Drawer(paper=pdf("Kept")))
    first, *parts, tool = result.messages[0].parts
    assert first is words
    assert [part.text for part in parts if isinstance(part, DocumentPart)] == [
        "[Page 1]\nFetched",
        "Text.",
        "[Page 1]\nKept",
    ]
    assert isinstance(parts[0], DocumentPart)
    assert (parts[0].name, parts[0].media_type) == ("a.pdf", "text/plain")
    assert isinstance(tool, ToolResult)
    assert tool.parts == (DocumentPart(text="In a tool.", media_type="text/plain"),)
    assert [(change.name, change.field) for change in result.changes] == [
        ("fetch_document", "messages[0].content[1]"),
        ("read_document", "messages[0].content[1]"),
        ("read_document", "messages[0].content[2]"),
        ("read_document", "messages[0].content[3]"),
        ("read_document", "messages[0].content[4].content[0]"),
    ]


async def test_documents_go_as_data_where_that_is_taken():
    """What is data already is not touched; what is ours is put in its place."""
    policy = Policy(images="refuse", videos="refuse", documents="inline")
    held = asking(DocumentPart(base64="JVBERi0="), DocumentPart(url=data_url(b"x", "text/plain")))
    assert await resolved(held, policy) is held
    result = await resolved(asking(DocumentPart(file_id="paper", name="a.pdf")), policy, Drawer(paper=pdf("Kept")))
    data = base64.b64encode(pdf("Kept")).decode()
    assert result.messages[0].parts == (DocumentPart(base64=data, name="a.pdf", media_type="application/pdf"),)


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (DocumentPart(base64="AAEC/w=="), "a document should be PDF, DOCX or text in UTF-8"),
        (DocumentPart(base64="*"), "it is not base64"),
        (DocumentPart(base64=base64.b64encode(pdf("")).decode()), "the document holds no text"),
        (DocumentPart(url="http://10.255.255.254/a.pdf"), "document down failed"),
        (DocumentPart(url="file:///etc/passwd"), "http"),
    ],
)
async def test_m7_documents_that_are_not_read_name_their_place(part: DocumentPart, words: str):
    """And nothing of ours."""
    error = await refused(asking(TextPart("x"), part), TEXT_ONLY)
    assert (error.kind, error.param) == (Kind.INVALID_REQUEST, "messages[0].content[1]")
    assert words in error.message


async def test_q5_a_request_has_so_many_documents():
    """Before any is read."""
    error = await refused(asking(*[DocumentPart(base64="eA==")] * 3), TEXT_ONLY, Media(max_documents=2))
    assert error.message == "invalid messages, they should hold at most 2 documents."


LEAVING = Policy(images="leave", videos="refuse")


@pytest.mark.parametrize("policy", [TEXT_ONLY, LEAVING])
async def test_images_are_described_to_engines_that_take_none(policy: Policy):
    """As one text before what the user says, with a name in each one's place; the changes say so."""
    first, second = (data_url(written(page(words))) for words in ("Gate 12 closes", "登机口"))
    request = asking(TextPart("Which gate?"), ImagePart(url=first), TextPart("And this?"), ImagePart(url=second))
    async with opened(DESCRIBING) as resolver:
        result = await resolver.resolve(request, policy)
    block, *rest = result.messages[0].parts
    assert rest == [TextPart("Which gate?"), TextPart("[Image 1]"), TextPart("And this?"), TextPart("[Image 2]")]
    assert isinstance(block, TextPart)
    preface, one, two = block.text.split("\n\n", 2)
    assert preface == f"[{PREFACE}"
    assert one.startswith("Image 1: PNG, 900 x 420 pixels, probably a screenshot, a page or a drawing; mostly white")
    assert one.endswith("] Gate 12 closes")
    assert two.startswith("Image 2: PNG, 900 x 420 pixels")
    assert two.endswith("] 登机口]\n\n")
    assert [(change.name, change.field) for change in result.changes] == [
        ("describe_image", "messages[0].content[1]"),
        ("describe_image", "messages[0].content[3]"),
    ]


async def test_images_that_tools_bring_are_described_there():
    """Before what else the tool says."""
    picture = ImagePart(url=data_url(written(page("Exit left"))))
    request = asking(ToolResult(call_id="1", parts=(TextPart("A sign:"), picture)), TextPart("Where to?"))
    async with opened(DESCRIBING) as resolver:
        tool, question = (await resolver.resolve(request, TEXT_ONLY)).messages[0].parts
    assert isinstance(tool, ToolResult)
    block, *rest = tool.parts
    assert isinstance(block, TextPart)
    assert "] Exit left]" in block.text
    assert rest == [TextPart("A sign:"), TextPart("[Image 1]")]
    assert question == TextPart("Where to?")


async def test_videos_are_described_to_engines_that_take_none():
    """As images from them."""
    async with opened(DESCRIBING) as resolver:
        result = await resolver.resolve(asking(VideoPart(url=data_url(video()))), TEXT_ONLY)
    block, place = result.messages[0].parts
    assert isinstance(block, TextPart)
    assert "Video 1: video/mp4, 0:02.9 long. 8 images from it:\nAt 0:00.1: 64 x 48 pixels" in block.text
    assert place == TextPart("[Video 1]")
    assert [(change.name, change.field) for change in result.changes] == [
        ("sample_video", PATH),
        ("describe_video", PATH),
    ]


async def test_engines_that_take_images_are_given_them():
    """Nothing is described that can be seen."""
    async with opened(DESCRIBING) as resolver:
        result = await resolver.resolve(asking(ImagePart(url=data_url(image()))), IMAGES_AS_DATA)
    assert isinstance(result.messages[0].parts[0], ImagePart)
    assert result.changes == ()


async def test_q5_so_many_images_are_described():
    """Before any is looked at."""
    parts = [ImagePart(url=data_url(image()))] * 3
    settings = msgspec.structs.replace(DESCRIBING, max_described_images=2)
    error = await refused(asking(*parts), TEXT_ONLY, settings)
    assert error.message == "invalid messages, they should hold at most 2 images."
