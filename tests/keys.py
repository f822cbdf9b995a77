"""OpenPGP keys for tests: real ones, made in a moment, in files as a site keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pysequoia


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Somebody's key, and references to its two halves."""

    private: str
    public: str


def a_key_pair(folder: Path, name: str, seconds: int | None = None) -> KeyPair:
    """A new key, valid so long, or for ever."""
    key = pysequoia.Tsk.generate(f"{name}@clinic.example", validity_seconds=seconds)
    private, public = folder / f"{name}.private.asc", folder / f"{name}.public.asc"
    private.write_text(str(key))
    public.write_text(str(key.extract_certificate()))
    return KeyPair(f"file:{private}", f"file:{public}")
