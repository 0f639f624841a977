"""How the server's records are written:

as text for people, or as JSON for programs. Never a word of what clients said.
"""

import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog

from rixin.cli.log_lines import LogLines, as_json, json_logger
from rixin.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def resolve_format(log_format: Literal["auto", "text", "json"], stream: TextIO) -> Literal["text", "json"]:
    """`auto` is text where a person reads along, and JSON elsewhere."""
    if log_format == "auto":
        return "text" if stream.isatty() else "json"
    return log_format


def configure(level: Literal["debug", "info", "warning", "error"], log_format: Literal["text", "json"]) -> None:
    """Sets up records on the standard error stream, those of the libraries from `warning` on included."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    wrapper: type[structlog.typing.BindableLogger] = structlog.make_filtering_bound_logger(_LEVELS[level])
    factory: Callable[..., object] = structlog.PrintLoggerFactory(sys.stderr)
    if log_format == "json":
        lines = LogLines(sys.stderr)
        wrapper, factory = json_logger(_LEVELS[level], lines, SystemClock()), lambda *_: lines
        renderers: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_encode),
        ]
    else:
        # The renderer's own choice shows the variables of every frame, and with them what clients sent.
        plain = structlog.dev.plain_traceback
        renderers = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=10, exception_formatter=plain)
        ]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=wrapper,
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _encode(record: object, **_: object) -> str:
    return as_json(record)
