"""Links to the content of files: public for a day, because they are signed.

A link is `<base>/v1/files/<id>/content?expires=<second>&signature=<hex>`; the signature is an HMAC with SHA-256 over
the id and the second, with a key of the server's that is for nothing else.
"""

import hmac
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from yarl import URL

from rixin.accounts.root_secret import RootSecret
from rixin.clock import Clock
from rixin.core.files import key_of
from rixin.errors import Kind, RixinError

PURPOSE: Final = "file URLs"
"""The purpose of the key that signs them."""
LIFETIME: Final = 86400
"""Seconds for which a link counts."""
_CONTENT = re.compile(r"/v1/files/([^/]+)/content")
_MAX_URL: Final = 2048
"""Characters; what is longer, such as data, is no link of ours."""
_SECOND = re.compile(r"[0-9]{1,12}", re.ASCII)


def named_in(path: str) -> str | None:
    """The id of the file whose content is at a path of ours; None for every other path."""
    match = _CONTENT.fullmatch(path)
    return None if match is None or key_of(match.group(1)) is None else match.group(1)


class FileLinks:
    """Makes links, and checks them.

    Args:
        root_secret: Of the server.
        public_url: Where clients reach it, as far as that is known.
        clock: Time.
    """

    def __init__(self, root_secret: RootSecret, public_url: str | None, clock: Clock) -> None:
        self._key = root_secret.derive(PURPOSE)
        self._public_url = None if public_url is None else URL(public_url.rstrip("/"))
        self._clock = clock

    def link(self, id: str, base: str) -> str:  # noqa: A002 - it is the id
        """A link to a file that counts for a day.

        Args:
            id: The file's.
            base: Where the server is for whoever asks, where the settings do not say it: `http://host:8700`.
        """
        expires = str(int(self._clock.now()) + LIFETIME)
        query = urlencode({"expires": expires, "signature": self._signature(id, expires)})
        return f"{self._public_url or base}/v1/files/{id}/content?{query}"

    def check(self, id: str, query: Mapping[str, str]) -> None:  # noqa: A002 - it is the id
        """Checks the signature of a link.

        Args:
            id: The file's that it is said to be for.
            query: `expires` and `signature`.

        Raises:
            RixinError: `PERMISSION_DENIED` unless we signed it, for this file, and it still counts.
        """
        expires, signature = query.get("expires", ""), query.get("signature", "")
        ours = self._signature(id, expires)
        if not hmac.compare_digest(ours.encode(), signature.encode("utf-8", "replace")) or not _SECOND.fullmatch(
            expires
        ):
            raise RixinError(Kind.PERMISSION_DENIED, "The signature of this link is not valid.")
        if int(expires) <= self._clock.now():
            raise RixinError(Kind.PERMISSION_DENIED, "This link has expired.")

    def named_by(self, url: str) -> str | None:
        """The id of the file that a URL under the server's public one names; None for every other URL."""
        if self._public_url is None or len(url) > _MAX_URL:
            return None
        try:
            asked = URL(url)
        except ValueError:
            return None
        ours, prefix = self._public_url, self._public_url.path.rstrip("/")
        here = (asked.scheme, asked.host, asked.port) == (ours.scheme, ours.host, ours.port)
        return named_in(asked.path.removeprefix(prefix)) if here and asked.path.startswith(prefix) else None

    def _signature(self, id: str, expires: str) -> str:  # noqa: A002 - it is the id
        return hmac.new(self._key, f"{id}\n{expires}".encode("utf-8", "replace"), "sha256").hexdigest()
