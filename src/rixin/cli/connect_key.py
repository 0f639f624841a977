"""The key that an agent is given: one that was made for it, kept where the next `rixin connect` finds it."""

from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from rixin.cli.client import Client, Target
from rixin.cli.connect_server import chat_models
from rixin.cli.key_ring import open_ring
from rixin.errors import Kind, RixinError
from rixin.settings import LOOPBACK_HOSTS, Settings
from rixin.store import private_files

KEYLESS = "no-key-needed"
"""What an agent, which insists on a key, is given for a server that asks for none."""


class _MadeKey(Struct):
    key: str


class AgentKey:
    """The key of one agent for one server.

    Args:
        settings: Where the data directory is, and the store of the server on this machine.
        target: The server.
        agent: By whose name the key is called.
    """

    def __init__(self, settings: Settings, target: Target, agent: str) -> None:
        self._settings = settings
        self._target = target
        self._name = agent
        where = "" if target.local else f"@{urlsplit(target.base_url).netloc.replace(':', '_')}"
        self._file = settings.server.data_dir / "agents" / f"{agent}{where}.key"

    async def find(self) -> str | None:
        """A key that the server accepts and that is there already: the one made earlier, or none where none is needed.

        Raises:
            RixinError: The server does not run.
        """
        if await self._accepted(None):
            return KEYLESS
        try:
            kept = self._file.read_text(encoding="utf-8").strip()
        except OSError:
            return None
        return kept if kept and await self._accepted(kept) else None

    async def make(self) -> str:
        """A new key that may ask for answers and nothing else, kept for the next time.

        Raises:
            RixinError: Nobody who may make one was named, or the server does not know the store that it was made in.
        """
        unasked = self._target.api_key is None and urlsplit(self._target.base_url).hostname in LOOPBACK_HOSTS
        key = await (self._from_store() if self._target.local or unasked else self._from_server())
        try:
            private_files.place(self._file, key + "\n")
        except OSError as error:
            raise RixinError(Kind.CONFIGURATION, f"cannot write the key to {self._file}: {error.strerror}") from None
        return key

    async def _from_store(self) -> str:
        async with open_ring(self._settings) as ring:
            made = await ring.create(self._name, scopes=("inference",), models=(), plan=None, expires_at=None)
            if await self._accepted(made.key):
                return made.key
            await ring.delete(made.id)
        raise RixinError(
            Kind.CONFIGURATION,
            f"the server at {self._target.base_url} does not know the keys in {self._settings.server.data_dir}; "
            "name its data directory with --data-dir, or give a key with --key",
        )

    async def _from_server(self) -> str:
        if self._target.api_key is None:
            raise RixinError(Kind.UNAUTHENTICATED, f"{self._target.base_url} wants a key; give one with --key")
        async with Client(self._target) as client:
            answer = await client.ask("POST", f"{self._target.admin_url}/keys", {"name": self._name})
        try:
            return msgspec.json.decode(answer, type=_MadeKey).key
        except msgspec.MsgspecError:
            raise RixinError(
                Kind.UPSTREAM_INVALID, f"{self._target.base_url} makes no keys; give one with --key"
            ) from None

    async def _accepted(self, key: str | None) -> bool:
        async with Client(msgspec.structs.replace(self._target, api_key=key)) as client:
            try:
                await chat_models(client)
            except RixinError as error:
                if error.kind in (Kind.UNAUTHENTICATED, Kind.UPSTREAM_CREDENTIAL):
                    return False
                raise
        return True
