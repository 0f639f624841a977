"""The first key: what a new server gives to who started it, instead of a default password."""

from pathlib import Path

from rixin.accounts.api_keys import CreatedKey, new_secret
from rixin.accounts.keys import KeyRing
from rixin.errors import Kind, RixinError
from rixin.store import private_files

NAME = "first"
SCOPES = ("admin", "inference")


async def ensure(ring: KeyRing, file: Path | None) -> CreatedKey | None:
    """Makes the first key where there is none at all.

    Args:
        ring: Where it is made.
        file: Where the key is written, readable by its owner only; None where the caller shows it to a person.

    Returns:
        The key, or None where there are keys already; of several processes that start together, one gets it.

    Raises:
        RixinError: `CONFIGURATION` when the file cannot be written; no key was made then.
    """
    secret = new_secret()
    if file is None:
        id_ = await ring.create_first(secret, NAME, SCOPES)
    else:
        try:
            with private_files.draft(file) as draft:
                # On the disk before it counts, so that no crash leaves a server whose only key nobody knows.
                private_files.write(draft, secret + "\n")
                id_ = await ring.create_first(secret, NAME, SCOPES)
                if id_ is not None:
                    draft.replace(file)
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot write the first key to {file}: {error.strerror}") from error
    return None if id_ is None else CreatedKey(id=id_, key=secret)
