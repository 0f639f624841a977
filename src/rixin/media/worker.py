"""The processes that decode: started when there is work, asked one thing at a time, killed when they take too long."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from rixin.errors import Kind, RixinError
from rixin.media.jobs import (
    ANSWERS,
    ENCODER,
    MAX_ANSWER,
    PREFIX,
    Answer,
    Clip,
    DescribeJob,
    Description,
    Document,
    DocumentJob,
    Fault,
    ImageJob,
    Job,
    Refusal,
    RefusedError,
    Still,
    VideoJob,
)
from rixin.media.payload import Payload

MEMORY: Final = 2**30
"""Bytes of address space that one decoder may have."""
IDLE: Final = 60.0
"""Seconds after which a decoder without work ends."""
MEDIA: Final = "rixin.media.decoder"
"""The program for images and videos."""
DOCUMENTS: Final = "rixin.media.document_decoder"
"""The program for documents, whose libraries the others are spared."""
SIGHT: Final = "rixin.media.sight_decoder"
"""The program that describes pictures, whose libraries may not even be there."""
_RETRY: Final = 2.0

log = structlog.get_logger("rixin.media")


class Decoders:
    """A pool of decoders.

    Args:
        environment: All that they see of the environment; it should hold no secrets.
        number: How many work at a time.
        queue: Jobs that may wait for one of them.
        timeout: Seconds that one job may take, in which a decoder may have to start.
        memory: Bytes of address space that each of them may have.
        idle: Seconds after which one without work ends.
        program: What they run: `MEDIA`, `DOCUMENTS` or `SIGHT`.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        number: int = 2,
        queue: int = 64,
        timeout: float = 15.0,
        memory: int = MEMORY,
        idle: float = IDLE,
        program: str = MEDIA,
    ) -> None:
        self._environment = dict(environment)
        self._places = number + queue
        self._turns = asyncio.Semaphore(number)
        self.timeout = timeout
        self._memory = memory
        self._idle_seconds = idle
        self._program = program
        self._idle: dict[_Decoder, asyncio.TimerHandle] = {}
        self._busy: set[_Decoder] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that live."""
        return [decoder.pid for decoder in (*self._idle, *self._busy) if decoder.alive]

    async def image(self, job: ImageJob, payload: Payload) -> Still:
        """Decodes an image.

        Raises:
            RefusedError: It is not decoded, and why.
            RixinError: `QUEUE_FULL` while too many others wait.
        """
        answer = await self._ask(job, payload)
        if not isinstance(answer, Still):
            raise RefusedError(Fault.IMAGE_BROKEN, "a decoder answered another question")
        return answer

    async def video(self, job: VideoJob, payload: Payload) -> Clip:
        """Looks at a video; raises as `image`."""
        answer = await self._ask(job, payload)
        if not isinstance(answer, Clip):
            raise RefusedError(Fault.VIDEO_BROKEN, "a decoder answered another question")
        return answer

    async def describe(self, job: DescribeJob, payload: Payload) -> Description:
        """Says of a picture what can be said without seeing it; raises as `image`."""
        answer = await self._ask(job, payload)
        if not isinstance(answer, Description):
            raise RefusedError(Fault.IMAGE_BROKEN, "a decoder answered another question")
        return answer

    async def document(self, job: DocumentJob, payload: Payload, seconds: float | None = None) -> Document:
        """Reads a document; raises as `image`.

        Args:
            job: What is asked.
            payload: The document.
            seconds: How long it may take; as of the pool unless given.
        """
        answer = await self._ask(job, payload, seconds)
        if not isinstance(answer, Document):
            raise RefusedError(Fault.DOCUMENT_BROKEN, "a decoder answered another question")
        return answer

    async def aclose(self) -> None:
        """Ends all decoders, whatever they do."""
        for timer in self._idle.values():
            timer.cancel()
        await asyncio.gather(*(decoder.kill() for decoder in (*self._idle, *self._busy)))
        self._idle.clear()

    async def _ask(
        self, job: Job, payload: Payload, seconds: float | None = None
    ) -> Still | Clip | Document | Description:
        if self._places <= 0:
            message = "Too many images, videos or documents wait to be decoded."
            raise RixinError(Kind.QUEUE_FULL, message, retry_after=_RETRY)
        self._places -= 1
        try:
            async with self._turns:
                answer = await self._decide(job, payload, self.timeout if seconds is None else seconds)
        finally:
            self._places += 1
        if isinstance(answer, Refusal):
            raise RefusedError(answer.fault, answer.detail)
        return answer

    async def _decide(self, job: Job, payload: Payload, seconds: float) -> Answer:
        """One job in a decoder, which does not survive a job that it did not answer."""
        decoder = self._take()
        answered = False
        try:
            async with asyncio.timeout(seconds):
                if decoder is None:
                    decoder = await _Decoder.start(self._program, self._environment, self._memory)
                self._busy.add(decoder)
                answer = await decoder.ask(job, payload)
            answered = True
        except TimeoutError:
            log.warning("A decoder took too long and was killed", seconds=seconds)
            raise RefusedError(Fault.RESOURCES, f"took more than {seconds:g} s") from None
        except (OSError, EOFError, msgspec.MsgspecError) as error:
            log.warning("A decoder died at its work", reason=type(error).__name__)
            raise RefusedError(Fault.RESOURCES, f"the decoder died: {type(error).__name__}") from None
        finally:
            if decoder is not None:
                self._busy.discard(decoder)
                if answered:
                    self._rest(decoder)
                else:
                    await decoder.kill()
        return answer

    def _take(self) -> "_Decoder | None":
        while self._idle:
            decoder, timer = self._idle.popitem()
            timer.cancel()
            if decoder.alive:
                return decoder
        return None

    def _rest(self, decoder: "_Decoder") -> None:
        loop = asyncio.get_running_loop()
        self._idle[decoder] = loop.call_later(self._idle_seconds, self._retire, decoder)

    def _retire(self, decoder: "_Decoder") -> None:
        del self._idle[decoder]
        decoder.end()


class _Decoder:
    """One process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, program: str, environment: Mapping[str, str], memory: int) -> "_Decoder":
        command = (sys.executable, "-m", program, str(memory))
        return cls(
            await asyncio.create_subprocess_exec(
                *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
            )
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, job: Job, payload: Payload) -> Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise EOFError
        question = ENCODER.encode(job)
        stdin.write(PREFIX.pack(len(question), payload.length) + question)
        for piece in payload.pieces():
            stdin.write(piece)
            await stdin.drain()
        size, _ = PREFIX.unpack(await stdout.readexactly(PREFIX.size))
        if size > MAX_ANSWER:
            raise msgspec.ValidationError("the answer is too large")
        return ANSWERS.decode(await stdout.readexactly(size))

    def end(self) -> None:
        """Lets it end by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def kill(self) -> None:
        if self.alive:
            self._process.kill()
        await self._process.wait()
