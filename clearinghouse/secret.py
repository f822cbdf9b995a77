"""Secrets by reference: `env:NAME` or `file:PATH`. A secret is never in a profile, a log line or an exception."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gateway.errors import GatewayError

REFERENCE = r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+"


class SecretMissing(GatewayError):
    """A secret that a profile refers to cannot be read."""


class Secret:
    """A secret that shows itself only when asked by name."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself; to be handed on at once and kept nowhere."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"


def resolve_secret(reference: str, beside: Path | None = None) -> Secret:
    """The secret a reference names; a relative `file:` path is taken from the folder `beside`.

    One trailing newline of a file is dropped. Raises SecretMissing with the next step and without the value.
    """
    if not re.fullmatch(REFERENCE, reference):
        raise SecretMissing("a secret reference is env:NAME or file:PATH")
    kind, _, rest = reference.partition(":")
    if kind == "env":
        value = os.environ.get(rest)
        if not value:
            raise SecretMissing(f"set the environment variable {rest}")
        return Secret(value)
    path = Path(rest) if beside is None else beside / rest
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise SecretMissing(f"the secret file {path} cannot be read: {type(failure).__name__}") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretMissing(f"the secret file {path} is empty")
    return Secret(text)
