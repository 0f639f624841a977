"""Documents of whole requests, over real servers and real readers: M7 of the security checklist."""

import base64

import pytest

from rixin.core.messages import DocumentPart, TextPart, ToolResult
from rixin.errors import Kind
from rixin.media.policy import TEXT_ONLY, Policy
from rixin.settings import Media
from tests.media.documents import pdf, word
from tests.media.resolving import Drawer, asking, data_url, refused, resolved
from tests.upstreams.scripted import ScriptedUpstream, answer


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
