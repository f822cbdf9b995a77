"""Where logs go: one JSON object per line on standard error. Nothing that is logged holds a patient's data."""

from __future__ import annotations

import json
import logging
import sys
import threading

import structlog

from gateway.errors import innermost_place


class _WithoutValues(logging.Formatter):
    """What libraries log, without the values they put in: the template, and where an exception came from."""

    def format(self, record: logging.LogRecord) -> str:
        # asyncio puts what broke, with all its values, on further lines of the template itself.
        event = next(iter(str(record.msg).splitlines()), "")
        said = {"level": record.levelname.lower(), "logger": record.name, "event": event}
        if record.exc_info and record.exc_info[1] is not None:
            broke = record.exc_info[1]
            said["exception"] = f"{type(broke).__name__} at {innermost_place(broke)}".removesuffix(" at ")
        return json.dumps(said)


class _StandardError(logging.Handler):
    """Writes to what standard error is at the moment, not to what it was when logging was set up."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        sys.stderr.write(self.format(record) + "\n")


def _thread_broke(broke: threading.ExceptHookArgs) -> None:
    """Python itself would print the exception's text, which may hold a patient's data."""
    place = innermost_place(broke.exc_value) if broke.exc_value is not None else ""
    structlog.get_logger("thread").error("thread-broke", error=broke.exc_type.__name__, at=place)


def log_to_stderr(level: int = logging.WARNING) -> None:
    """Send our events, and what libraries say, to standard error; standard output belongs to the command's answer."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    threading.excepthook = _thread_broke
    handler = _StandardError()
    handler.setFormatter(_WithoutValues())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
