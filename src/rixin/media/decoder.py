"""The program that decodes images and videos: `python -m rixin.media.decoder MEMORY`, confined as `confined` says."""

import av.logging

from rixin.media.confined import serve
from rixin.media.images import decode_image
from rixin.media.jobs import Answer, ImageJob, Job, VideoJob
from rixin.media.video import look_at


def main() -> None:
    """Serves its parent over stdin and stdout."""
    av.logging.set_level(av.logging.PANIC)
    serve(_decode)


def _decode(data: bytes, job: Job) -> Answer:
    match job:
        case ImageJob():
            return decode_image(data, job)
        case VideoJob():
            return look_at(data, job)
        case _:
            raise TypeError(f"{type(job).__name__} has a program of its own")


if __name__ == "__main__":
    main()
