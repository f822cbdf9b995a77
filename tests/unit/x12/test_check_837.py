"""One mutation of a clean claim, one finding at its place: what a biller is told and what a 999 would carry."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

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


# (base, old, new, snip, code, segment, loop, element, IK3, IK4)
MUTATIONS = [
    (INSTITUTIONAL, "CL1*3*1*30~\n", "", 2, "segment-missing", "CL1", "2300", "", "3", ""),
    (INSTITUTIONAL, "HI*ABK:F332~\n", "", 2, "segment-missing", "HI", "2300", "", "3", ""),
    (INSTITUTIONAL, "N3*100 MAIN ST~\n", "", 2, "segment-missing", "N3", "2010AA", "", "3", ""),
    (INSTITUTIONAL, "*787010000~", "*78701~", 2, "form-wrong", "N4", "2010AA", "N403", "8", "I12"),
    (PROFESSIONAL, "*787010000~", "*78701~", 5, "zip-short", "N4", "2010AA", "N403", "8", "7"),
    (INSTITUTIONAL, "NM1*40*2*", "NM1*40**", 2, "element-missing", "NM1", "1000B", "NM102", "8", "1"),
    (INSTITUTIONAL, "NM1*40*2*", "NM1*40*9*", 2, "code-not-in-guide", "NM1", "1000B", "NM102", "8", "7"),
    (INSTITUTIONAL, "*XX*1999999984~", "*XX~", 1, "element-conditional", "NM1", "2010AA", "NM109", "8", "2"),
    (INSTITUTIONAL, "DTP*472*D8*20261102", "DTP*472*D8*20261302", 1, "date-invalid", "DTP", "2400", "DTP03", "8", "8"),
    (INSTITUTIONAL, "DTP*472*D8*20261102", "DTP*472*D8*20260229", 1, "date-invalid", "DTP", "2400", "DTP03", "8", "8"),
    (INSTITUTIONAL, "*0730*CH~", "*2530*CH~", 1, "time-invalid", "BHT", "", "BHT05", "8", "9"),
    (INSTITUTIONAL, "*350*UN*1~", "*35O*UN*1~", 1, "character-invalid", "SV2", "2400", "SV203", "8", "6"),
    (INSTITUTIONAL, "*BATCH000101*", f"*{'B' * 51}*", 1, "element-long", "BHT", "", "BHT03", "8", "5"),
    (INSTITUTIONAL, "N4*AUSTIN*TX*78702", "N4*AUSTIN*ZZ*78702", 5, "code-unknown", "N4", "2010BA", "N402", "8", "7"),
    (INSTITUTIONAL, "N4*AUSTIN*TX*78702", "N4*A*TX*78702", 1, "element-short", "N4", "2010BA", "N401", "8", "4"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*MRN1**X~", 2, "element-not-used", "REF", "2300", "REF04", "8", "I10"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*MRN1*~", 1, "separator-trailing", "REF", "2300", "", "8", ""),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*MRN1 ~", 1, "space-trailing", "REF", "2300", "REF02", "8", "6"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*MR\xc91~", 1, "character-invalid", "REF", "2300", "REF02", "8", "6"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*M^1~", 1, "element-repeats", "REF", "2300", "REF02", "8", "12"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*EA*M:1~", 1, "component-too-many", "REF", "2300", "REF02", "8", "13"),
    (INSTITUTIONAL, "REF*EA*MRN1~", "REF*ZZ*MRN1~", 2, "segment-unexpected", "REF", "2300", "", "2", ""),
    (INSTITUTIONAL, "REF*EA*MRN1~", "XYZ*EA*MRN1~", 1, "segment-unknown", "XYZ", "2300", "", "1", ""),
    (INSTITUTIONAL, "REF*G1*A", "REF*G1*B~\nREF*G1*A", 2, "segment-too-many", "REF", "2300", "", "5", ""),
    (INSTITUTIONAL, "LX*2~", "LX*3~", 2, "line-number-wrong", "LX", "2400", "LX01", "8", "7"),
    (INSTITUTIONAL, "HL*2*1*22*0", "HL*2*7*22*0", 2, "hierarchy-wrong", "HL", "2000B", "HL02", "8", "7"),
    (INSTITUTIONAL, "HL*2*1*22*0", "HL*3*1*22*0", 2, "hierarchy-wrong", "HL", "2000B", "HL01", "8", "7"),
    (INSTITUTIONAL, "HL*2*1*22*0", "HL*2*1*22*1", 2, "hierarchy-wrong", "HL", "2000B", "HL04", "8", "7"),
    (INSTITUTIONAL, "*1050***", "*1051***", 3, "claim-total", "CLM", "2300", "CLM02", "8", "7"),
    (DEPENDENT, "SVD*77777*200*", "SVD*77777*201*", 3, "line-adjudication", "SVD", "2430", "SVD02", "8", "7"),
    (DEPENDENT, "AMT*D*600~", "AMT*D*599~", 3, "coverage-total", "AMT", "2320", "AMT02", "8", "7"),
    (INSTITUTIONAL, ":A:2**", ":A:7**", 4, "payer-claim-number", "REF", "2300", "", "I6", ""),
    (INSTITUTIONAL, "DMG*D8*19850214*F~\n", "", 4, "subscriber-demographics", "DMG", "2010BA", "", "I6", ""),
    (
        INSTITUTIONAL,
        "N3*1 ELM ST~\nN4*AUSTIN*TX*78702~\n",
        "",
        4,
        "subscriber-address",
        "N3",
        "2010BA",
        "",
        "I6",
        "",
    ),
    (INSTITUTIONAL, "****MI*MEM123456~", "~", 4, "member-id", "NM1", "2010BA", "NM109", "8", "I9"),
    (INSTITUTIONAL, "SBR*P*18*", "SBR*P**", 4, "patient-missing", "HL", "2000C", "", "I6", ""),
    (INSTITUTIONAL, "SBR*P*18*", "SBR*S*18*", 4, "earlier-payer-missing", "SBR", "2320", "", "I6", ""),
    (DEPENDENT, "SBR*S**GRP100", "SBR*P**GRP100", 4, "payer-order-repeated", "SBR", "2320", "SBR01", "8", "7"),
    (INSTITUTIONAL, "DTP*472*D8*20261102~\n", "", 4, "line-date-missing", "DTP", "2400", "", "I6", ""),
    (INSTITUTIONAL, "CL1*3*1*30", "CL1*3*1*01", 4, "status-frequency", "CL1", "2300", "CL103", "8", "7"),
    (
        INSTITUTIONAL,
        "DTP*472*D8*20261102",
        "DTP*472*D8*20261101",
        4,
        "line-outside-statement",
        "DTP",
        "2400",
        "DTP03",
        "8",
        "8",
    ),
    (INSTITUTIONAL, "19850214", "20270214", 4, "birth-in-future", "DMG", "2010BA", "DMG02", "8", "8"),
    (INSTITUTIONAL, "N3*100 MAIN ST~", "N3*PO BOX 9~", 4, "billing-address-box", "N3", "2010AA", "N301", "8", "7"),
    (INSTITUTIONAL, "REF*6R*LN0002", "REF*6R*LN0001", 4, "line-control-repeated", "REF", "2400", "REF02", "8", "7"),
    (PROFESSIONAL, "*UN*1***1~", "*UN*1***3~", 4, "pointer-dangling", "SV1", "2400", "SV107", "8", "7"),
    (PROFESSIONAL, "*UN*1***1~", "*UN*0***1~", 4, "units-zero", "SV1", "2400", "SV104", "8", "7"),
    (INSTITUTIONAL, "1888888876", "1888888875", 5, "npi-invalid", "NM1", "2310A", "NM109", "8", "7"),
    (INSTITUTIONAL, "*XX*1888888876", "*XX*188888887", 5, "npi-invalid", "NM1", "2310A", "NM109", "8", "7"),
    (INSTITUTIONAL, "2084P0800X", "2084P0800", 5, "taxonomy-invalid", "PRV", "2310A", "PRV03", "8", "7"),
    (INSTITUTIONAL, "SV2*0905", "SV2*905", 5, "revenue-shape", "SV2", "2400", "SV201", "8", "7"),
    (INSTITUTIONAL, "HC:S9480", "HC:S948", 5, "procedure-shape", "SV2", "2400", "SV202-2", "8", "7"),
    (INSTITUTIONAL, "HC:S9480", "HC:S9480:HF:HF", 5, "modifier-repeated", "SV2", "2400", "SV202-4", "8", "7"),
    (INSTITUTIONAL, "ABF:F411", "ABF:F41.1", 5, "diagnosis-shape", "HI", "2300", "HI01-2", "8", "7"),
    (INSTITUTIONAL, "ABF:F411", "BF:29620", 5, "diagnosis-outdated", "HI", "2300", "HI01-1", "8", "7"),
    (PROFESSIONAL, "***57:B:1*", "***00:B:1*", 5, "code-unknown", "CLM", "2300", "CLM05-1", "8", "7"),
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[f"{m[4]}-{m[5]}-{m[7]}-{i}" for i, m in enumerate(MUTATIONS)])
def test_a_mutation_is_found_once_at_its_place(
    mutation: tuple[str, str, str, int, str, str, str, str, str, str],
) -> None:
    base, old, new, *expected = mutation
    (found,) = check(mutate(base, old, new))
    assert [
        found.snip,
        found.code,
        found.segment,
        found.loop,
        found.element,
        found.ik3,
        found.ik4,
    ] == expected
    assert found.position
    assert found.message.endswith(".")


def test_the_bases_of_the_mutations_are_clean() -> None:
    assert [check(base) for base in (INSTITUTIONAL, PROFESSIONAL, DEPENDENT)] == [[], [], []]


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
