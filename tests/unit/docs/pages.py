"""The pages of the documentation, and what is written in them: links, code blocks, command lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_COMMAND = re.compile(r"(?:^|[ `(/$])cleanclaim((?: +[^`\n|;&#]+)?)")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language and its text."""

    language: str
    text: str

    @property
    def file(self) -> str:
        """The file it is to be written to, named by its first line (``# site.yaml``); empty when it names none."""
        match = re.match(r"# (\S+\.\w+)\n", self.text)
        return match[1] if match else ""

    @property
    def content(self) -> str:
        """The text without the line that names the file."""
        return self.text.partition("\n")[2] if self.file else self.text


def all_pages() -> list[Path]:
    """Every Markdown page that is ours."""
    return sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path) -> list[Block]:
    """A page's fenced blocks, in order."""
    return [Block(language, text) for _, language, text in _FENCE.findall(page.read_text())]


def links(page: Path) -> list[str]:
    """Where a page's links point, those in code left out."""
    return _LINK.findall(_FENCE.sub("", page.read_text()))


def command_lines(page: Path) -> Iterator[list[str]]:
    """The words after ``cleanclaim`` of every command line a page shows, comments and placeholders' dots left out."""
    for line in page.read_text().splitlines():
        for shown in _COMMAND.findall(line):
            words = re.split(r" {3,}|\)", shown.strip())[0].replace("`", "").split()
            yield words
