"""Logging of a process: structlog and the standard library through one door to stderr, as JSON or for people.

Called once in each process. Event names are short and constant; everything that varies is a key.
"""

import contextlib
import logging
import sys
from pathlib import Path
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]

LOG_BYTES_MAX = 20_000_000

# Libraries that say at INFO more than an operator can read; ours is one line per connection.
_QUIET_LOGGERS = (
    "alembic",
    "asyncio",
    "httpcore2",
    "httpx2",
    "psycopg",
    "psycopg.pool",
    "redis",
    "uvicorn.access",
    "websockets",
)


def open_log(path: Path) -> TextIO:
    """Opens a process' log for appending; one that grew large is set aside first (one generation is kept)."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_suffix(".log.1"))
    return path.open("a", buffering=1, encoding="utf-8")


def configure(level: str, log_format: Format, *, process: str | None = None, stream: TextIO | None = None) -> None:
    """Sends all logging of this process to `stream`, at `level` (debug, info, warning, error) and above.

    Args:
        level: The least level that is logged.
        log_format: json: one object a line; console: for people, with colours only on a terminal.
        process: The name of this process, put on each line (`ingress-0`); None: no such key.
        stream: None: stderr.
    """
    stream = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared = _shared_processors(process)
    rendering = _rendering(log_format, stream)
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                _without_ray_timestamp,
                *shared,
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):  # they bring handlers of their own
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    logging.captureWarnings(capture=True)


def _without_ray_timestamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Ray marks every record of the standard library with a time of its own; ours is on the line already."""
    event.pop("_ray_timestamp_ns", None)
    return event


def _shared_processors(process: str | None) -> list[Processor]:
    def add_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    return processors if process is None else [*processors, add_process]


def _rendering(log_format: Format, stream: TextIO) -> list[Processor]:
    if log_format == "json":
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # locals hold passwords and tokens
        return [structlog.processors.ExceptionRenderer(traceback), structlog.processors.JSONRenderer(serializer=_json)]
    colours = stream.isatty()
    formatter = structlog.dev.RichTracebackFormatter(show_locals=False) if colours else structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=formatter)]


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
