"""The engine that draws infographics on this machine."""

import asyncio
import sys
import zlib
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

import msgspec
import structlog

from rixin.clock import random_bytes
from rixin.core.images import Image, Images
from rixin.core.requests import Change, Draw, DrawProgress, Generate
from rixin.core.usage import Usage
from rixin.engines.base import Batch
from rixin.engines.draw.author import Author
from rixin.engines.draw.protocol import ANSWERS, ENCODER, LENGTH, MAX_ANSWER, Answer, Job, Picture, Refusal
from rixin.engines.draw.writing import DEADLINE, Write
from rixin.engines.process_pipes import without_secrets
from rixin.errors import Kind, RixinError, invalid

DEFAULT_SIZE: Final = (2752, 1536)
SHORTEST_EDGE: Final = 512
LONGEST_EDGE: Final = 4096
MOST_IMAGES: Final = 10
MEMORY: Final = 3 * 2**30
"""Bytes of address space that one drawing may have; a page of 4096 by 4096 pixels takes a fifth of it."""
_MARK: Final = "Rixin 日新"
_WRITING: Final = 0.6
"""The part of the work that the writing is."""
_RETRY: Final = 5.0
_PROGRAM: Final = "rixin.engines.draw"

log = structlog.get_logger("rixin.engines.draw")


class DrawEngine:
    """Draws what a prompt says, with its own words and numbers and those that a language model adds.

    Args:
        write: Has a language model write; None where there is none, and pictures are made of the prompts alone.
        environment: Of this process; the processes that draw get the part of it that holds no secrets.
        number: Requests that are drawn at a time.
        queue: Requests that may wait for one of them.
        writing_deadline: Seconds that the model has.
        timeout: Seconds that the drawing of one image may take.
        memory: Bytes of address space that one request may have.
    """

    name = "draw"

    def __init__(
        self,
        write: Write | None,
        environment: Mapping[str, str],
        *,
        number: int = 2,
        queue: int = 32,
        writing_deadline: float = DEADLINE,
        timeout: float = 30.0,
        memory: int = MEMORY,
    ) -> None:
        self._author = Author(write, writing_deadline)
        self._environment = without_secrets(environment)
        self._turns = asyncio.Semaphore(number)
        self._places = number + queue
        self._timeout = timeout
        self._memory = memory

    async def ready(self) -> None:
        """Nothing is needed before a drawing is asked for."""

    async def stream(self, request: Generate) -> AsyncGenerator[Batch, None]:
        """Refuses: it makes images, no text."""
        raise RixinError(
            Kind.MODEL_NOT_FOUND, f"model {request.model} makes images; ask for them at /v1/images/generations"
        )
        yield

    async def draw(self, request: Draw, key: str | None) -> Images:  # noqa: ARG002 - the protocol's
        """The pictures of a prompt.

        Raises:
            RixinError: `INVALID_REQUEST` where it cannot be drawn, `QUEUE_FULL` while too many others wait,
                `UPSTREAM_TIMEOUT` where it took too long.
        """
        width, height = _size(request)
        if request.images:
            raise invalid("this model draws infographics from words, and cannot edit images.", "images")
        if not 1 <= request.n <= MOST_IMAGES:
            raise invalid(f"invalid n, should be in [1,{MOST_IMAGES}].", "n")
        if self._places <= 0:
            raise RixinError(Kind.QUEUE_FULL, "Too many images wait to be drawn.", retry_after=_RETRY)
        self._places -= 1
        try:
            async with self._turns:
                return await self._drawn(request, width, height)
        finally:
            self._places += 1

    async def aclose(self) -> None:
        """Nothing is held between requests."""

    async def _drawn(self, request: Draw, width: int, height: int) -> Images:
        _tell(request, DrawProgress("writing", 0.0))
        written = await self._author.words(
            request, lambda part: _tell(request, DrawProgress("writing", part * _WRITING))
        )
        _tell(request, DrawProgress("drawing", _WRITING))
        job = Job(
            prompt=request.prompt.encode("utf-8", "replace").decode(),  # half a character is none
            written=written.encode("utf-8", "replace").decode(),
            width=width,
            height=height,
            format=request.output_format or "png",
            n=request.n,
            draw=_decider(request),
            style=request.style or "",
            quality=request.quality,
            mark=_MARK if request.watermark else "",
            cpu_seconds=int(self._timeout) * request.n,
        )
        pictures: list[Picture] = []
        async with aclosing(self._pictures(job)) as answers:
            async for picture in answers:
                pictures.append(picture)
                _tell(request, DrawProgress("drawing", _WRITING + (1 - _WRITING) * len(pictures) / request.n))
        return Images(
            model=request.model,
            images=tuple(
                Image(
                    content=picture.content,
                    format=job.format,
                    size=(width, height),
                    revised_prompt=picture.title if picture.written else None,
                )
                for picture in pictures
            ),
            usage=Usage(),
            changes=(
                *(Change("ignored", name) for name in request.extra),
                *(Change("left-out", what) for what in dict.fromkeys(what for p in pictures for what in p.left_out)),
            ),
        )

    async def _pictures(self, job: Job) -> AsyncGenerator[Picture, None]:
        """The pictures of a job, each as it is drawn by a process of its own, which never outlives it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _PROGRAM, str(self._memory)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=self._environment,
            start_new_session=True,
        )
        try:
            for number in range(job.n):
                async with asyncio.timeout(self._timeout):
                    answer = await _asked(process, job) if number == 0 else await _answer(process)
                if isinstance(answer, Refusal):
                    raise invalid(answer.message, "prompt")
                yield answer
        except TimeoutError:
            message = "The image took too long to draw; a shorter prompt or a smaller size takes less."
            raise RixinError(Kind.UPSTREAM_TIMEOUT, message) from None
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            log.warning("A drawing was given up", reason=type(error).__name__)
            raise invalid("The prompt takes too much time or memory to draw; shorten it.", "prompt") from None
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def _asked(process: Process, job: Job) -> Answer:
    message = ENCODER.encode(job)
    if process.stdin is None:
        raise EOFError
    process.stdin.write(LENGTH.pack(len(message)) + message)
    await process.stdin.drain()
    return await _answer(process)


async def _answer(process: Process) -> Answer:
    if process.stdout is None:
        raise EOFError
    length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
    if length > MAX_ANSWER:
        raise msgspec.ValidationError("the answer is too large")
    return ANSWERS.decode(await process.stdout.readexactly(length))


def _size(request: Draw) -> tuple[int, int]:
    """The size of a request's images, where they can be drawn at it."""
    width, height = request.size or DEFAULT_SIZE
    if not all(SHORTEST_EDGE <= edge <= LONGEST_EDGE for edge in (width, height)):
        raise invalid(f"invalid size, each edge should be in [{SHORTEST_EDGE},{LONGEST_EDGE}].", "size")
    return width, height


def _decider(request: Draw) -> int:
    """What decides where the request does not: its seed, or chance."""
    seed = random_bytes(8) if request.seed is None else str(request.seed).encode()
    return zlib.crc32(seed)


def _tell(request: Draw, progress: DrawProgress) -> None:
    if request.progress:
        request.progress(progress)
