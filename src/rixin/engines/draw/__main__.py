"""The process that draws: one job from stdin, its pictures to stdout, within bounds that the kernel keeps.

It reads hostile prompts, and has nothing of ours but the job: no secret in its environment, no socket, and little time.
"""

import os
import sys
from collections.abc import Iterator
from typing import BinaryIO

from rixin.engines.draw.composing import Composition, compose
from rixin.engines.draw.layout import NoRoomError
from rixin.engines.draw.pages import draw_page
from rixin.engines.draw.protocol import ENCODER, JOBS, LENGTH, Answer, Job, Picture, Refusal
from rixin.engines.draw.templates import choose

if sys.platform != "win32":
    import resource

_NICENESS = 5
"""Drawing gives way to serving."""


def main() -> None:
    """Serves its parent once."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    length = LENGTH.unpack(source.read(LENGTH.size))[0]
    job = JOBS.decode(source.read(length))
    _confine(int(sys.argv[1]), job.cpu_seconds)
    try:
        for picture in _draw(job):
            _tell(sink, picture)
    except NoRoomError:
        _tell(sink, Refusal("The image is too small for the words of the prompt; ask for a larger size."))
    except MemoryError:
        _tell(sink, Refusal("The prompt takes too much memory to draw."))


def _draw(job: Job) -> Iterator[Answer]:
    composition = compose(job.prompt, job.written)
    if not composition.specification.title and not composition.specification.blocks:
        yield Refusal("invalid prompt, it holds nothing that can be drawn, or only what is too long for a picture.")
        return
    for number in range(job.n):
        yield _picture(job, composition, number)


def _picture(job: Job, composition: Composition, number: int) -> Picture:
    specification = composition.specification
    template, palette = choose(
        style=job.style,
        prompt=job.prompt,
        quality=job.quality,
        palette=specification.palette,
        layout=specification.layout,
        draw=job.draw,
        number=number,
    )
    drawing = draw_page(
        specification,
        width=job.width,
        height=job.height,
        template=template,
        palette=palette,
        format=job.format,
        variant=number,
        mark=job.mark,
    )
    kinds = [str(specification.blocks[block].__struct_config__.tag) for block in drawing.dropped]
    return Picture(
        content=drawing.content,
        template=template.name,
        palette=palette.name,
        title=specification.title,
        header=drawing.header,
        blocks=tuple(frame for _, frame in drawing.blocks),
        left_out=tuple(dict.fromkeys((*composition.left_out, *kinds))),
        written=composition.written,
    )


def _tell(sink: BinaryIO, answer: Answer) -> None:
    message = ENCODER.encode(answer)
    sink.write(LENGTH.pack(len(message)) + message)
    sink.flush()


def _confine(memory: int, cpu_seconds: int) -> None:
    """Takes away from this process what drawing does not need, for good."""
    if sys.platform == "win32":
        return
    os.nice(_NICENESS)
    if sys.platform == "linux":  # macOS has the limit and does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


if __name__ == "__main__":
    main()
