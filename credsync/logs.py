"""Log lines: JSON for machines, one object a line, or coloured text for a terminal."""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor

_DEEPEST = 12
"""Frames of a failure that are shown."""


def configure_logs(log_format: Literal["json", "console"], also: Sequence[Processor] = ()) -> None:
    """Send every log line, ours and the libraries', to standard error in one format; `also` see it just before.

    Ours take the short way: the standard library's records cost three times what the line does, and a round has thousands.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        where_it_failed,
        *also,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(_as_json)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    lines = _Lines(sys.stderr)
    structlog.configure(
        processors=[*shared, renderer],
        logger_factory=lambda *_: lines,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("httpx2", "httpcore2", "uvicorn", "uvicorn.access", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


_ENCODER = json.JSONEncoder(default=repr)


def _as_json(line: EventDict, **_: object) -> str:
    """A line as JSON; an encoder that is made for every line anew takes as long as the line."""
    return _ENCODER.encode(line)


class _Lines:
    """Writes finished lines, each at once. A log that cannot be written stops nothing."""

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        """One line."""
        with self._lock, suppress(OSError, ValueError):
            self._output.write(f"{line}\n")
            self._output.flush()

    debug = info = warning = error = critical = exception = fatal = log = msg


def where_it_failed(_logger: object, _method: str, line: EventDict) -> EventDict:
    """An exception as its type and the places it passed.

    Never its message or locals: they may hold what somebody submitted.
    """
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)[-_DEEPEST:]
        line["error"] = type(error).__name__
        line["passed"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return line
