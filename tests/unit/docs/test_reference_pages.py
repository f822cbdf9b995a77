"""Reference pages that people wrote are held to the code: states, rules, JSON shapes, the operator's query."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clearinghouse.sandbox.faults import FAULTS
from gateway.bench.defects.page import defects_page
from gateway.cli import run
from gateway.cli.key_tables import key_tables
from gateway.cli.reference import findings_page, hl7_page, rules_page, templates_page
from gateway.lifecycle import DELIVERY_MOVES, HOLDABLE, RELEASABLE, ClaimState, FactKind
from gateway.services.case import Place
from tests.unit.docs.pages import ROOT, blocks

REFERENCE = ROOT / "docs" / "reference"
STATES = (REFERENCE / "states.md").read_text()
SHAPES = {
    json_block.text: json.loads(json_block.text)
    for json_block in blocks(REFERENCE / "json-shapes.md")
    if json_block.language == "json"
}
_FAULTS = FAULTS.values()
GOLDEN = ROOT / "tests" / "unit" / "clearinghouse" / "golden" / "837i-commercial-iop.edi"
REMITTANCE = ROOT / "tests" / "examples" / "synthetic-medicaid-sud-iop" / "reply-05.835"


def test_the_page_of_the_rules_is_current() -> None:
    assert rules_page() == (REFERENCE / "rules.md").read_text()


def test_the_page_of_hl7_is_current() -> None:
    assert hl7_page() == (REFERENCE / "hl7.md").read_text()


def test_the_tables_of_keys_are_those_of_the_schemas() -> None:
    assert key_tables() == (REFERENCE / "mapping-keys.md").read_text()


def test_the_page_of_the_templates_is_current() -> None:
    assert templates_page() == (REFERENCE / "ehr-templates.md").read_text()


def test_the_page_of_the_findings_is_current() -> None:
    assert findings_page() == (REFERENCE / "x12-findings.md").read_text()


def test_the_page_of_rehearsals_has_every_fault_and_its_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ROOT / "docs" / "how-to" / "rehearse.md"
    told = re.findall(r"^\| `(.+?)` \| (.+?) \| (.+?) \|$", page.read_text(), re.MULTILINE)
    assert told == [("=".join(filter(None, (each.name, each.argument))), each.does, each.sees) for each in _FAULTS]
    (example,) = (block.text for block in blocks(page) if block.language == "python")
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out.endswith("()\n")


def test_the_page_of_labelled_defects_is_current() -> None:
    assert defects_page() == (REFERENCE / "defects.md").read_text()


def test_the_page_of_states_has_every_state_and_no_other() -> None:
    assert list(ClaimState) == _first_column("Claims")
    assert set(Place) == set(_first_column("Encounters"))
    assert list(FactKind) == _first_column("Facts")


def test_the_page_of_states_tells_which_claims_can_be_released_and_held() -> None:
    sentence = STATES.partition("\nOnly ")[2].partition("\n\n")[0]
    release, _, hold = sentence.partition("can be released;")
    assert set(RELEASABLE) == set(re.findall(r"`([a-z-]+)`", release))
    assert set(HOLDABLE) == set(re.findall(r"`([a-z-]+)`", hold))


def test_the_page_of_states_tells_how_files_move() -> None:
    section = STATES.partition("## Files on their way")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", section, re.MULTILINE)
    told = {state: set(re.findall(r"`([a-z-]+)`", before)) for state, before in rows}
    assert told == DELIVERY_MOVES


def test_the_shapes_of_check_and_read_are_those_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "claim.837"
    wrong.write_bytes(re.sub(rb"RD8\*\d{8}-\d{8}~", b"RD8*2026~", GOLDEN.read_bytes()))
    check, read, *_ = SHAPES.values()
    assert _keys(check) == _keys(_run(capsys, "check", str(wrong)))
    assert _keys(read) <= _keys(_run(capsys, "read", str(REMITTANCE)))
    assert {"trace", "provider_adjustments", "balanced", "out_of_balance", "payment_cents", "claims"} <= _names(read)


def test_the_shapes_of_ingest_and_doctor_are_those_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site"
    made = _run(capsys, "init", str(site))
    assert {"site", "files", "next"} == set(made)
    _, _, ingest, doctor, *_ = SHAPES.values()
    day = next(site.glob("samples/fhir/*-day.json"))
    taken = _run(capsys, "ingest", "--site", str(site), "--source", "generic-fhir", str(day))
    assert _keys(ingest) == _keys(taken)
    assert _keys(doctor) == _keys(_run(capsys, "doctor", "--site", str(site)))


def test_the_shapes_of_demo_and_bench_are_those_the_command_line_documents() -> None:
    command_line = (REFERENCE / "cli.md").read_text()
    *_, demo, bench = SHAPES.values()
    for shape, command in ((demo, "demo"), (bench, "bench"), (demo, "funnel")):
        section = command_line.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
        documented = set(re.findall(r'[{ ]"([a-z_]+)"', section.partition("```")[2]))
        assert documented and documented <= _names(shape)


def _first_column(heading: str) -> list[str]:
    """The words in code of a section's first column."""
    section = STATES.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", section, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`([a-z-]+)`", cell)]


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert run([*words, "--json"]) in (0, 1)
    return json.loads(capsys.readouterr().out)


def _keys(shape: Any) -> set[str]:
    """Every key with the keys above it; the elements of a list count as one."""
    return set(_paths(shape, ""))


def _paths(shape: Any, above: str) -> Iterator[str]:
    if isinstance(shape, dict):
        for key, below in shape.items():
            yield f"{above}/{key}"
            yield from _paths(below, f"{above}/{key}")
    elif isinstance(shape, list):
        for below in shape:
            yield from _paths(below, above)


def _names(shape: Any) -> set[str]:
    return {path.rpartition("/")[2] for path in _keys(shape)}
