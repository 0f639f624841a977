"""Requests that nobody is asked to answer."""


class Refusal(Exception):  # noqa: N818 - it is told to the client, and no mistake of ours
    """What is wrong with a request by the rules of HTTP, or by the server's limits.

    Args:
        status: Of the answer.
        message: A sentence for the client.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
