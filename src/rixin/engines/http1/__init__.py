"""An HTTP/1.1 client for upstreams (RFC 9112), as short as the work allows: httptools reads, asyncio carries.

| file | holds |
| --- | --- |
| `connection` | one connection, on which one exchange takes place at a time |
| `transport` | the connections to one origin, those that wait for work included |
"""
