"""TensorZero's HTTP gateway, which its Python package embeds: `python tensorzero_gateway.py CONFIGURATION PORT_FILE`.

Runs in the peer's own environment. The gateway chooses a port, which is written to a file.
"""

import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

tensorzero: Any = importlib.import_module("tensorzero")
"""It is not installed where this is checked."""


def _tell(port: str, file: Path) -> None:
    """Writes the port, so that whoever waits for the file finds it whole."""
    unfinished = file.with_suffix(".new")
    unfinished.write_text(port)
    unfinished.rename(file)


async def main() -> None:
    """Serves until it is killed."""
    # The package keeps this for itself; there is no other way to its gateway without a binary from elsewhere.
    gateway = await tensorzero._start_http_gateway(  # noqa: SLF001 - as above
        config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=True
    )
    _tell(gateway.base_url.split(":")[2].split("/")[0], Path(sys.argv[2]))
    await asyncio.Event().wait()
    del gateway


asyncio.run(main())
