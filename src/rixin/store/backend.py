"""What differs between the databases that rows can be in: everything that `Database` leaves to one of them."""

from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

BEGIN = "begin"
"""The option of a connection that holds the statement by which its next transaction begins."""


class Backend(Protocol):
    """One place for rows, of one kind. Nothing is read or written before it is asked to."""

    name: str
    """What messages call it; it holds no password."""
    writers: int
    """Transactions of a process that may write at the same time."""
    readers: int
    """Transactions of a process that may read at the same time, beside those that write."""
    upgrades_itself: bool
    """Whether a program that finds an older schema may bring it up to date, unasked."""
    reading: str
    """The statement that begins a transaction which only reads, and sees one unchanging view."""

    def writing(self, topic: str) -> str:
        """The statement that begins a transaction which may write, when no other one on the topic is under way."""
        ...

    def engine(self, size: int, patience: float) -> AsyncEngine:
        """Makes connections.

        Args:
            size: At most so many at a time.
            patience: Seconds that a transaction waits for one of them, and for what others have locked.
        """
        ...

    async def create(self) -> None:
        """Makes the place, where it can be made and is not there.

        Raises:
            RixinError: `CONFIGURATION` where it cannot be used.
        """
        ...

    async def back_up(self, to: Path) -> None:
        """Copies all that was committed into a file that only its owner may read, in the place of what is there.

        Raises:
            RixinError: `CONFIGURATION` where that cannot be done, and why.
        """
        ...

    def backup_path(self, revision: str | None) -> Path | None:
        """Where a copy belongs that is made before a migration; None where whoever migrates sees to copies."""
        ...


def begin_as_told(connection: Connection) -> None:
    """Begins a transaction with the statement that the connection was told. Every engine listens with it."""
    connection.exec_driver_sql(connection.get_execution_options()[BEGIN])
