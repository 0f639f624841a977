"""Images and videos of whole requests in words, for engines that take none."""

import msgspec
import pytest

from rixin.core.messages import ImagePart, TextPart, ToolResult, VideoPart
from rixin.media.describing import PREFACE
from rixin.media.policy import IMAGES_AS_DATA, TEXT_ONLY, Policy
from rixin.settings import Media
from tests.media.pages import page
from tests.media.resolving import PATH, asking, data_url, opened, refused
from tests.media.samples import image, video, written
from tests.support.hang import HANG

DESCRIBING = Media(decode_timeout=HANG, vision_adapter=True, vision_timeout=HANG)
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
