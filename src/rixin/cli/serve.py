"""`rixin serve`: starts the server."""

import asyncio
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import structlog
import typer

from rixin.cli import logs, options, output
from rixin.cli.banner import banner, banner_json
from rixin.cli.engine_launcher import engine_launcher
from rixin.cli.supervisor import ServerReady, Supervisor
from rixin.clock import SystemClock
from rixin.engines.background_pull import PullProgress
from rixin.engines.control_messages import PULLING, ModelStatus
from rixin.engines.gguf import read_header
from rixin.engines.recordings import load_all
from rixin.settings import CONFIG_NAME, LOCAL, REPLAY, LocalModel, Provider, Settings

app = typer.Typer(add_completion=False)


_CHILD_LEVELS = {
    "DEBUG": "debug",
    "INFO": "info",
    "WARNING": "warning",
    "ERROR": "error",
    "CRITICAL": "error",
}
"""The first word of an engine's log lines, and the level that it means."""


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Host: TypeAlias = Annotated[str | None, typer.Option("--host", help="Where to listen; 127.0.0.1 unless set.")]
Port: TypeAlias = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="The port; 8700 unless set, 0 takes a free one.")
]
JsonLogs: TypeAlias = Annotated[bool, typer.Option("--json", help="Write logs, and what is said at start, as JSON.")]
LogLevelOption: TypeAlias = Annotated[LogLevel | None, typer.Option("--log-level", help="How much is logged.")]


@app.command()
def run(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes that serve; 1 unless set.")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", help="A GGUF file to serve as the model `local`.", metavar="FILE")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", help="Write every request and its answer into this directory.", metavar="DIR"),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option("--replay", help="Answer from the recordings in this directory, and ask nobody.", metavar="DIR"),
    ] = None,
    json: JsonLogs = False,
    log_level: LogLevelOption = None,
    config: options.Config = None,
    data_dir: options.DataDir = None,
) -> None:
    """Start the server. It runs in the foreground, until Ctrl-C or SIGTERM."""
    settings = options.load_settings(
        config,
        data_dir,
        host=host,
        port=port,
        workers=workers,
        log_level=log_level,
        log_format="json" if json else None,
        record_dir=None if record is None else str(record.absolute()),
    )
    if model is not None:
        settings = with_model(settings, model)
    if replay is not None:
        settings = with_replay(settings, replay)
    serve(settings, json=json, config_file=None if replay is not None else followed_file(config))


def serve(settings: Settings, *, json: bool, config_file: Path | None = None) -> None:
    """Serves until the server is ended.

    Args:
        settings: Of the server.
        json: Whether what is said at start is for a program.
        config_file: What is looked at for other providers while the server runs, and so are stored ones; None where
            there shall be no others.

    Raises:
        RixinError: `CONFIGURATION`, when the server cannot start and why.
    """
    log_format = logs.resolve_format(settings.server.log_format, sys.stderr)
    logs.configure(settings.server.log_level, log_format)
    log = structlog.get_logger("rixin.supervisor")

    def announce(ready: ServerReady) -> None:
        sys.stdout.write(banner_json(ready, settings) if json else banner(ready, settings, os.environ))
        sys.stdout.flush()

    def tell(source: str, line: str) -> None:
        level, _, text = line.partition(" ")
        if level not in _CHILD_LEVELS:
            level, text = "INFO", line
        getattr(log, _CHILD_LEVELS[level])(text, source=source)

    supervisor = Supervisor(
        settings,
        pull=pull_shown,
        launcher=engine_launcher(settings),
        clock=SystemClock(),
        log=tell,
        log_format=log_format,
        show_first_key=sys.stdout.isatty() and not json,
        on_ready=announce,
        on_model=model_bars(),
        config_file=config_file,
    )
    code = asyncio.run(supervisor.run())
    if code:
        raise typer.Exit(code)


def model_bars() -> Callable[[ModelStatus], None]:
    """What shows how far local models are loaded, where stderr is a terminal."""
    if not output.stderr.is_terminal:
        return lambda _: None
    # As for `pull_shown`.
    from rixin.cli.progress import ModelBars  # noqa: PLC0415 - see above

    bars = ModelBars(output.stderr)

    def show(status: ModelStatus) -> None:
        # What is downloaded has a bar of its own, with bytes and speed.
        if status.state != PULLING:
            bars.show(status.model, status.state, status.progress)

    return show


def followed_file(config: Path | None) -> Path:
    """The file that a running server looks at; it need not be there yet."""
    return (config or Path(CONFIG_NAME)).absolute()


def with_model(settings: Settings, path: Path) -> Settings:
    """The settings with a file as the model `local`, in place of one that they call so."""
    read_header(path)
    others = tuple(model for model in settings.models if model.name != LOCAL)
    return msgspec.structs.replace(settings, models=(LocalModel(name=LOCAL, path=path.absolute()), *others))


def with_replay(settings: Settings, directory: Path) -> Settings:
    """The settings with recordings in place of every provider and local model.

    Raises:
        RixinError: `CONFIGURATION`, naming what is wrong with the recordings.
    """
    load_all(directory)
    provider = Provider(name="replay", base_url=f"{REPLAY}{directory.absolute()}")
    return msgspec.structs.replace(settings, providers=(provider,), models=(), routes={})


async def pull_shown(name: str, models_dir: Path, tell: Callable[[PullProgress], None]) -> Path:
    """Pulls a model, with a bar where stderr is a terminal."""
    # The HTTP client and the bar take a third of the supervisor's memory, and nearly every start needs neither.
    from rixin.cli.progress import download_bar  # noqa: PLC0415 - see above
    from rixin.engines.pull import Progress, pull  # noqa: PLC0415 - see above

    with download_bar(output.stderr, name) as show:

        def both(progress: Progress) -> None:
            show(progress)
            tell(progress)

        return await pull(name, models_dir, both)
