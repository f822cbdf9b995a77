"""Watched folders: a file dropped there is taken in once it has settled, then moved to done/, or to failed/ with why.

Before it is read it goes to taking/: whoever writes another under its name meanwhile has written one more file.
The last move comes after the commit: a process that dies between takes the file again, and finds everything known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any, Final

import structlog

from adapters.hl7.batch import batch_control_id, write_batch
from gateway.claim.identifiers import new_ulid
from gateway.config import DropSettings
from gateway.errors import Unavailable
from gateway.wiring.ingest import Taking
from gateway.wiring.site import Site

TAKING, DONE, FAILED, ANSWERS = "taking", "done", "failed", "answers"
_UNFINISHED: Final = (".tmp", ".part", ".filepart", ".partial", ".crdownload")
"""Names that programs give to what they are still writing; the whole file gets another one."""
_MOST_FILES = 50
"""In one pass, so that a process that stops waits for no more than these."""
_LONGEST_NAME_BYTES: Final = 200
"""What names made of a file's own add to it has to fit too."""
_State = tuple[int, int, int]
"""A file, its size and when it changed: what is the same before and after was not touched."""
_LOG = structlog.get_logger("drop")


class DropFolder:
    """One source's folder. Only one process of a site watches it."""

    def __init__(self, site: Site, source: str, settings: DropSettings, now: Callable[[], float] = monotonic) -> None:
        self._site = site
        self._source = source
        self._folder = site.settings.folder / settings.folder
        self._settle_s = settings.settle_s
        self._now = now
        self._seen: dict[Path, tuple[_State, float]] = {}
        """Each file as it was seen, and since when it is so."""

    def run(self) -> int:
        """Take what has settled; how many files. Raises Unavailable, with every file where it was or in taking/."""
        try:
            for name in ("", TAKING, DONE, FAILED, ANSWERS):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            settled = [path for path in self._waiting() if self._has_settled(path)][:_MOST_FILES]
            for path in settled:
                self._take(self._set_aside(path), self._seen[path][0])
        except OSError as error:
            raise Unavailable(f"the drop folder of {self._source} cannot be used: {error.strerror}") from error
        return len(settled)

    def _waiting(self) -> list[Path]:
        """Plain files in the folder itself and in taking/, oldest first; a link may lead anywhere: none is followed."""
        found = []
        for folder in (self._folder / TAKING, self._folder):
            with os.scandir(folder) as entries:
                files = [each for each in entries if each.is_file(follow_symlinks=False)]
            found += [each for each in files if not each.name.startswith(".") and not each.name.endswith(_UNFINISHED)]
        found.sort(key=lambda each: (each.stat(follow_symlinks=False).st_mtime_ns, each.name))
        waiting = [Path(each.path) for each in found]
        self._seen = {path: self._seen[path] for path in waiting if path in self._seen}
        return waiting

    def _has_settled(self, path: Path) -> bool:
        state = _state(path)
        before, since = self._seen.get(path, (None, 0.0))
        if before != state:
            self._seen[path] = (state, since := self._now())
        return self._now() - since >= self._settle_s

    def _set_aside(self, path: Path) -> Path:
        """Where the file lies now, under a name that nothing written about any other file has."""
        if path.parent.name == TAKING:
            return path
        stem = path.stem
        while len(os.fsencode(stem + path.suffix)) > _LONGEST_NAME_BYTES:
            stem = stem[:-1]
        name, number = stem + path.suffix, 1
        while any(each.exists() for each in self._written_of(name)):
            number += 1
            name = f"{stem}.{number}{path.suffix}"
        return path.rename(self._folder / TAKING / name)

    def _written_of(self, name: str) -> tuple[Path, ...]:
        ways = (TAKING, name), (DONE, name), (FAILED, name), (FAILED, f"{name}.why.json"), (ANSWERS, f"{name}.ack")
        return tuple(self._folder / folder / each for folder, each in ways)

    def _take(self, path: Path, settled: _State) -> None:
        """One file; one that is written to even now stays in taking/ until it has settled, and is taken again."""
        if _state(path) != settled:
            return
        taking = Taking(self._site, self._source)
        taking.take_file(path)
        if _state(path) != settled:
            return
        wrong = [each for each in taking.entries if each["reason"] is not None or _refused_within(each)]
        if taking.answers:
            self._write(ANSWERS, f"{path.name}.ack", self._acknowledgements(path, taking.answers))
        if wrong:
            self._write(FAILED, f"{path.name}.why.json", _reasons(wrong))
            _LOG.warning("drop-file-failed", source=self._source, refused=len(wrong), taken=len(taking.entries))
        path.rename(self._folder / (FAILED if wrong else DONE) / path.name)

    def _acknowledgements(self, path: Path, answers: list[bytes]) -> bytes:
        """Every answer the file's messages got, as one batch that names the batch it answers."""
        with path.open("rb") as stream:
            refers_to = batch_control_id(stream.read(4096))
        now = self._site.clock.now()
        return write_batch(answers, now, new_ulid(now), refers_to)

    def _write(self, folder: str, name: str, content: bytes) -> None:
        """Appears whole or not at all."""
        unfinished = self._folder / folder / f".{name}.tmp"
        unfinished.write_bytes(content)
        unfinished.replace(self._folder / folder / name)


def _state(path: Path) -> _State:
    found = path.lstat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _reasons(wrong: list[dict[str, Any]]) -> bytes:
    kept = [
        {"index": each["index"], "type": each["type"], "reason": each["reason"] or "; ".join(_refused_within(each))}
        for each in wrong
    ]
    return json.dumps({"refused": kept}, indent=2, ensure_ascii=False).encode() + b"\n"


def _refused_within(entry: dict[str, Any]) -> list[str]:
    """What is wrong with entries of a batch of which others were taken."""
    return [each["message"] for each in entry["findings"] if each["fatal"]]
