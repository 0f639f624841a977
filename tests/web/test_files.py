"""Files over HTTP: sent, listed, shown, given back, deleted, by their owner only."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from rixin.accounts.key_rules import KeyWish
from rixin.settings import Files, Server, Settings
from tests.media.samples import image, video
from tests.store.s3_server import s3_server
from tests.support.databases import execute, served_place
from tests.support.hang import HANG
from tests.support.web import Site, site

URL = "https://rixin.example/base"


@pytest.fixture(params=["directory", "s3"])
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Site, None]:
    """An application with little room for files: in a directory, or in a bucket, which is a directory of the server."""
    async with AsyncExitStack() as stack:
        place: dict[str, Any] = {}
        if request.param == "s3":
            bucket = await stack.enter_async_context(s3_server(tmp_path))
            place = {"url": "s3://files/of/rixin", "options": bucket.options}
        files = Files(max_file_bytes=2**20, max_account_bytes=3 * 2**20, max_account_files=20, **place)
        settings = Settings(server=Server(data_dir=tmp_path, public_url=URL), files=files)
        yield await stack.enter_async_context(site(tmp_path, settings))


@pytest.fixture
async def token(served: Site) -> str:
    """A token of an access key."""
    made = await served.keys.create_access_key(KeyWish(name="native"))
    return (await served.keys.mint_token(made.access_key_id)).token


def form(content: bytes, name: str = "file", **fields: str) -> aiohttp.FormData:
    """An upload, its fields before its file."""
    data = aiohttp.FormData(quote_fields=False)
    for field, value in fields.items():
        data.add_field(field, value)
    data.add_field("file", BytesIO(content), filename=name, content_type="application/octet-stream")
    return data


async def call(
    served: Site, method: str, path: str, credential: str | None = None, data: Any = None
) -> tuple[int, Any]:
    """Status and body of an answer; the body is bytes where it is no JSON."""
    headers = {"authorization": f"Bearer {credential or served.key}"}
    async with (
        asyncio.timeout(HANG),
        served.client.request(method, served.url + path, data=data, headers=headers, allow_redirects=False) as response,
    ):
        body = await response.read()
        return response.status, json.loads(body) if response.content_type == "application/json" and body else body


async def send(served: Site, content: bytes, credential: str | None = None, /, **fields: str) -> dict[str, Any]:
    """Sends a file, and gives what is answered."""
    status, body = await call(served, "POST", "/v1/files", credential, form(content, **fields))
    assert status == 200, body
    return body


async def test_a_file_in_openais_shape(served: Site) -> None:
    """Sent, shown, listed, given back and deleted."""
    made = await send(served, b"Hello, file.", purpose="user_data", name="hello.txt")
    assert made["id"].startswith("file-")
    about = {"object": "file", "bytes": 12, "filename": "hello.txt", "purpose": "user_data", "status": "processed"}
    assert about.items() <= made.items()
    assert await call(served, "GET", f"/v1/files/{made['id']}") == (200, made)
    status, listed = await call(served, "GET", "/v1/files")
    assert (status, listed["object"], listed["data"], listed["has_more"]) == (200, "list", [made], False)
    assert await call(served, "GET", f"/v1/files/{made['id']}/content") == (200, b"Hello, file.")
    deleted = {"id": made["id"], "object": "file", "deleted": True}
    assert await call(served, "DELETE", f"/v1/files/{made['id']}") == (200, deleted)
    assert (await call(served, "GET", f"/v1/files/{made['id']}"))[0] == 404
    assert (await call(served, "DELETE", f"/v1/files/{made['id']}"))[0] == 404


async def test_a_file_in_the_native_shape(served: Site, token: str) -> None:
    """At the top level when it is new, under `file` when it is asked for; its content is elsewhere, by a link."""
    made = await send(served, b'{"text_lst": ["x"]}', token, scheme="KNOWLEDGE_BASE_1", description="测试")
    about = {"status": "VALID", "scheme": "KNOWLEDGE_BASE_1", "description": "测试"}
    assert about.items() <= made.items()
    assert await call(served, "GET", f"/v1/files/{made['id']}", token) == (200, {"file": made})
    assert await call(served, "GET", "/v1/files", token) == (200, {"files": [made]})
    headers = {"authorization": f"Bearer {token}"}
    path = f"{served.url}/v1/files/{made['id']}/content"
    async with served.client.get(path, headers=headers, allow_redirects=False) as response:
        assert response.status == 302
        location = response.headers["location"]
    assert location.startswith(f"{URL}/v1/files/{made['id']}/content?expires=")
    async with served.client.get(served.url + location.removeprefix(URL)) as response:
        assert (response.status, await response.read()) == (200, b'{"text_lst": ["x"]}')
    assert await call(served, "DELETE", f"/v1/files/{made['id']}", token) == (200, {})
    async with served.client.get(served.url + location.removeprefix(URL)) as response:
        assert response.status == 404


async def test_a_file_remembers_its_shape(served: Site) -> None:
    """What it was made with decides, not who asks; a list goes by who asks, or by what is asked for."""
    made = await send(served, image(), scheme="MULTIMODAL_1")
    assert "file" in (await call(served, "GET", f"/v1/files/{made['id']}"))[1]
    [listed] = (await call(served, "GET", "/v1/files"))[1]["data"]
    assert (listed["id"], listed["purpose"]) == (made["id"], "vision")
    assert (await call(served, "GET", "/v1/files?shape=native"))[1] == {"files": [made]}
    assert (await call(served, "GET", "/v1/files?shape=round"))[0] == 400
    assert (await call(served, "DELETE", f"/v1/files/{made['id']}"))[1] == {}


async def test_what_a_file_is_for_must_be_said(served: Site, token: str) -> None:
    """By each credential's own field, in its own words."""
    status, body = await call(served, "POST", "/v1/files", None, form(b"x"))
    assert (status, body["error"]["param"]) == (400, "purpose")
    status, body = await call(served, "POST", "/v1/files", token, form(b"x"))
    missed = {"code": 3, "message": "invalid scheme, it is required.", "details": [{"field": "scheme"}]}
    assert (status, body["error"]) == (400, missed)


TEXT, BINARY = b"Words.", b"\x00\x01\xff\xfe"


@pytest.mark.parametrize(
    ("field", "value", "content", "status"),
    [
        ("scheme", "MULTIMODAL_1", lambda: image("PNG"), 200),
        ("scheme", "MULTIMODAL_1", lambda: TEXT, 400),
        ("scheme", "MULTIMODAL_1", video, 400),
        ("scheme", "MULTIMODAL_2", video, 200),
        ("scheme", "MULTIMODAL_2", lambda: image("GIF"), 400),
        ("scheme", "KNOWLEDGE_BASE_1", lambda: b"%PDF-1.7\n", 200),
        ("scheme", "KNOWLEDGE_BASE_1", lambda: BINARY, 400),
        ("scheme", "FINE_TUNE_1", lambda: b"[]", 200),
        ("scheme", "FINE_TUNE_2", lambda: b"%PDF-1.7\n", 400),
        ("scheme", "FINE_TUNE_3", lambda: b"[]", 400),
        ("purpose", "vision", lambda: image("JPEG"), 200),
        ("purpose", "vision", lambda: b"<svg></svg>", 400),
        ("purpose", "batch", lambda: b"{}\n{}\n", 200),
        ("purpose", "fine-tune", lambda: BINARY, 400),
        ("purpose", "user_data", lambda: BINARY, 200),
        ("purpose", "assistants", lambda: BINARY, 200),
        ("purpose", "evals", lambda: "\u4e2d".encode()[:2], 400),
        ("purpose", "user_data", lambda: b"", 400),
        ("purpose", "", lambda: b"x", 400),
        ("purpose", "nothing", lambda: b"x", 400),
    ],
)
async def test_m4_a_file_fits_its_purpose(
    served: Site, field: str, value: str, content: Callable[[], bytes], status: int
) -> None:
    """By its bytes, whatever it is called."""
    told, body = await call(served, "POST", "/v1/files", None, form(content(), "cat.png", **{field: value}))
    assert told == status, body
    if status != 200:
        assert (await call(served, "GET", "/v1/files"))[1]["data"] == []


async def test_fields_may_follow_the_file(served: Site) -> None:
    """As some clients order them."""
    data = aiohttp.FormData()
    data.add_field("file", b"x", filename="x.txt")
    data.add_field("purpose", "user_data")
    assert (await call(served, "POST", "/v1/files", None, data))[0] == 200


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"--x--", 400),
        ("multipart/form-data; boundary=x", b"", 400),
        ("multipart/form-data; boundary=x", b"--x--\r\n", 400),
        ("multipart/form-data; boundary=x", b'--x\r\ncontent-disposition: form-data; name="file"\r\n\r\ncut off', 400),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--", 400),
        ("multipart/form-data; boundary=x", b"y" * 10_000, 400),
    ],
)
async def test_q5_a_malformed_body_is_refused(served: Site, content_type: str, body: bytes, status: int) -> None:
    """With a clear error, and nothing stays of it."""
    headers = {"authorization": f"Bearer {served.key}", "content-type": content_type}
    async with served.client.post(f"{served.url}/v1/files", data=body, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["error"]["message"]
    await nothing_left(served)


def rows(served: Site) -> int:
    """How many files the store knows of, those that nobody has included."""
    [(count,)] = execute(served_place(served.folder), "SELECT count(*) FROM files")
    return count


async def nothing_left(served: Site) -> None:
    """No row and no byte is there any more."""
    folder = served.folder / "files"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert rows(served) == 0


async def test_m4_a_file_that_is_too_large_is_refused(served: Site) -> None:
    """Whether its length was told or not; what came of it is gone."""

    async def endless() -> AsyncGenerator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
        for _ in range(40):
            yield bytes(2**16)

    headers = {"authorization": f"Bearer {served.key}", "content-type": "multipart/form-data; boundary=x"}
    async with (
        asyncio.timeout(HANG),
        served.client.post(f"{served.url}/v1/files", data=endless(), headers=headers) as response,
    ):
        assert response.status == 413
    status, _ = await call(served, "POST", "/v1/files", None, form(bytes(2**20 + 1), purpose="user_data"))
    assert status == 413
    await nothing_left(served)


async def test_an_account_has_so_much_room(served: Site) -> None:
    """What is sent at the same time counts too, and what was deleted no more."""
    answers = await asyncio.gather(
        *(call(served, "POST", "/v1/files", None, form(bytes(900_000), purpose="user_data")) for _ in range(6))
    )
    statuses = [status for status, _ in answers]
    assert statuses.count(200) == 3
    assert statuses.count(429) == 3
    first = next(body for status, body in answers if status == 200)
    await call(served, "DELETE", f"/v1/files/{first['id']}")
    assert (await call(served, "POST", "/v1/files", None, form(bytes(900_000), purpose="user_data")))[0] == 200


async def test_a_client_that_leaves_leaves_nothing(served: Site) -> None:
    """Neither a row that takes room, nor bytes."""
    _, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]))
    head = (
        f"POST /v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {served.key}\r\ncontent-length: 3000000\r\n"
        "content-type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n'
    )
    writer.write(head.encode() + bytes(100_000))
    await writer.drain()
    async with asyncio.timeout(HANG):
        while not rows(served):  # noqa: ASYNC110 - a database tells no event
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        while rows(served):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
    await nothing_left(served)


async def test_p4_a_client_that_leaves_ends_the_download(tmp_path: Path) -> None:
    """However much is left of it."""
    async with site(tmp_path, Settings(server=Server(data_dir=tmp_path))) as served:
        made = await send(served, bytes(64 * 2**20), purpose="user_data")
        port = int(served.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        head = f"GET /v1/files/{made['id']}/content HTTP/1.1\r\nhost: x\r\nx-api-key: {served.key}\r\n\r\n"
        writer.write(head.encode())
        with capture_logs() as logs:
            async with asyncio.timeout(HANG):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
                writer.transport.abort()
                await served.app.drain(HANG * 10)
        assert [entry.get("error") for entry in logs if entry["event"] == "request"] == ["cancelled"]


async def test_pages(served: Site) -> None:
    """As OpenAI's clients ask for them."""
    ids = [(await send(served, b"x", purpose=purpose))["id"] for purpose in ("user_data", "evals", "user_data")]
    status, page = await call(served, "GET", "/v1/files?limit=2")
    assert (status, [file["id"] for file in page["data"]], page["has_more"]) == (200, ids[:0:-1], True)
    assert (page["first_id"], page["last_id"]) == (ids[2], ids[1])
    _, rest = await call(served, "GET", f"/v1/files?limit=2&after={page['last_id']}")
    assert ([file["id"] for file in rest["data"]], rest["has_more"]) == (ids[:1], False)
    _, ascending = await call(served, "GET", "/v1/files?order=asc&purpose=user_data")
    assert [file["id"] for file in ascending["data"]] == [ids[0], ids[2]]
    for query in ("limit=0", "limit=10001", "limit=x", "order=up", "after=x"):
        assert (await call(served, "GET", f"/v1/files?{query}"))[0] == 400


async def test_a8_files_are_their_owners_only(served: Site, token: str) -> None:
    """To all others they are not there, whatever is asked of them."""
    secret = await send(served, b"secret", purpose="user_data")
    path = f"/v1/files/{secret['id']}"
    other = (await served.keys.create("other")).key
    for credential in (other, token):
        for method, part in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
            status, body = await call(served, method, path + part, credential)
            assert status == 404
            assert b"secret" not in json.dumps(body).encode()
        assert not (await call(served, "GET", "/v1/files?shape=openai", credential))[1]["data"]
        assert not (await call(served, "GET", f"/v1/files?shape=openai&after={secret['id']}", credential))[1]["data"]
    assert (await call(served, "GET", path + "/content"))[0] == 200


@pytest.mark.parametrize("identity", ["..", "%2e%2e", "file-", "file-" + "0" * 32, "0" * 36, "x' OR 1=1", "%00", "中"])
async def test_a4_hostile_ids_are_not_found(served: Site, identity: str) -> None:
    """None leads to a file, nor to an error of the store."""
    await send(served, b"secret", purpose="user_data")
    assert (await call(served, "GET", f"/v1/files/{identity}"))[0] in (404, 405)
    assert (await call(served, "GET", f"/v1/files/{identity}/content"))[0] == 404


async def test_a_link_opens_one_file_and_nothing_else(served: Site) -> None:
    """Not another file, not what is told of it, not for longer, not to delete it; and a bad one is 403 before all."""
    one, two = [(await send(served, content, purpose="user_data"))["id"] for content in (b"one", b"two")]
    path, _, query = served.links.link(one, "").removeprefix(URL).partition("?")

    async def get(path: str, query: str, method: str = "GET") -> int:
        async with served.client.request(method, f"{served.url}{path}?{query}") as response:
            return response.status

    assert await get(path, query) == 200
    assert await get(path, query, "HEAD") == 200
    assert await get(path.replace(one, two), query) == 403
    assert await get(path, query.replace("expires=", "expires=1")) == 403
    assert await get(path, query[:-1] + ("0" if query[-1] != "0" else "1")) == 403
    assert await get(path, "signature=x") == 403
    assert await get(path, "signature=") == 401
    assert await get(path, "expires=99999999999") == 401
    assert await get(path.removesuffix("/content"), query) == 401
    assert await get(path, query, "DELETE") == 401


async def test_a10_a_file_is_no_page_of_ours(served: Site) -> None:
    """Whatever it is called and holds, a browser shows it apart, as what its bytes are."""
    made = await send(
        served, b"<script>alert(1)</script>", purpose="user_data", name='../../a"; filename=evil.html\\x\u202e<b>.html'
    )
    assert made["filename"] == "x<b>.html"
    headers = {"authorization": f"Bearer {served.key}"}
    async with served.client.get(f"{served.url}/v1/files/{made['id']}/content", headers=headers) as response:
        assert response.headers["content-type"] == "text/plain"
        assert response.headers["content-disposition"] == "attachment; filename*=UTF-8''x%3Cb%3E.html"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_file_may_have_an_end(served: Site) -> None:
    """As OpenAI's `expires_after` says, within its range; those for batches have one anyway."""
    fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    made = await send(served, b"x", purpose="user_data", **fields)
    assert made["expires_at"] == made["created_at"] + 3600
    batch = await send(served, b"{}", purpose="batch")
    assert batch["expires_at"] == batch["created_at"] + 30 * 86400
    for wrong in ({"expires_after[seconds]": "60"}, {"expires_after[anchor]": "now"}):
        data = form(b"x", purpose="user_data", **(fields | wrong))
        assert (await call(served, "POST", "/v1/files", None, data))[0] == 400
