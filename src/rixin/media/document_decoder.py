"""The program that reads documents: `python -m rixin.media.document_decoder MEMORY`, confined as `decoder` says."""

from rixin.media.decoder import serve
from rixin.media.documents import read_document
from rixin.media.jobs import Answer, DocumentJob, Job


def main() -> None:
    """Serves its parent over stdin and stdout."""
    serve(_decode)


def _decode(data: bytes, job: Job) -> Answer:
    if not isinstance(job, DocumentJob):
        raise NotImplementedError("images and videos have a program of their own")
    return read_document(data, job)


if __name__ == "__main__":
    main()
