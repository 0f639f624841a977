"""A bucket: the part of S3's HTTP API that files need, over memory."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

from aiohttp import web


@dataclass
class Bucket:
    """What is in it, and how it is reached."""

    url: str = ""
    objects: dict[str, bytes] = field(default_factory=dict[str, bytes])
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict[str, dict[int, bytes]])
    """Uploads in parts that have neither ended nor been given up."""
    failing: bool = False

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers a request."""
        if self.failing:
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code></Error>")
        assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=test-id/")
        key, upload = request.match_info["key"], request.query.get("uploadId")
        body = await request.read()
        match request.method:
            case "PUT" if upload is not None:
                self.uploads[upload][int(request.query["partNumber"])] = body
                return web.Response(headers={"etag": '"part"'})
            case "PUT":
                self.objects[key] = body
                return web.Response(headers={"etag": '"whole"'})
            case "POST" if "uploads" in request.query:
                self.uploads["up-1"] = {}
                return _xml("<InitiateMultipartUploadResult><UploadId>up-1</UploadId></InitiateMultipartUploadResult>")
            case "POST" if upload is not None:
                self.objects[key] = b"".join(part for _, part in sorted(self.uploads.pop(upload).items()))
                return _xml('<CompleteMultipartUploadResult><ETag>"whole"</ETag></CompleteMultipartUploadResult>')
            case "POST" if "delete" in request.query:
                keys = re.findall(r"<Key>(.*?)</Key>", body.decode())
                for each in keys:
                    self.objects.pop(each, None)
                return _xml(
                    "<DeleteResult>"
                    + "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
                    + "</DeleteResult>"
                )
            case "DELETE":
                _ = self.uploads.pop(upload, None) if upload else self.objects.pop(key, None)
                return web.Response(status=204)
            case _ if key not in self.objects:
                return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")
            case _:
                headers = {"etag": '"whole"', "last-modified": formatdate(usegmt=True)}
                return web.Response(body=self.objects[key], headers=headers)


def _xml(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/xml")


@asynccontextmanager
async def bucket() -> AsyncGenerator[Bucket]:
    """An empty one, on a port of the system's choice."""
    made = Bucket()
    app = web.Application(client_max_size=2**28)
    app.router.add_route("*", "/files{slash:/?}{key:.*}", made.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
