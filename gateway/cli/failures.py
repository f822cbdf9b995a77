"""What a person or a program is told when a command cannot do its work: one plain sentence, never a traceback."""

from __future__ import annotations

import os
import re
import sys
import traceback

import typer

from gateway.cli.output import FOUND, INTERRUPTED, MISUSE, complain, write_json
from gateway.errors import ConfigurationError, FormatError, GatewayError, NotFound, NotKnown, innermost_place

TRACEBACK = "CLEANCLAIM_TRACEBACK"
_CLOSED_PIPE = 141
_MISUSES = (ConfigurationError, FormatError, NotFound, NotKnown)

_NO_DATE = re.compile(r"does not match the formats? '%Y-%m-%d'")


def answer_failure(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong, and return the exit code that says so."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):  # typer's own way out when nobody reads any more
        return error.code if isinstance(error.code, int) else FOUND
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        complain("stopped before it was done; running the same command again goes on safely")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads: the flush at exit stays quiet
        return _CLOSED_PIPE
    kind, message, code = describe_failure(error)
    if as_json:
        write_json({"error": {"kind": kind, "message": message}})
    complain(message)
    return code


def describe_failure(error: BaseException) -> tuple[str, str, int]:
    """(stable kind, plain sentences, exit code). An unexpected error's text may hold a patient's data: left out."""
    if isinstance(error, GatewayError):
        return error.kind, str(error), MISUSE if isinstance(error, _MISUSES) else FOUND
    if isinstance(error, typer.TyperException):
        return "misuse", _misuse(error), MISUSE
    if isinstance(error, OSError):
        where = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        return "file", f"{where}{error.strerror or 'cannot be used'}; check the path and who may use it", MISUSE
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
    told = f"this is a defect of cleanclaim ({type(error).__name__} at {_place(error)}); nothing half done was kept"
    return "defect", f"{told}; set {TRACEBACK}=1 to see where it came from, and tell whoever maintains it", FOUND


def _misuse(error: typer.TyperException) -> str:
    message = _NO_DATE.sub(
        "is not a date such as 2026-01-31", error.format_message().rstrip(".").replace("Value error, ", "")
    )
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "cleanclaim"
    return message if "\n" in message else f"{message}; see '{command} --help'"


def _place(error: BaseException) -> str:
    return innermost_place(error).rpartition(os.sep)[2] or "an unknown place"
