import logging
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hl7.conformance import ConformanceFinding, check_conformance, check_hl7_file_json
from adapters.hl7.structure import find_structure
from tests.unit.hl7.samples import ADT, DFT, message


def found(text: str | bytes) -> set[tuple[str, str, str]]:
    raw = text if isinstance(text, bytes) else text.encode()
    return {(finding.position, finding.code, finding.severity) for finding in check_conformance(raw)}


def test_a_sound_message_has_no_findings() -> None:
    assert found(ADT) == set()


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_ends_hl7apy_does_not_take_make_no_difference(ending: str) -> None:
    assert found(ADT.replace("\r", ending)) == set()


def test_local_segments_are_kept_and_unknown_ones_named() -> None:
    assert found(ADT + "ZBH|1|2^3\r") == set()
    assert found(ADT + "QQQ|1\r") == {("QQQ", "segment-unknown", "warn")}


def test_a_missing_segment_and_one_out_of_place_are_told_apart() -> None:
    lines = ADT.split("\r")
    assert ("PV1", "segment-missing", "error") in found("\r".join([*lines[:3], ""]))
    swapped = found("\r".join([lines[0], lines[1], lines[3], lines[2], ""]))
    assert swapped == {("PID", "misplaced", "warn")}


def test_required_segments_of_a_group_and_repeating_groups_are_understood() -> None:
    codes = {code for _, code, _ in found(DFT.replace("ZSN|first\r", "ZSN|first\rFT1|9|||20260802||CG|90834\r"))}
    assert "segment-missing" not in codes
    assert ("FT1", "segment-missing", "error") in found("\r".join([*DFT.split("\r")[:3], ""]))


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("19800101", "19801301", ("PID-7.1", "value-type", "error")),
        ("19800101", "Jan 1 1980", ("PID-7.1", "value-type", "error")),
        ("|F\r", "|X\r", ("PID-8", "value-table", "note")),
        ("12345^^^CLINIC^MR~999^^^STATE^SS", "", ("PID-3", "field-missing", "error")),
        ("|F\r", "|F~M\r", ("PID-8", "too-many-repetitions", "error")),
        ("|F\r", "|F^M\r", ("PID-8", "parts-unknown", "warn")),
        ("PV1|1|", "PV1|one|", ("PV1-1", "value-type", "error")),
        ("SMITH^ANN\r", "SMITH^ANN" + "|" * 50 + "x\r", ("PV1-57", "field-unknown", "warn")),
        ("|F\r", "|F||||\r", ("PID", "trailing-fields", "note")),
    ],
)
def test_a_value_that_departs_from_the_tables_is_found_at_its_place(
    old: str, new: str, finding: tuple[str, str, str]
) -> None:
    assert finding in found(ADT.replace(old, new))


def test_a_withdrawn_field_and_one_that_repeats_carry_their_repetition() -> None:
    newer = message(msh_12="2.8").decode().replace("|19800101|F", "|19800101|F|ALIAS")
    assert ("PID-9", "field-withdrawn", "warn") in found(newer)
    assert ("PID-3[2].7", "value-type", "error") in found(ADT.replace("SS|", "SS^^soon|"))


def test_the_explicit_null_and_escaped_text_are_no_departure() -> None:
    assert found(ADT.replace("19800101", '""').replace("JANE", r"J\T\E")) == set()


@pytest.mark.parametrize(
    ("version", "severity"), [("2.9", "note"), ("2.8.9", "note"), ("", "error"), ("1.0", "error"), ("2.5.1", None)]
)
def test_a_version_without_tables_is_said_and_the_nearest_used(version: str, severity: str | None) -> None:
    versions = {(code, level) for _, code, level in found(message(msh_12=version)) if code == "version"}
    assert versions == ({("version", severity)} if severity else set())


def test_an_event_without_a_structure_is_said_and_the_fields_still_checked() -> None:
    findings = found(message(msh_9="ZZZ^Z99").replace(b"19800101", b"x"))
    assert ("MSH-9", "structure-unknown", "note") in findings
    assert ("PID-7.1", "value-type", "error") in findings


def test_a_line_that_is_no_segment_is_named_by_its_number_and_never_quoted() -> None:
    [finding] = [one for one in check_conformance((ADT + "JANE DOE called\r").encode()) if one.code == "segment-id"]
    assert finding.position == "line 5"
    assert finding.segment == "?"
    assert "JANE" not in str(finding)


def test_what_cannot_be_read_is_one_finding() -> None:
    assert [one.code for one in check_conformance(b"nonsense")] == ["not-hl7"]
    assert [one.code for one in check_conformance(ADT.replace("JANE", "JANÉ").encode("cp1252"))] == ["charset-mismatch"]


def test_separators_hl7apy_cannot_read_are_a_finding_and_not_a_failure() -> None:
    assert ("MSH", "hl7apy-unreadable", "warn") in found(ADT.replace("^~\\&", "^~"))


def test_findings_have_an_end() -> None:
    findings = check_conformance((ADT + "QQQ|1\r" * 900).encode())
    assert len(findings) == 501
    assert findings[-1].code == "more-findings"


def test_no_finding_and_no_log_quotes_a_value(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = ADT.replace("19800101", "CANARY").replace("|F\r", "|CANARY^CANARY~CANARY\r").replace("MR~", "CANARY~")
    findings = check_conformance(text.encode())
    assert len(findings) >= 3
    assert "CANARY" not in str(findings) + caplog.text


def test_a_file_is_checked_message_by_message(tmp_path: Path) -> None:
    path = tmp_path / "feed.hl7"
    path.write_bytes(("BHS|^~\\&\r" + ADT + ADT.replace("2.5.1", "1.0") + "BTS|3\r").encode())
    outcome = check_hl7_file_json(path)
    assert (outcome["readable"], outcome["error"], outcome["format"]) == (True, None, "hl7v2")
    assert [(one["index"], one["type"], one["segments"], one["answer"]) for one in outcome["messages"]] == [
        (0, "ADT^A04", 4, "AA"),
        (1, "ADT^A04", 4, "AR"),
    ]
    assert outcome["messages"][0]["findings"] == []
    assert outcome["messages"][1]["reason"] == "MSH-12 is not a version 2 of HL7"
    assert [one["code"] for one in outcome["findings"]] == ["batch-count"]


def test_a_file_without_messages_or_that_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(b"hello")
    assert check_hl7_file_json(path)["readable"] is False
    assert check_hl7_file_json(path)["findings"][0]["code"] == "outside-message"
    missing = check_hl7_file_json(tmp_path / "absent.hl7")
    assert missing["readable"] is False
    assert "cannot be read" in missing["error"]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("PIDMSHZ123|^~\\&\r\"'. F"), max_size=80), st.sampled_from(["2.3", "2.5.1", "2.8"]))
def test_any_segments_are_checked_without_failing(text: str, version: str) -> None:
    findings = check_conformance(message(msh_12=version) + text.encode())
    assert all(isinstance(finding, ConformanceFinding) for finding in findings)


@pytest.mark.parametrize(
    ("event", "structure"),
    [
        ("ADT_A34", "ADT_A30"),
        ("ADT_A36", "ADT_A30"),
        ("ADT_A40", "ADT_A39"),
        ("ADT_A44", "ADT_A43"),
        ("ADT_A47", "ADT_A30"),
        ("ADT_A51", "ADT_A50"),
        ("BAR_P05", "BAR_P05"),
        ("DFT_P11", "DFT_P11"),
        ("MDM_T06", "MDM_T02"),
        ("REF_I14", "REF_I12"),
        ("RPA_I09", "RPA_I08"),
        ("SIU_S26", "SIU_S12"),
    ],
)
def test_an_event_whose_structure_is_left_out_is_held_against_the_one_it_has(event: str, structure: str) -> None:
    assert structure == find_structure(*event.split("_"), "", "2.5.1")
