"""Each mistake of mutations.yaml is told once, at its place, with the code a 999 or a TA1 would carry; nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.findings import ERROR, Finding
from tests.unit.x12.mutations import BASES, Mutation, mutations

MUTATIONS = mutations()


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_a_mistake_is_told_once_at_its_place(mutation: Mutation) -> None:
    found = [_told(finding) for finding in check_bytes(mutation.content()).all_findings()]
    assert mutation.found == found


@pytest.mark.parametrize("base", BASES)
def test_the_files_that_are_broken_are_clean(base: str) -> None:
    assert [] == [*check_bytes(BASES[base].encode()).all_findings()]


def test_every_mutation_has_a_name_of_its_own() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert sorted(set(names)) == sorted(names)


def _told(finding: Finding) -> dict[str, Any]:
    """A finding as mutations.yaml writes it."""
    places = {"segment": finding.segment, "loop": finding.loop, "element": finding.element, "at": finding.position}
    answers = {name: getattr(finding, name) for name in ("ik3", "ik4", "ik5", "ak9", "ta1")}
    severity = {} if finding.severity == ERROR else {"severity": finding.severity}
    told = {name: value for name, value in (places | answers).items() if value}
    return {"snip": finding.snip, **severity, "code": finding.code, **told}
