"""The bodies of answers that belong to no dialect."""

from typing import Literal

from msgspec import Struct


class Health(Struct, frozen=True):
    """The process lives."""

    status: Literal["ok"]
    version: str


class Ready(Struct, frozen=True):
    """Requests can be served."""

    status: Literal["ready"]


class NotReady(Struct, frozen=True):
    """Requests cannot be served yet, and why."""

    status: str
    message: str
