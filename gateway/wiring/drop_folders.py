"""Watched folders: a file dropped there is taken in once it has settled, then moved to done/, or to failed/ with why.

The move comes after the commit: a process that dies between takes the file again, and finds everything known already.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
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

DONE, FAILED, ANSWERS = "done", "failed", "answers"
_UNFINISHED: Final = (".tmp", ".part", ".filepart", ".partial", ".crdownload")
"""Names that programs give to what they are still writing; the whole file gets another one."""
_MOST_FILES = 50
"""In one pass, so that a process that stops waits for no more than these."""
_LOG = structlog.get_logger("drop")


class DropFolder:
    """One source's folder. Only one process of a site watches it."""

    def __init__(self, site: Site, source: str, settings: DropSettings, now: Callable[[], float] = monotonic) -> None:
        self._site = site
        self._source = source
        self._folder = site.settings.folder / settings.folder
        self._settle_s = settings.settle_s
        self._now = now
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}
        """Size and time of change of each file, and since when they are so."""

    def run(self) -> int:
        """Take what has settled; how many files. Raises Unavailable, with every file where it was."""
        try:
            for name in ("", DONE, FAILED, ANSWERS):
                (self._folder / name).mkdir(parents=True, exist_ok=True)
            settled = [path for path in self._waiting() if self._has_settled(path)][:_MOST_FILES]
            for path in settled:
                self._take(path)
        except OSError as error:
            raise Unavailable(f"the drop folder of {self._source} cannot be used: {error.strerror}") from error
        return len(settled)

    def _waiting(self) -> Iterator[Path]:
        """Plain files lying in the folder itself, the oldest first; a link may lead anywhere, so none is followed."""
        with os.scandir(self._folder) as entries:
            files = [each for each in entries if each.is_file(follow_symlinks=False)]
        named = [each for each in files if not each.name.startswith(".") and not each.name.endswith(_UNFINISHED)]
        self._seen = {name: seen for name, seen in self._seen.items() if name in {each.name for each in named}}
        for each in sorted(named, key=lambda each: (each.stat(follow_symlinks=False).st_mtime_ns, each.name)):
            yield self._folder / each.name

    def _has_settled(self, path: Path) -> bool:
        found = path.stat()
        state = (found.st_size, found.st_mtime_ns)
        before, since = self._seen.get(path.name, (None, 0.0))
        if before != state:
            self._seen[path.name] = (state, since := self._now())
        return self._now() - since >= self._settle_s

    def _take(self, path: Path) -> None:
        taking = Taking(self._site, self._source)
        taking.take_file(path)
        wrong = [each for each in taking.entries if each["reason"] is not None]
        if taking.answers:
            self._write(ANSWERS, f"{path.name}.ack", self._acknowledgements(path, taking.answers))
        if wrong:
            self._write(FAILED, f"{path.name}.why.json", _reasons(wrong))
            _LOG.warning("drop-file-failed", source=self._source, refused=len(wrong), taken=len(taking.entries))
        self._move(path, FAILED if wrong else DONE)

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

    def _move(self, path: Path, folder: str) -> None:
        """Never over another file: what lies there under the name already keeps it."""
        target = self._folder / folder / path.name
        number = 1
        while target.exists():
            number += 1
            target = self._folder / folder / f"{path.stem}.{number}{path.suffix}"
        path.rename(target)


def _reasons(wrong: list[dict[str, Any]]) -> bytes:
    kept = [{"index": each["index"], "type": each["type"], "reason": each["reason"]} for each in wrong]
    return json.dumps({"refused": kept}, indent=2, ensure_ascii=False).encode() + b"\n"
