"""The program that reads documents: `python -m rixin.media.document_decoder MEMORY`, confined as `confined` says."""

import codecs
import pkgutil
from contextlib import suppress
from encodings.aliases import aliases
from importlib import import_module

import docx
import pypdf

from rixin.media.confined import serve
from rixin.media.documents import read_document
from rixin.media.jobs import Answer, DocumentJob, Job


def main() -> None:
    """Serves its parent over stdin and stdout."""
    load_all()
    serve(_decode)


def load_all() -> None:
    """Loads what the libraries load when a document first needs it, and confined could not."""
    for package in (pypdf, docx):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            with suppress(ImportError):  # of a library that is not installed, and so is never asked
                import_module(module.name)
    for name in set(aliases.values()):
        with suppress(LookupError):  # of another platform
            codecs.lookup(name)


def _decode(data: bytes, job: Job) -> Answer:
    if not isinstance(job, DocumentJob):
        raise TypeError(f"{type(job).__name__} has a program of its own")
    return read_document(data, job)


if __name__ == "__main__":
    main()
