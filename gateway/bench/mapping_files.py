"""The mappings stage: ``mappings check`` of a large site, the whole command as it is typed, in processor time."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from gateway.bench.rows import compared
from gateway.bench.timing import sized
from gateway.wiring.new_site import make_site

FILES: Final = 500
_COPIED: Final = ("payers/prairie-mutual.yaml", "services/prairie-mutual.yaml", "sources/generic-hl7.yaml")
"""A payer, what it buys, and every tenth time a feed."""
_FEED_EVERY, _LEAST = 10, 40
_CHECK: Final = (sys.executable, "-m", "gateway.cli", "mappings", "check", "--site")


def large_site(folder: Path, number: int = FILES) -> Path:
    """A site whose set has this many files, made of the shipped ones under other names."""
    make_site(folder, demo=False, database="sqlite:///none.sqlite", samples={})
    for name, text in _files(number):
        path = folder / "mappings" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def _files(number: int) -> Iterator[tuple[str, str]]:
    shipped = files("mappings")
    missing = number - sum(1 for each in Path(str(shipped)).glob("[!t]*/*.yaml"))
    payer, service, feed = (shipped.joinpath(name).read_text() for name in _COPIED)
    copy = 0
    while missing > 0:
        copy += 1
        own = f"payer-{copy}"
        named = payer.replace("prairie-mutual", own).replace("value: ", f"value: {copy}-")
        made = [
            (_files_name(copy), named),
            (f"services/{own}.yaml", service.replace("prairie-mutual", own).replace("prairie-mh", own)),
        ]
        if copy % _FEED_EVERY == 0:
            made.append((f"sources/feed-{copy}.yaml", feed.replace("generic-hl7", f"feed-{copy}")))
        yield from made[:missing]
        missing -= len(made)


def _files_name(copy: int) -> str:
    return f"payers/payer-{copy}.yaml"


def check_large_site(scale: float) -> list[dict[str, Any]]:
    """Seconds of ``mappings check`` over 500 files: none read before, one edited since, none edited."""
    number = sized(FILES, scale, _LEAST)
    with tempfile.TemporaryDirectory() as folder:
        site = large_site(Path(folder) / "site", number)
        theirs = _ruamel_seconds(site)
        first = _check_seconds(site)
        edited = site / "mappings" / _files_name(1)
        edited.write_text(edited.read_text() + "# edited\n")
        again, unchanged = _check_seconds(site), _check_seconds(site)
    reference = "ruamel.yaml composes the site's own files"
    rows = [
        compared(f"mappings check, {number} files, none read before", first, "s", reference, theirs,
                 budget="<= 5 s", at_most=5.0, note="processor time of the whole command, its start included"),
        compared(f"mappings check, {number} files, one edited", again, "s", reference, theirs,
                 budget="<= 1 s", at_most=1.0),
        compared(f"mappings check, {number} files, none edited", unchanged, "s", reference, theirs,
                 budget="<= 1 s", at_most=1.0),
    ]  # fmt: skip
    return [row.document() for row in rows]


def _ruamel_seconds(site: Path) -> float:
    began = time.process_time()
    for file in sorted((site / "mappings").rglob("*.yaml")):
        YAML(typ="safe", pure=True).compose(file.read_text())
    return time.process_time() - began


def _check_seconds(site: Path) -> float:
    """Raises ChildProcessError when the command finds something wrong."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*_CHECK, str(site)], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise ChildProcessError((done.stdout + done.stderr).decode()[:400])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
