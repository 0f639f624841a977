"""An HTTP/1.1 server (RFC 9112) that knows nothing of what it serves: httptools reads, asyncio carries.

| file | holds |
| --- | --- |
| `server` | the listening sockets, the clock of all deadlines, draining |
| `connection`, `shared` | one connection: its requests in turn, its deadlines, its end; what all have in common |
| `parser` | bytes to the heads and bodies of requests, and what is refused |
| `turn` | a request while it is answered over its connection |
| `request` | what those who answer see of it |
| `head`, `answer_head` | the head of a request; that of an answer |
| `limits`, `refusal` | what clients may do, and what they are told otherwise |
| `asgi_app`, `asgi_request` | ASGI applications that answer this server's requests; requests that an ASGI server took |
"""
