"""Domain values to stored bytes and back. JSON, because a person may have to read a row without us."""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

from gateway.claim.origins import stored_origins

T = TypeVar("T")
_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=stored_origins)
_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def encode(value: object) -> bytes:
    """JSON of a domain value, the same bytes for equal values."""
    return _ENCODER.encode(value)


def decode(content: bytes, type: type[T]) -> T:
    """The domain value of stored JSON. ``type`` may be any annotation, e.g. ``tuple[Finding, ...]``."""
    decoder = _DECODERS.get(type)
    if decoder is None:
        decoder = _DECODERS[type] = msgspec.json.Decoder(type)
    value: T = decoder.decode(content)
    return value


def digest(content: bytes) -> str:
    """SHA-256 in hex: the name of a blob."""
    return hashlib.sha256(content).hexdigest()
