"""The cookie that holds a login's token: no script reads it, and no other site's page makes a browser send it."""

import re
from collections.abc import Mapping

from rixin.errors import Kind, RixinError

_SEPARATOR = re.compile(r"[;,]\s*")


class LoginCookie:
    """Writes and reads the cookie (RFC 6265).

    Args:
        public_url: Under which browsers reach the server. Where it is https, the cookie travels no other way.
    """

    def __init__(self, public_url: str | None) -> None:
        self.secure = public_url is not None and public_url.lower().startswith("https://")
        self.name = "__Host-rixin" if self.secure else "rixin"
        self._attributes = "Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if self.secure else "")

    def token(self, headers: Mapping[str, str]) -> str | None:
        """The token that a request brings.

        Args:
            headers: By lower-case name.

        Raises:
            RixinError: `UNAUTHENTICATED` where it brings two.
        """
        if "cookie" not in headers:
            return None
        pairs = (part.partition("=") for part in _SEPARATOR.split(headers["cookie"]))
        values = {value.strip().strip('"') for name, _, value in pairs if name.strip() == self.name}
        if len(values) > 1:
            raise RixinError(Kind.UNAUTHENTICATED, f"The cookie `{self.name}` came twice, with different values.")
        return next(iter(values), None) or None

    def written(self, token: str, lifetime: float) -> str:
        """The value of `set-cookie` that makes a browser keep a token for `lifetime` seconds."""
        return f"{self.name}={token}; Max-Age={int(lifetime)}; {self._attributes}"

    def erased(self) -> str:
        """The value of `set-cookie` that makes a browser forget it."""
        return f"{self.name}=; Max-Age=0; {self._attributes}"
