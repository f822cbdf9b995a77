"""What reading mapping files found before, kept in one file beside the site: tables by content, sources that compile.

Never stale: entries go by the hash of a file's bytes, and all of them by the code that read them. Only what had no
mistake is kept, so a mistake is always told anew. Where the file cannot be read or written, or where anybody else may
write it, nothing is remembered.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec

import adapters
from adapters.mapping.yaml_reader import Items, Node, Nothing, Place, Problems, Table, Text, read_yaml
from gateway import claim

_CODE: Final = (adapters, claim)
_LARGEST_BYTES: Final = 256 * 1024 * 1024
_WRITTEN_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH
_ERRORS: Final = (OSError, msgspec.MsgspecError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


class _Kept(msgspec.Struct):
    """The file as it is written."""

    code: str
    tables: dict[str, msgspec.Raw]
    sound: list[str]


class Remembered:
    """What is known of files by their bytes. ``path`` None remembers for this object's life alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._code = _code_version() if path else ""
        self._tables: dict[str, Any] = {}
        self._sound: set[str] = set()
        if path is not None:
            with contextlib.suppress(*_ERRORS):
                self._load(path)
        self._asked: set[str] = set()
        self._new = False

    def _load(self, path: Path) -> None:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            others_may_write = status.st_uid != os.geteuid() or status.st_mode & _WRITTEN_BY_OTHERS
            if others_may_write or status.st_size > _LARGEST_BYTES:
                return
            kept = msgspec.msgpack.decode(file.read(), type=_Kept)
        if kept.code == self._code:
            self._tables, self._sound = dict(kept.tables), set(kept.sound)

    def table(self, file: str, content: bytes, problems: Problems) -> Table | None:
        """The mapping at the top of a file; None, with problems noted, where there is none that can be read."""
        key = self._key(file, content)
        kept = self._tables.get(key)
        if kept is not None:
            with contextlib.suppress(*_ERRORS):
                return _table(file, msgspec.msgpack.decode(kept))
        before = len(problems)
        read = read_yaml(file, content, problems)
        if read is not None and len(problems) == before:
            self._tables[key] = msgspec.msgpack.encode(_plain(read))
            self._new = True
        return read

    def is_sound(self, file: str, content: bytes) -> bool:
        """Whether this source file compiled without a mistake before."""
        return self._key(file, content) in self._sound

    def note_sound(self, file: str, content: bytes) -> None:
        """Keep that it did."""
        self._sound.add(self._key(file, content))
        self._new = True

    def _key(self, file: str, content: bytes) -> str:
        key = hashlib.sha256(file.encode() + b"\0" + content).hexdigest()
        self._asked.add(key)
        return key

    def keep(self) -> None:
        """Write what was asked for, and drop the rest; quietly not where the folder does not let us."""
        if self._path is None or not (self._new or self._tables.keys() - self._asked):
            return
        tables = {key: msgspec.Raw(table) for key, table in self._tables.items() if key in self._asked}
        kept = _Kept(code=self._code, tables=tables, sound=sorted(self._sound & self._asked))
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(msgspec.msgpack.encode(kept))
            unfinished.chmod(stat.S_IRUSR | stat.S_IWUSR)
            unfinished.replace(self._path)


def _code_version() -> str:
    """The product's version, and when each file that reads was changed: a checkout moves under one version."""
    digest = hashlib.sha256(version("cleanclaim").encode())
    for package in _CODE:
        for file in sorted(Path(package.__path__[0]).rglob("*.py")):
            status = file.stat()
            digest.update(f"{file}|{status.st_mtime_ns}|{status.st_size}\n".encode())
    return digest.hexdigest()


def _plain(node: Node) -> list[Any]:
    place = [node.place.line, node.place.column]
    if isinstance(node, Text):
        return [*place, node.value]
    if isinstance(node, Nothing):
        return place
    if isinstance(node, Items):
        return [*place, [_plain(each) for each in node.nodes]]
    return [*place, {key: [*_at(node.key_places[key]), _plain(each)] for key, each in node.entries.items()}]


def _at(place: Place) -> tuple[int, int]:
    return place.line, place.column


def _node(file: str, kept: list[Any]) -> Node:
    place = Place(file, kept[0], kept[1])
    if len(kept) == 2:
        return Nothing(place)
    held = kept[2]
    if isinstance(held, str):
        return Text(place, held)
    if isinstance(held, list):
        return Items(place, tuple([_node(file, each) for each in held]))
    return _table(file, kept)


def _table(file: str, kept: list[Any]) -> Table:
    held: Mapping[str, Any] = kept[2]
    entries = {key: _node(file, node) for key, (_, _, node) in held.items()}
    places = {key: Place(file, line, column) for key, (line, column, _) in held.items()}
    return Table(Place(file, kept[0], kept[1]), entries, places)
