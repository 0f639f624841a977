"""How the engine of a local model is started, as the settings want it."""

import os
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from rixin.engines.child.config import ChildConfig
from rixin.engines.child.status import decode_status
from rixin.engines.embedder.config import EmbedderConfig
from rixin.engines.launcher import Launcher
from rixin.engines.process_pipes import Program, without_secrets
from rixin.errors import Kind, RixinError
from rixin.settings import LocalModel, Settings, path_to_text

COMMAND = (sys.executable, "-m", "rixin.engines.child")
EMBEDDER_COMMAND = (sys.executable, "-m", "rixin.engines.embedder")


def engine_launcher(settings: Settings) -> Launcher:
    """Starts engine children of ours. None of the environment's secrets is handed on to them."""

    def program(model: LocalModel, socket: Path) -> Program:
        return _program(COMMAND, child_config(settings, model, socket))

    def embedder(socket: Path) -> Program:
        return _program(EMBEDDER_COMMAND, embedder_config(settings, socket))

    return Launcher(program=program, decode=decode_status, embedder=embedder)


def _program(command: tuple[str, ...], config: Struct) -> Program:
    return Program(
        arguments=command,
        configuration=msgspec.json.encode(config, enc_hook=path_to_text),
        environment=without_secrets(os.environ),
    )


def embedder_config(settings: Settings, socket: Path) -> EmbedderConfig:
    """What the embedder is told."""
    return EmbedderConfig(
        socket=socket,
        threads=settings.engine.threads,
        queue=settings.engine.queue,
        queue_deadline=settings.engine.queue_deadline,
        log_level=settings.server.log_level,
    )


def child_config(settings: Settings, model: LocalModel, socket: Path) -> ChildConfig:
    """What a model's engine is told: the model's own settings, else those of all engines.

    Raises:
        RixinError: `CONFIGURATION` where the chat template cannot be read.
    """
    return ChildConfig(
        name=model.name,
        path=model.path.absolute(),
        socket=socket,
        mmproj=model.mmproj and model.mmproj.absolute(),
        context_length=model.context_length,
        pool=model.pool,
        max_output_length=model.max_output_length,
        slots=settings.engine.slots if model.slots is None else model.slots,
        threads=settings.engine.threads if model.threads is None else model.threads,
        chat_template=model.chat_template and _read(model.chat_template),
        tool_format=model.tool_format,
        queue=settings.engine.queue,
        queue_deadline=settings.engine.queue_deadline,
        shutdown_grace=settings.server.shutdown_grace,
        log_level=settings.server.log_level,
    )


def _read(template: Path) -> str:
    try:
        return template.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RixinError(Kind.CONFIGURATION, f"cannot read the chat template {template}: {error}") from None
