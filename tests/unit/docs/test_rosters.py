"""The page on rosters is held to the reader: its examples load, its tables have every column and no other."""

from __future__ import annotations

import re
from typing import Final

import pytest

from adapters.fhir.view import FHIR_NOTATION
from adapters.hl7.view import HL7_NOTATION
from adapters.mapping.catalogue import load_mapping_set
from adapters.mapping.mapping_files import read_mapping_files
from gateway.claim.roster import RosterKind
from gateway.errors import ConfigurationError
from gateway.wiring.rosters import known_names, read_roster
from tests.unit.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "load-rosters.md"
EXAMPLES: Final = dict(zip(RosterKind, (block.text for block in blocks(PAGE) if block.language == "csv"), strict=True))
KNOWN = known_names(load_mapping_set(read_mapping_files(True, None), (FHIR_NOTATION, HL7_NOTATION)), "riverbend")


@pytest.mark.parametrize("kind", RosterKind)
def test_the_example_of_each_kind_loads_and_shows_every_column(kind: RosterKind) -> None:
    content = EXAMPLES[kind]
    assert len(content.splitlines()) - 1 == len(read_roster(kind, content.encode(), "page.csv", KNOWN))
    with pytest.raises(ConfigurationError) as refused:
        read_roster(kind, b"", "page.csv", KNOWN)
    columns = refused.value.problems[0].rpartition("columns are ")[2].split(", ")
    assert set(columns) == set(content.splitlines()[0].split(","))
    assert set(columns) == _tabled(kind)


def _tabled(kind: RosterKind) -> set[str]:
    section = PAGE.read_text().partition(f"\n## {kind.capitalize()}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row)}
