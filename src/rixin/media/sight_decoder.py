"""The program that describes pictures: `python -m rixin.media.sight_decoder MEMORY`, confined as `confined` says."""

from functools import partial

from rixin.media.confined import serve
from rixin.media.jobs import Answer, DescribeJob, Job
from rixin.media.sight import WordReader, describe


def main() -> None:
    """Serves its parent over stdin and stdout."""
    serve(partial(_decode, WordReader()))


def _decode(reader: WordReader, data: bytes, job: Job) -> Answer:
    if not isinstance(job, DescribeJob):
        raise TypeError(f"{type(job).__name__} has a program of its own")
    return describe(data, job, reader)


if __name__ == "__main__":
    main()
