"""The tutorial is played: its files are written, its commands run, and what they print is what the page prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.unit.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "tutorial" / "first-feed.md"
_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
_HASH = re.compile(r"\b[0-9a-f]{12}\b")


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(PAGE):
        reader.follow(block)
    assert reader.commands_run > 10


class Reader:
    """Somebody who follows the page to the letter, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claim = ""
        self.commands_run = 0
        bin_folder = str(Path(sys.executable).parent)
        self._environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}
        self._environment.pop("CLEANCLAIM_SITE", None)

    def follow(self, block: Block) -> None:
        """Write the block's file, or run its commands and compare."""
        if block.language == "console":
            for command, expected in _steps(block.text):
                self._run(command, expected)
        elif block.file:
            path = self._folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.content)

    def _run(self, command: str, expected: list[str]) -> None:
        if command.startswith("cd "):
            self._folder /= command.removeprefix("cd ")
            return
        done = subprocess.run(
            command.replace("CLAIM", self._claim) if self._claim else command,
            shell=True,  # the page is ours, and its commands are what a reader types
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.commands_run += 1
        said = done.stdout + done.stderr
        if command == "cleanclaim claims list":
            self._claim = _ID.findall(said)[0]
        assert _matches(expected, _told(said)), f"$ {command}\n{said}\n--- the page says\n" + "\n".join(expected)


def _steps(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command, what it prints) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        yield command, [_spaced(line) for line in expected]


def _told(said: str) -> list[str]:
    return [_spaced(_HASH.sub("HASH", _ID.sub("ID", line))) for line in said.rstrip("\n").split("\n")]


def _spaced(line: str) -> str:
    return " ".join(line.split())


def _matches(expected: list[str], told: list[str]) -> bool:
    """True when the lines are the same; ``...`` stands for any number of lines."""
    if not expected:
        return told in ([], [""])
    if expected[0] == "...":
        return any(_matches(expected[1:], told[start:]) for start in range(len(told) + 1))
    return bool(told) and told[0] == expected[0] and _matches(expected[1:], told[1:])
