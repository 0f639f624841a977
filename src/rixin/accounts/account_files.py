"""The files of one account, as those see them who resolve its requests."""

from rixin.accounts.account import Account
from rixin.accounts.file_links import FileLinks
from rixin.accounts.files import FileBook
from rixin.media.allowance import Allowance


class AccountFiles:
    """The files of an account.

    Args:
        book: All files.
        links: Tell which URLs are theirs.
        account: Whose files.
    """

    def __init__(self, book: FileBook, links: FileLinks, account: Account) -> None:
        self._book = book
        self._links = links
        self._owner = account.id

    def named_by(self, url: str) -> str | None:
        """The id of the file that a URL of ours names, whoever it belongs to; None for every other URL."""
        return self._links.named_by(url)

    async def read(self, file_id: str, allowance: Allowance) -> bytes:
        """What is in a file.

        Args:
            file_id: The file's.
            allowance: The bytes are taken from it before they are read.

        Raises:
            RixinError: `NOT_FOUND` where the account has no such file; `OVERLOADED` where the store cannot be used; as
                `Allowance.take`.
        """
        file = await self._book.get(self._owner, file_id)
        allowance.take(file.size)
        return await self._book.read(file)
