"""The program's life: read the configuration, load the model, serve until told to end."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable

import uvloop

from rixin.clock import SystemClock
from rixin.engines.child.status import Ready, Status
from rixin.engines.child_program import (
    NICENESS,
    child_server,
    first_line,
    listen,
    own_stdout,
    start_log,
    watch_life_line,
)
from rixin.engines.embedder.app import EmbedderApp
from rixin.engines.embedder.config import EmbedderConfig, read_config
from rixin.engines.embedder.model import E5
from rixin.engines.embedder.work import SLOTS, Work
from rixin.engines.embedder_protocol import MAX_TOKENS, WINDOW
from rixin.engines.process import Failed, Loading
from rixin.errors import RixinError

_READY = Ready(
    context_length=MAX_TOKENS,
    pool=SLOTS,
    max_output_length=0,
    slots=SLOTS,
    vision=False,
    trained_context=WINDOW,
    architecture="xlm-roberta",
    description="multilingual-e5-small, 4 bits",
    size_bytes=0,
)
_log = logging.getLogger(__name__)


def main() -> int:
    """Runs the program. Gives its exit code."""
    statuses = own_stdout()
    try:
        config = read_config(first_line())
        start_log(config.log_level)
        watch_life_line(config.socket)
        os.nice(NICENESS)
        statuses(Loading())
        model = E5(config.threads)
    except RixinError as error:
        statuses(Failed(error.message))
        return 1
    except (OSError, RuntimeError) as error:
        statuses(Failed(f"the embedding model cannot be loaded: {error}"))
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config, model, statuses))
    return 0


async def _serve(config: EmbedderConfig, model: E5, tell: Callable[[Status], None]) -> None:
    work = Work(model, config.queue, config.queue_deadline, SystemClock())
    app = EmbedderApp(work)
    server = child_server(app)
    stopping = asyncio.Event()

    def end() -> None:
        if stopping.is_set():
            server.abort()
        app.drain()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    listener = listen(config.socket)
    try:
        await server.start([listener])
        tell(_READY)
        _log.info("embeddings on %s", config.socket.name)
        await stopping.wait()
        await server.aclose()
    finally:
        config.socket.unlink(missing_ok=True)
        work.close()
