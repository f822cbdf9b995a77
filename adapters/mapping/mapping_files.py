"""The files of a mapping set as bytes by relative path: shipped ones, a site's overlay over them, and their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from gateway.errors import ConfigurationError

FOLDERS: Final = ("sources", "services", "payers", "facilities", "clearinghouses", "codes")
CASES: Final = "tests"
"""Where the cases of mapping files lie: beside them, and no part of the set."""
TEMPLATES: Final = "templates"
"""A folder of the shipped files that looks like a site's own."""
_DEEPEST = 6
_SUFFIXES = (".yaml", ".yml")


def read_mapping_files(shipped: bool, overlay: Path | None) -> dict[str, bytes]:
    """Mapping files by path such as `payers/medicare.yaml`; an overlay's file replaces the shipped one of its path.

    An overlay's file that is empty, or holds comments alone, takes the shipped one of its path out of the set.
    Raises ConfigurationError when the overlay is not a folder or a file in it cannot be read.
    """
    found: dict[str, bytes] = {}
    if shipped:
        found.update(_read(package_files("mappings")))
    if overlay is not None:
        if not overlay.is_dir():
            raise ConfigurationError([f"{overlay}: is not a folder; expected the site's mapping files there"])
        for path, content in _read(overlay):
            if path in found and _says_nothing(content):
                del found[path]
            else:
                found[path] = content
    return dict(sorted(found.items()))


def read_templates() -> dict[str, bytes]:
    """The shipped templates of EHRs, and the made-up clinic in which they are tried; no site's set has them in it."""
    return dict(_read(package_files("mappings").joinpath(TEMPLATES)))


def _says_nothing(content: bytes) -> bool:
    return all(not line.strip() or line.lstrip().startswith(b"#") for line in content.splitlines())


def _read(root: Traversable) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        top = root.joinpath(folder)
        if top.is_dir():
            yield from _read_folder(top, folder)


def _read_folder(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        below = f"{path}/{each.name}"
        if each.name.startswith("."):
            continue
        if each.is_dir():
            if below.count("/") > _DEEPEST:
                raise ConfigurationError([f"{below}: is too deep; does a link there lead back to a folder above it?"])
            yield from _read_folder(each, below)
        elif each.name.endswith(_SUFFIXES):
            try:
                yield below, each.read_bytes()
            except OSError as error:
                raise ConfigurationError([f"{below}: cannot be read: {error.strerror}"]) from error


def content_hash(files: Mapping[str, bytes]) -> str:
    """One hash over every path and its bytes: the name of the mapping set."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(files[path]).digest())
    return digest.hexdigest()
