"""Bytes to requests: httptools finds their parts, and what it lets through is looked at once more."""

from typing import NoReturn, Protocol

import httptools

from rixin.server.head import Head, check_host, merged, read_target
from rixin.server.limits import Limits
from rixin.server.refusal import Refusal

_TLS = b"\x16"
"""How a TLS handshake begins."""
_OVERHEAD = 16
"""Bytes of chunk headers and trailers that each byte of a body may cost: the smallest chunks cost 5."""


class Sink(Protocol):
    """Who is told what is found."""

    def on_head(self, head: Head) -> None:
        """A request begins."""
        ...

    def on_piece(self, data: bytes) -> None:
        """Some of its body."""
        ...

    def on_end(self) -> None:
        """It is complete."""
        ...


class RequestParser:
    """Reads requests that follow one another.

    Args:
        limits: What they may be.
        sink: Is told of them.
    """

    def __init__(self, limits: Limits, sink: Sink) -> None:
        self._limits = limits
        self._sink = sink
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._host = ""
        """The last one that was found in order."""
        self._in_head = True
        self._size = 0
        """Bytes of a head, or of a chunked body, that have been fed before."""
        self._fed = 0
        """Bytes that are being fed, where all of them may be of it."""
        self._feeding = 0
        self._most = 0
        """As `_size`, with all that came in the same pieces."""
        self._chunked = False
        self._body = 0
        self._resuming = False
        self._offered: Head | None = None
        """A request that would go on in another protocol, until it is known to go on in this one."""

    @property
    def begun(self) -> bool:
        """Whether the head of a request has begun to come, and is not complete."""
        return self._in_head and (self._size > 0 or self._target != b"")

    def feed(self, data: bytes) -> None:
        """Takes the next bytes.

        Raises:
            Refusal: They are no request. What follows may not be fed.
        """
        rest: bytes | memoryview = data
        while True:
            self._fed = self._feeding = len(rest)
            try:
                self._parser.feed_data(rest)
                break
            except httptools.HttpParserUpgrade as upgrade:
                self._resume()
                rest = memoryview(rest)[upgrade.args[0] :]
            except httptools.HttpParserError as error:
                self._refuse(error, bytes(rest[:1]))
        if self._in_head or self._chunked:
            self._size += self._fed
            self._most += self._feeding
            self._check_size()

    def fragment(self) -> Head:
        """What is known of a request that was refused before its head was complete."""
        method = self._parser.get_method().decode() if self._target else ""
        try:
            path, _, query, _ = read_target(method, self._target)
        except Refusal:
            path, query = "", b""
        return Head(method, path, query, merged(self._fields), keep_alive=False)

    # What httptools tells.

    def on_url(self, data: bytes) -> None:
        """Some of its target."""
        self._target += data

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody needs."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete."""
        fields, target = self._fields, self._target
        if self._resuming:
            self._resuming = False
            self._fields, self._target = [], b""
            return
        if len(fields) > self._limits.fields:
            raise Refusal(431, f"The request has more than {self._limits.fields} headers.")
        if self._most + self._feeding > self._limits.head_bytes:
            self._size = sum(len(name) + len(value) + 4 for name, value in fields) + len(target)
            self._check_size()
        if len(target) > self._limits.target_bytes:
            raise Refusal(414, f"The request's target is longer than {self._limits.target_bytes} bytes.")
        head = self._head(target, fields)
        self._fields, self._target = [], b""
        self._in_head, self._body = False, 0
        self._size = self._fed = self._most = 0
        self._sink.on_head(head)

    def on_body(self, data: bytes) -> None:
        """Some of the body."""
        self._body += len(data)
        self._sink.on_piece(data)

    def on_message_complete(self) -> None:
        """The request is complete."""
        if self._offered is not None:
            return  # its body is still to come
        self._in_head = True
        if self._chunked:
            self._chunked = False
            self._fields = []  # trailers
        self._size = self._fed = 0
        self._sink.on_end()

    def _head(self, target: bytes, fields: list[tuple[bytes, bytes]]) -> Head:
        """What a complete head says. Raises `Refusal` where that is not what HTTP allows."""
        parser = self._parser
        version, method = parser.get_http_version(), parser.get_method().decode()
        if version not in ("1.1", "1.0"):
            raise Refusal(505, f"This server speaks HTTP/1.1, not HTTP/{version}.")
        if method == "CONNECT":
            raise Refusal(501, "This server is no proxy, and knows no CONNECT.")
        headers = merged(fields)
        if "host" not in headers and version == "1.1":
            raise Refusal(400, "The request lacks the header `host`.")
        if len(headers) != len(fields) and sum(name.lower() == b"host" for name, _ in fields) > 1:
            raise Refusal(400, "The request has more than one header `host`.")
        path, raw_path, query, named = read_target(method, target)
        if named is not None:
            headers["host"] = named
            fields = [(name, value) for name, value in fields if name.lower() != b"host"]
            fields.append((b"host", named.encode("latin-1")))
        host = headers.get("host", "")
        if host != self._host:
            check_host(host)
            self._host = host
        if "transfer-encoding" in headers:
            self._check_coding(version, headers["transfer-encoding"])
        if "expect" in headers and headers["expect"].lower() != "100-continue":
            raise Refusal(417, "The only expectation that can be met is 100-continue.")
        keep_alive = version == "1.1" and parser.should_keep_alive()
        head = Head(method, path, query, headers, fields, raw_path, version, keep_alive)
        if "upgrade" in headers and parser.should_upgrade():
            self._offered = head
        return head

    def _check_coding(self, version: str, coding: str) -> None:
        if version == "1.0":
            raise Refusal(400, "HTTP/1.0 knows no header `transfer-encoding`.")
        if coding.lower() != "chunked":
            raise Refusal(501, "The only transfer coding that is known is chunked.")
        self._chunked = True

    def _check_size(self) -> None:
        most = self._limits.head_bytes
        if self._in_head:
            if self._size > most:
                raise Refusal(431, f"The request's head is longer than {most} bytes.")
        elif self._size - self._body > most + _OVERHEAD * self._body:
            raise Refusal(400, "The request's body has more chunk headers and trailers than body.")

    def _resume(self) -> None:
        """Goes on with a request that offers another protocol, which nobody need accept (RFC 9110, section 7.8).

        httptools takes what follows its head for that protocol. So the body is read by a parser that has never heard
        of the offer.
        """
        head, self._offered = self._offered, None
        if head is None:
            raise Refusal(400, "The request asks for another protocol than HTTP/1.1.")
        names = ("transfer-encoding", "content-length")
        framing = "".join(f"{name}: {head.headers[name]}\r\n" for name in names if name in head.headers)
        self._resuming = True
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{framing}\r\n".encode())

    def _refuse(self, error: httptools.HttpParserError, first: bytes) -> NoReturn:
        """Says what httptools, or we, did not like."""
        if isinstance(error.__context__, Refusal):
            raise error.__context__ from None
        if isinstance(error, httptools.HttpParserCallbackError):
            raise error
        if first == _TLS and not self._target:
            raise Refusal(400, "This is a TLS handshake, and the server speaks HTTP here.") from None
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            raise Refusal(501, "The request's method is not known.") from None
        what = "head" if self._in_head else "body"
        raise Refusal(400, f"The request's {what} is no HTTP/1.1: {error}.") from None
