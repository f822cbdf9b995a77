"""The shipped templates of EHRs, as a page tells of them: whose they are, and what each entry follows. Applies none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from adapters.mapping.mapping_files import read_templates
from adapters.mapping.yaml_reader import Items, Node, Problems, Table, Text, read_yaml


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    """What an EHR says in a way of its own, and the public page that says so."""

    name: str
    note: str
    source: str


@dataclass(frozen=True, slots=True)
class EhrTemplate:
    """A source file for an EHR family, to be copied into a site."""

    name: str
    ehr: str
    base: str
    guesses: int
    """Lines of which no public page says that they are so."""
    entries: tuple[TemplateEntry, ...]


def ehr_templates() -> list[EhrTemplate]:
    """Every shipped template, by name."""
    return list(_templates())


def _templates() -> Iterator[EhrTemplate]:
    for path, content in read_templates().items():
        if path.startswith("sources/"):
            problems = Problems()
            table = read_yaml(path, content, problems)
            problems.raise_if_any()
            assert table is not None, "what has no problem was read"
            records = table.entries["records"]
            assert isinstance(records, Items), "records are a list"
            yield EhrTemplate(
                name=PurePosixPath(path).stem,
                ehr=_text(table, "note"),
                base=_text(table, "extends"),
                guesses=content.count(b"# guess"),
                entries=tuple(_entry(each) for each in records.nodes),
            )


def _entry(node: Node) -> TemplateEntry:
    assert isinstance(node, Table), "a record is a mapping"
    return TemplateEntry(_text(node, "name"), _text(node, "note"), _text(node, "source"))


def _text(table: Table, key: str) -> str:
    node = table.entries.get(key)
    return node.value.strip() if isinstance(node, Text) else ""
