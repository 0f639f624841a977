"""The root secret: 32 bytes from which every key of the server is derived, one for each purpose."""

import base64
import binascii
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rixin.clock import random_bytes
from rixin.errors import Kind, RixinError
from rixin.settings import Settings
from rixin.store import private_files
from rixin.store.meta import MetaTable

FILE_NAME = "secret.key"
SIZE = 32
META_NAME = "root_secret"
NEXT_NAME = "next_root_secret"
"""Where the database says to which secret it is changing, while it is."""
LASTING = ("api key digest", "access key digest", "audit log head")
"""Purposes whose keys outlive the secret that they were derived from: nobody could make those digests anew."""

_HEX = re.compile(r"[0-9A-Fa-f]{64}")
_FEWEST_VALUES = 12
"""Random secrets hold fewer distinct bytes than this once in 10**20; placeholders do it every time."""


class RootSecret:
    """The secret, which is never shown: keys are derived from it (HKDF with SHA-256, RFC 5869).

    Args:
        secret: The 32 bytes.
        lasting: Keys for purposes of `LASTING` that come from an earlier secret.
    """

    def __init__(self, secret: bytes, lasting: Mapping[str, bytes] | None = None) -> None:
        self._secret = secret
        self._lasting = dict(lasting or {})
        self.key_id = self.derive("key id")[:8].hex()
        """Names the secret, and tells nothing of it."""

    def __repr__(self) -> str:
        return f"RootSecret({self.key_id})"

    def derive(self, purpose: str) -> bytes:
        """The 32 bytes for a purpose: always the same, and of no use for finding those of another purpose."""
        lasting = self._lasting.get(purpose)
        return lasting or HKDF(SHA256(), SIZE, salt=None, info=f"rixin/{purpose}".encode()).derive(self._secret)

    def with_lasting(self, keys: Mapping[str, bytes]) -> "RootSecret":
        """The same secret, in a database whose digests were made under an earlier one."""
        return RootSecret(self._secret, keys)


def load(settings: Settings) -> RootSecret:
    """The secret that the settings give, else that of `<data_dir>/secret.key`, which is made where there is none.

    Raises:
        RixinError: `CONFIGURATION` when it is malformed, when others can read the file, when there is no file and none
            can be made, or when it must be given because others share the database.
    """
    if settings.secret_key is not None:
        return parse(settings.secret_key, "RIXIN_SECRET_KEY")
    if settings.server.shares_database:
        raise RixinError(
            Kind.CONFIGURATION,
            "a database that servers share needs a root secret that they share. Make one with `openssl rand -hex 32`, "
            "and give it to all of them in RIXIN_SECRET_KEY_FILE or RIXIN_SECRET_KEY.",
        )
    return load_file(settings.server.data_dir / FILE_NAME)


def load_file(path: Path) -> RootSecret:
    """The secret of a file, which is made where there is none. Raises as `load`."""
    try:
        if not path.exists():
            _create(path)
        _check_private(path)
        return parse(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        message = f"cannot use {path}: {error.strerror}. Mend that, or give the root secret in RIXIN_SECRET_KEY_FILE."
        raise RixinError(Kind.CONFIGURATION, message) from error


async def check(root_secret: RootSecret, meta: MetaTable) -> None:
    """Makes sure that the database was made with this secret. The first secret that it sees becomes its own.

    Raises:
        RixinError: `CONFIGURATION` when it was another one, or when the database is on its way to another one;
            `OVERLOADED` when the database cannot be asked.
    """
    following = await meta.get(NEXT_NAME)
    if following is not None:
        raise RixinError(
            Kind.CONFIGURATION,
            f"the database is on its way to the root secret {following}, and was interrupted. End that first, with the "
            "same two secrets: rixin db rotate-secret",
        )
    known = await meta.settle(META_NAME, root_secret.key_id)
    if known != root_secret.key_id:
        raise RixinError(
            Kind.CONFIGURATION,
            f"the database was made with the root secret {known}, and this one is {root_secret.key_id}: none of its "
            f"keys would be recognised. Put back the {FILE_NAME} that belongs to it, or give its root secret in "
            "RIXIN_SECRET_KEY_FILE. If that secret is lost, start with a new data directory and make new keys.",
        )


def _create(path: Path) -> None:
    with private_files.draft(path) as draft:
        private_files.write(draft, random_bytes(SIZE).hex() + "\n")
        private_files.place_new(draft, path)


def _check_private(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise RixinError(
            Kind.CONFIGURATION,
            f"others on this machine can read {path} (its mode is {mode:o}). Run: chmod 600 {path}",
        )


def parse(text: str, source: str) -> RootSecret:
    """A secret that somebody wrote down.

    Args:
        text: 64 hex digits, or base64.
        source: Where it was found.

    Raises:
        RixinError: `CONFIGURATION` where it is none, or no random one.
    """
    text = text.strip()
    try:
        if _HEX.fullmatch(text):
            secret = bytes.fromhex(text)
        else:
            padded = text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
            secret = base64.b64decode(padded, validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != SIZE or len(set(secret)) < _FEWEST_VALUES:
        raise RixinError(
            Kind.CONFIGURATION,
            f"{source} must hold {SIZE} random bytes, as {2 * SIZE} hex digits or as base64. "
            f"`openssl rand -hex {SIZE}` prints some.",
        )
    return RootSecret(secret)
