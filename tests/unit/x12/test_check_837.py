"""One mutation of a clean claim, one finding at its place: what a biller is told and what a 999 would carry."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from clearinghouse.x12.check import check_bytes, check_transaction
from clearinghouse.x12.findings import Finding
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    dependent_transaction,
    institutional_transaction,
    professional_transaction,
)

INSTITUTIONAL = write_837(institutional_transaction(), ENVELOPE).decode()
PROFESSIONAL = write_837(professional_transaction(), ENVELOPE).decode()
DEPENDENT = write_837(dependent_transaction(), ENVELOPE).decode()


def check(text: str) -> list[Finding]:
    report = check_bytes(text.encode("latin-1"))
    assert report.readable, report.error
    return [*report.all_findings()]


def mutate(text: str, old: str, new: str) -> str:
    """Replace text once and mend SE01, so that only the meant mutation is found."""
    assert old in text
    changed = text.replace(old, new, 1)
    segments = changed.split("~\n")
    start = next(index for index, segment in enumerate(segments) if segment.startswith("ST*"))
    end = next(index for index, segment in enumerate(segments) if segment.startswith("SE*"))
    segments[end] = f"SE*{end - start + 1}*0001"
    return "~\n".join(segments)


def test_values_appear_only_as_their_shape() -> None:
    text = mutate(INSTITUTIONAL, "NM1*IL*1*DOE*JANE****MI*MEM123456", "NM1*IL*1*DOE*JANE****XX*MEM123456SECRET")
    for finding in check(text):
        shown = f"{finding.message} {finding.value_redacted}"
        assert "SECRET" not in shown
        assert "MEM123456" not in shown


def test_segments_out_of_order_are_said_to_be_and_not_said_to_be_missing() -> None:
    text = INSTITUTIONAL.replace(
        "N3*100 MAIN ST~\nN4*AUSTIN*TX*787010000~\n", "N4*AUSTIN*TX*787010000~\nN3*100 MAIN ST~\n"
    )
    (found,) = check(text)
    assert (found.code, found.segment, found.loop, found.ik3) == ("segment-out-of-order", "N3", "2010AA", "7")


def test_a_missing_loop_is_named_with_its_parent() -> None:
    start, end = INSTITUTIONAL.index("NM1*IL"), INSTITUTIONAL.index("NM1*PR*2*EXAMPLE")
    text = mutate(INSTITUTIONAL, INSTITUTIONAL[start:end], "")
    codes = {(finding.code, finding.loop) for finding in check(text)}
    assert ("loop-missing", "2010BA") in codes


def test_a_repeated_loop_is_too_many() -> None:
    billing = INSTITUTIONAL[INSTITUTIONAL.index("NM1*85") : INSTITUTIONAL.index("HL*2*1")]
    (found,) = check(mutate(INSTITUTIONAL, billing, billing + billing))
    assert (found.code, found.loop, found.ik3) == ("loop-too-many", "2010AA", "4")


def test_an_attending_provider_is_needed_unless_every_line_is_transport() -> None:
    attending = INSTITUTIONAL[INSTITUTIONAL.index("NM1*71") : INSTITUTIONAL.index("LX*1")]
    text = mutate(INSTITUTIONAL, attending, "")
    assert [finding.code for finding in check(text)] == ["attending-missing"]
    assert check(text.replace("SV2*0905", "SV2*0540")) == []


def test_an_adjudication_must_name_a_payer_of_the_claim() -> None:
    found = check(mutate(DEPENDENT, "SVD*77777*200*", "SVD*7777X*200*"))
    assert ("payer-unknown", "SVD01") in {(finding.code, finding.element) for finding in found}


def test_medicare_makes_status_against_frequency_an_error() -> None:
    text = mutate(INSTITUTIONAL, "CL1*3*1*30", "CL1*3*1*01")
    assert [finding.severity for finding in check(text)] == ["warning"]
    assert [finding.severity for finding in check(text.replace("******CI~", "******MA~"))] == ["error"]


def test_claims_with_one_number_are_warned_of() -> None:
    transaction = institutional_transaction()
    claim = transaction.billing_providers[0].subscribers[0].claims[0]
    content = write_837(institutional_transaction(claim, replace(claim)), ENVELOPE)
    assert [finding.code for finding in check_transaction(content)] == ["claim-repeated"]


class LeafCodesOnly:
    """A code set that knows one diagnosis and one procedure."""

    def diagnosis(self, code: str, on: date) -> bool | None:
        return code == "F332" and on >= date(2026, 10, 1)

    def procedure(self, code: str, on: date) -> bool | None:
        return code == "S9480"

    def revenue(self, code: str, on: date) -> bool | None:
        return None


def test_code_sets_are_asked_by_the_date_of_service() -> None:
    content = INSTITUTIONAL.encode()
    found = [*check_bytes(content, code_sets=LeafCodesOnly()).all_findings()]
    assert [(finding.snip, finding.code, finding.element) for finding in found] == [(5, "diagnosis-unknown", "HI01-2")]
    earlier = content.replace(b"202611", b"202609")
    codes = [finding.code for finding in check_bytes(earlier, code_sets=LeafCodesOnly()).all_findings()]
    assert codes == ["diagnosis-unknown", "diagnosis-unknown"]


class NoReleaseYet(LeafCodesOnly):
    """A code set whose newest release ends before the date of service."""

    def diagnosis(self, code: str, on: date) -> bool | None:
        return None


def test_dates_that_no_release_covers_are_told_once_a_set_and_refuse_nothing() -> None:
    transaction = institutional_transaction()
    claim = transaction.billing_providers[0].subscribers[0].claims[0]
    another = replace(claim, patient_control_number="PCN0000000009")
    content = write_837(institutional_transaction(claim, another), ENVELOPE)
    (found,) = check_bytes(content, code_sets=NoReleaseYet()).all_findings()
    assert (found.severity, found.code, found.segment) == ("note", "diagnosis-unjudged", "HI")
    assert "2026-11-02" in found.message
    assert [*check_bytes(content).all_findings()] == []


def test_the_shallow_check_stops_after_the_guide() -> None:
    text = mutate(INSTITUTIONAL, "*1050***", "*1051***")
    assert [*check_bytes(text.encode(), deep=False).all_findings()] == []


def test_the_report_has_the_documented_shape() -> None:
    report = check_bytes(mutate(INSTITUTIONAL, "*1050***", "*1051***").encode(), "a.837").as_json()
    assert [*report] == ["path", "interchanges", "findings", "readable", "error"]
    interchange = report["interchanges"][0]
    assert [*interchange] == ["sender", "receiver", "control_number", "usage", "groups", "findings"]
    group = interchange["groups"][0]
    assert [*group] == ["control_number", "transactions", "findings"]
    transaction = group["transactions"][0]
    assert (transaction["type"], transaction["guide"], transaction["accepted"]) == ("837I", "005010X223A2", False)
    (finding,) = transaction["findings"]
    assert {"snip", "severity", "code", "message", "segment", "position", "loop", "element", "value_redacted"} <= {
        *finding
    }


def test_other_versions_are_refused_plainly(tmp_path: Path) -> None:
    for version in ("004010X096A1", "005010X220A1"):
        text = INSTITUTIONAL.replace("005010X223A2", version)
        (found,) = check(text)
        assert found.code == "version-unsupported"
        assert version in found.message


@pytest.mark.parametrize("version", ["005010X223", "005010X223A1", "005010X223A3"])
def test_a_guide_is_also_read_under_its_other_names(version: str) -> None:
    assert check(INSTITUTIONAL.replace("005010X223A2", version)) == []
