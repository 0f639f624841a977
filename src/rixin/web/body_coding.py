"""A request's body as it arrives, with its codings undone.

What a coding gives is counted before its next piece is taken: a small body that stands for a huge one is refused as
soon as it exceeds the limit, and never held.
"""

from rixin.core.codings import BROKEN, CODINGS, TooManyPartsError
from rixin.errors import Kind, RixinError, invalid

_MOST_CODINGS = 3
"""Codings in turn. Each may cost as much as the limit allows, and nobody needs more than one."""


class RequestBody:
    """A request's body while it arrives.

    It goes on taking what comes after it has found what is wrong with it, so that its sender can be let finish.

    Args:
        content_encoding: The header's value; codings stand in the order in which they were applied.
        limit: Bytes that the body may have, as sent, decompressed, and in between.
    """

    def __init__(self, content_encoding: str, limit: int) -> None:
        self._limit = limit
        self._failure: RixinError | None = None
        self._names: list[str] = []
        try:
            self._names = _names(content_encoding)
        except RixinError as error:
            self._failure = error
        self._codings = [CODINGS[name]() for name in self._names]
        self._sizes = [0] * (len(self._codings) + 1)
        self._pieces: list[bytes] = []

    @property
    def size(self) -> int:
        """Bytes that have come, as they were sent."""
        return self._sizes[0]

    def feed(self, data: bytes) -> None:
        """Takes the next bytes."""
        if self._failure is not None:
            self._sizes[0] += len(data)
            return
        try:
            self._take(0, data)
        except RixinError as error:
            self._failure = error
            self._pieces.clear()

    def whole(self) -> bytes:
        """The body as it was before it was coded.

        Raises:
            RixinError: `UNSUPPORTED_MEDIA_TYPE` for a coding that is not known, `TOO_LARGE` over the limit,
                `INVALID_REQUEST` for data that is not what the header says, or ends too early.
        """
        if self._failure is not None:
            raise self._failure
        for name, coding, size in zip(self._names, self._codings, self._sizes, strict=False):
            if size and not coding.complete:
                raise invalid(f"The request's body breaks off: its {name} data is not complete.")
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _take(self, stage: int, data: bytes) -> None:
        """Counts what has reached a stage, and sends it through the codings that are left."""
        if not data:
            return
        self._sizes[stage] += len(data)
        if self._sizes[stage] > self._limit:
            what = "larger" if not stage else "decompressed larger"
            raise RixinError(Kind.TOO_LARGE, f"The request's body is {what} than {self._limit} bytes.")
        if stage == len(self._codings):
            self._pieces.append(data)
            return
        try:
            for piece in self._codings[stage].pieces(data):
                self._take(stage + 1, piece)
        except TooManyPartsError as error:
            raise invalid(f"The request's body has {error}.") from None
        except BROKEN:
            raise invalid(f"The request's body is no valid {self._names[stage]} data.") from None


def _names(content_encoding: str) -> list[str]:
    """The codings to undo, the last applied first."""
    names = [name for part in content_encoding.lower().split(",") if (name := part.strip()) not in ("", "identity")]
    unknown = next((name for name in names if name not in CODINGS), None)
    if unknown is not None:
        known = ", ".join(CODINGS)
        message = f"The content-encoding {unknown[:50]} is not known; known are {known}."
        raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, message)
    if len(names) > _MOST_CODINGS:
        message = f"The body has {len(names)} codings in turn; at most {_MOST_CODINGS} are undone."
        raise RixinError(Kind.UNSUPPORTED_MEDIA_TYPE, message)
    return names[::-1]
