"""The documentation cannot lie: its links lead somewhere, its commands exist, its files are YAML and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from gateway.cli.app import app
from gateway.cli.reference import walk
from tests.unit.docs.pages import ROOT, all_pages, blocks, command_lines, links

PAGES = all_pages()
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
COMMANDS = dict(walk(typer.main.get_command(app)))
GROUPS = {path[:1] for path in COMMANDS if len(path) > 1}
OPTIONS = frozenset({"--help", "-h", "--json"})
each_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)


def test_every_page_is_reached_from_the_index_or_is_the_index() -> None:
    reached = {(page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in links(page)}
    assert [] == [name for page, name in zip(PAGES, NAMES, strict=True) if page not in reached and name != "README.md"]


@each_page
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    relative = [link for link in links(page) if "://" not in link and not link.startswith("#")]
    assert [] == [link for link in relative if not (page.parent / link.partition("#")[0]).exists()]


@each_page
def test_links_to_headings_lead_to_headings(page: Path) -> None:
    for link in links(page):
        file, hash_mark, heading = link.partition("#")
        if hash_mark and "://" not in link:
            target = (page.parent / file) if file else page
            titles = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_every_command_shown_exists_with_its_options(page: Path) -> None:
    for words in command_lines(page):
        assert _mistake(words) == "", f"cleanclaim {' '.join(words)}"


@each_page
def test_blocks_of_yaml_and_json_can_be_read(page: Path) -> None:
    for block in blocks(page):
        if block.language == "yaml":
            YAML(typ="safe").load(block.content)
        elif block.language == "json":
            json.loads(block.text)


@each_page
def test_no_page_names_a_machine(page: Path) -> None:
    assert re.findall(r"/(?:work|home|root|Users)/\S*|/tmp/(?!cleanclaim-demo)\S*", page.read_text()) == []


def _mistake(words: list[str]) -> str:
    """What is wrong with a command line as shown, or nothing. Words in prose end it where a command could not go on."""
    path: tuple[str, ...] = ()
    rest = list(words)
    while rest and ((*path, rest[0]) in COMMANDS or (not path and (rest[0],) in GROUPS)):
        path = (*path, rest.pop(0))
    if not path:
        return "no such command" if words and re.fullmatch(r"[a-z]+", words[0]) and "--" in " ".join(words) else ""
    if path in GROUPS and path not in COMMANDS:
        return f"no such command: {rest[0]}" if rest and re.fullmatch(r"[a-z-]+", rest[0]) else ""
    known = OPTIONS | {name for parameter in COMMANDS[path].params for name in parameter.opts}
    shown = {word.partition("=")[0].strip(",.") for word in rest if word.startswith("--")}
    return f"no such option: {sorted(shown - known)}" if shown - known else ""


def test_a_wrong_command_line_would_be_found() -> None:
    assert _mistake(["claims", "funnel"]) == "no such command: funnel"
    assert _mistake(["exchange", "resolve", "FILE", "--resend"]) == "no such option: ['--resend']"
    assert _mistake(["explode", "--json"]) == "no such command"
    assert _mistake(["claims", "why", "CLAIM"]) == ""
