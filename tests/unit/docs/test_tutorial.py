"""The tutorial is played: its files are written, its commands run, and what they print is what the page prints."""

from __future__ import annotations

import gc
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import run
from tests.unit.docs.pages import ROOT, Block, blocks

PAGE = ROOT / "docs" / "tutorial" / "first-feed.md"
_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{26}\b")
_HASH = re.compile(r"\b[0-9a-f]{12}\b")


def test_the_tutorial_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(tmp_path, monkeypatch, capsys)
    for block in blocks(PAGE):
        reader.follow(block)
    assert reader.commands_run > 10


class Reader:
    """Somebody who follows the page to the letter, in an empty folder."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, said: pytest.CaptureFixture[str]) -> None:
        self._folder, self._patch, self._said = folder, patch, said
        self._claim = ""
        self.commands_run = 0
        patch.setenv("COLUMNS", "200")
        patch.delenv("CLEANCLAIM_SITE", raising=False)

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
        typed = command.replace("CLAIM", self._claim) if self._claim else command
        name, *arguments = shlex.split(typed)
        if name == "cleanclaim":
            said = self._told_by_cleanclaim(arguments)
            self.commands_run += 1
        else:  # the page is ours, and what else it has the reader type is the shell's
            said = subprocess.check_output(typed, shell=True, cwd=self._folder, text=True, timeout=120)
        if command == "cleanclaim claims list":
            self._claim = _ID.findall(said)[0]
        assert _matches(expected, _told(said)), f"$ {command}\n{said}\n--- the page says\n" + "\n".join(expected)

    def _told_by_cleanclaim(self, arguments: list[str]) -> str:
        """In this process: loading the program again for every command would take most of the test's time."""
        self._patch.chdir(self._folder)
        try:
            run(arguments)
        finally:
            gc.enable()  # a command that leaves it off is over with its process
        out, err = self._said.readouterr()
        return out + err


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
