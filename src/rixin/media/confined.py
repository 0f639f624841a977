"""What all programs that decode have in common: jobs over stdin, answers over stdout, and next to no rights.

They read hostile data with libraries written in C, so they have nothing worth stealing and little to do harm with: no
secrets in their environment, no files they could open or write, no programs they could start, so many bytes of memory
at most, and a parent that kills them when they take too long.
"""

import os
import sys
from collections.abc import Callable
from typing import BinaryIO

from rixin.media.jobs import (
    ENCODER,
    JOBS,
    PREFIX,
    Answer,
    DescribeJob,
    DocumentJob,
    Fault,
    ImageJob,
    Job,
    Refusal,
    RefusedError,
    VideoJob,
)
from rixin.media.payload import decode_base64

if sys.platform != "win32":
    import resource

_NICENESS = 10
"""Decoding gives way to serving."""

_BROKEN: dict[type[Job], Fault] = {
    ImageJob: Fault.IMAGE_BROKEN,
    VideoJob: Fault.VIDEO_BROKEN,
    DocumentJob: Fault.DOCUMENT_BROKEN,
    DescribeJob: Fault.IMAGE_BROKEN,
}
"""What is told where a library gives up."""


def serve(decode: Callable[[bytes, Job], Answer]) -> None:
    """Does the jobs that come over stdin, confined, until it ends. `sys.argv[1]` is as `confine` has it.

    Args:
        decode: Does one, given its bytes; may raise anything. Whatever it imports is imported by now.
    """
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    confine(int(sys.argv[1]))
    while (asked := _read(source)) is not None:
        answer = ENCODER.encode(_answer(decode, *asked))
        sink.write(PREFIX.pack(len(answer), 0) + answer)
        sink.flush()


def confine(memory: int) -> None:
    """Takes away from this process what decoding does not need, for good.

    Args:
        memory: Bytes of address space that it may have.
    """
    if sys.platform == "win32":
        return
    os.nice(_NICENESS)
    if sys.platform == "linux":  # macOS has the limit and does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if hasattr(resource, "RLIMIT_NPROC"):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _read(source: BinaryIO) -> tuple[Job, bytes] | None:
    prefix = source.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    size, length = PREFIX.unpack(prefix)
    return JOBS.decode(source.read(size)), source.read(length)


def _answer(decode: Callable[[bytes, Job], Answer], job: Job, data: bytes) -> Answer:
    _grant(job.cpu_seconds)
    try:
        if job.base64:
            data = decode_base64(data)
        if len(data) > job.max_bytes:
            return Refusal(Fault.BYTES)
        return decode(data, job)
    except RefusedError as error:
        return Refusal(error.fault, error.detail)
    except MemoryError:
        return Refusal(Fault.RESOURCES, "memory")
    except Exception as error:  # noqa: BLE001 - the border of this process: the libraries raise anything
        return Refusal(_BROKEN[type(job)], f"{type(error).__name__}: {error}"[:500])


def _grant(seconds: int) -> None:
    """Processor time for one job; the kernel ends a process that takes more."""
    if sys.platform == "win32":
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, resource.RLIM_INFINITY))
