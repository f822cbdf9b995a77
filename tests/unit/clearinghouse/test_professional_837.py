"""Claims of ours as an 837P: golden bytes, one fact at a time, and pyx12's word on every file."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from clearinghouse.x12.check import check_transaction
from clearinghouse.x12.referee import ask_referee
from gateway.claim.claim import Claim
from tests.unit.clearinghouse.claims import professional, segments, written

GOLDEN = Path(__file__).parent / "golden"


def _from_home() -> Claim:
    claim = professional()
    first = replace(claim.lines[0], place_of_service="10", modifiers=("HF", "95"))
    return replace(claim, lines=(first, *claim.lines[1:]))


def test_a_claim_is_written_byte_for_byte_as_the_golden_file_and_pyx12_agrees() -> None:
    content = written(professional())

    assert (GOLDEN / "837p-medicaid-sud-iop.edi").read_bytes() == content
    assert () == ask_referee(content)
    assert () == check_transaction(content)


def test_a_line_says_its_place_of_service_only_where_it_differs_from_the_claims() -> None:
    content = written(_from_home())
    lines = [segment for segment in segments(content) if segment.startswith("SV1")]

    assert ["SV1*HC:H0015:HF:95*265.5*UN*1*10**1:2", *["SV1*HC:H0015:HF*265.5*UN*1***1:2"] * 2] == lines
    assert () == ask_referee(content)


def test_a_line_names_its_rendering_provider_only_where_it_differs_from_the_claims() -> None:
    sent = segments(written(professional()))
    rendering = [segment for segment in sent if segment.startswith("NM1*82")]

    assert rendering == [
        "NM1*82*1*CLEARWATER*HESTER****XX*1882001112",
        "NM1*82*1*STONEBRIDGE*LIONEL****XX*1882001120",
    ]
    assert sent.index(rendering[1]) > sent.index("LX*2")


def test_what_belongs_to_institutional_claims_alone_is_never_sent() -> None:
    claim = replace(
        professional(),
        condition_codes=("92",),
        admission_type="3",
        patient_status="30",
        bill_class="13",
        admitted_on=professional().statement_from_on,
    )

    assert segments(written(professional())) == segments(written(claim))


def test_a_void_names_the_claim_it_takes_back() -> None:
    content = written(replace(professional(), frequency="8", payer_claim_number="TCN987"))

    assert any("57:B:8" in segment for segment in segments(content))
    assert "REF*F8*TCN987" in segments(content)
    assert () == ask_referee(content)
