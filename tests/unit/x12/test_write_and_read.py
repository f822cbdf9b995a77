"""Values to bytes and back, byte for byte; every written file passes our check and pyx12's."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from clearinghouse.x12.acknowledgement_999 import read_999, write_999
from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.claims_837 import (
    Attachment,
    ClaimTransaction,
    Diagnosis,
    Note,
    Occurrence,
    OccurrenceSpan,
    OtherPayer,
    OtherSubscriber,
    Provider,
    ValueCode,
)
from clearinghouse.x12.decoding import X12FormatError
from clearinghouse.x12.envelope import Delimiters, Envelope
from clearinghouse.x12.findings import Finding
from clearinghouse.x12.interchange_ta1 import InterchangeAcknowledgement, read_ta1, write_ta1
from clearinghouse.x12.parties import Address, Adjustment, DateSpan, Name, OutpatientAdjudication, Reference
from clearinghouse.x12.read_277ca import read_277ca
from clearinghouse.x12.read_835 import balance_of, read_835
from clearinghouse.x12.read_837 import read_837, stream_837
from clearinghouse.x12.referee import ask_referee
from clearinghouse.x12.verify import verify_written
from clearinghouse.x12.write_277ca import write_277ca
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    HOME,
    PLAN,
    acknowledgement,
    billing_provider,
    dependent_transaction,
    institutional_claim,
    institutional_lines,
    institutional_transaction,
    person,
    professional_claim,
    professional_lines,
    professional_transaction,
    remittance,
    status_transaction,
    subscriber,
    transaction,
)

GOLDEN = Path(__file__).parent / "golden"


def findings(content: bytes) -> list[Finding]:
    report = check_bytes(content)
    assert report.readable, report.error
    return [*report.all_findings()]


def full_institutional() -> ClaimTransaction:
    """An inpatient-shaped claim that uses every field the 837I values have."""
    lines = tuple(
        replace(
            line,
            non_covered_cents=0,
            providers=(Provider("82", person("Lee", "Kim", "XX", "1777777768")),),
            notes=(Note("TPO", "Third party note"),),
        )
        for line in institutional_lines()
    )
    claim = institutional_claim(
        facility_code="11",
        frequency_code="7",
        lines=lines,
        diagnoses=(Diagnosis("ABK", "F332"), Diagnosis("ABJ", "F329"), Diagnosis("ABF", "F411")),
        admitted_at=datetime(2026, 11, 2, 9, 30),  # noqa: DTZ001 - X12 carries local time
        discharge_time=time(17, 5),
        attachments=(Attachment("OZ", "EL", "CTRL1"),),
        patient_amount_cents=2500,
        references=(Reference("F8", "ICN0001"), Reference("G1", "AUTH12345"), Reference("D9", "TRACE1")),
        notes=(Note("ADD", "Second submission"),),
        occurrences=(Occurrence("11", date(2026, 10, 1)),),
        occurrence_spans=(OccurrenceSpan("74", date(2026, 11, 3), date(2026, 11, 3)),),
        value_codes=(ValueCode("80", Decimal(3)), ValueCode("24", Decimal("1234.5"))),
        providers=(
            Provider("77", Name("Gateway Annex", id_qualifier="XX", identifier="1999999984"), address=_annex()),
            Provider("71", person("Smith", "Alan", "XX", "1888888876"), taxonomy="2084P0800X"),
        ),
    )
    return institutional_transaction(claim)


def _annex() -> Address:
    return Address("5 Side St", "Austin", "TX", "787010001", "Suite 2")


def secondary_professional() -> ClaimTransaction:
    """A secondary 837P whose primary decided at claim level."""
    earlier = OtherSubscriber(
        payer_responsibility="P",
        relationship="18",
        claim_filing_indicator="MB",
        name=person("Doe", "Jane", "MI", "OTH555"),
        payer=OtherPayer(
            Name("First Plan", id_qualifier="PI", identifier="77777"),
            adjudicated_on=date(2026, 11, 20),
            references=(Reference("F8", "ICN777"),),
        ),
        adjustments=(Adjustment("CO", "45", 20000), Adjustment("PR", "2", 5000)),
        payer_paid_cents=20000,
        remaining_patient_cents=5000,
        non_covered_cents=0,
        outpatient_adjudication=OutpatientAdjudication(Decimal("0.8"), 20000, ("MA01",)),
        address=HOME,
    )
    claim = professional_claim(other_subscribers=(earlier,), patient_amount_cents=1500)
    member = subscriber(claim, payer=PLAN, payer_responsibility="S")
    return transaction("P", "BATCH000104", billing_provider(member, taxonomy="261QR0405X"))


def many_levels() -> ClaimTransaction:
    """Two billing providers, a subscriber with own claims, a dependent, two claims of one subscriber."""
    second = institutional_claim(patient_control_number="PCN0000000009")
    one = billing_provider(subscriber(institutional_claim(), second, payer=PLAN), taxonomy="261QM0801X")
    dependent = dependent_transaction().billing_providers[0].subscribers[0]
    renamed = replace(dependent, claims=(replace(dependent.claims[0], patient_control_number="PCN0000000010"),))
    return transaction("I", "BATCH000105", one, billing_provider(renamed, taxonomy="261QM0801X"))


CLAIMS = {
    "institutional": institutional_transaction,
    "professional": professional_transaction,
    "dependent": dependent_transaction,
    "every field": full_institutional,
    "secondary": secondary_professional,
    "many levels": many_levels,
}
ENVELOPES = {
    "lines": ENVELOPE,
    "one line": replace(ENVELOPE, delimiters=Delimiters()),
    "other marks": replace(ENVELOPE, delimiters=Delimiters("|", ">", "!", "'"), usage="P"),
}


@pytest.mark.parametrize(
    ("build", "name"),
    [(institutional_transaction, "837i-commercial-iop.edi"), (professional_transaction, "837p-medicaid-iop.edi")],
)
def test_a_written_837_is_the_golden_file_byte_for_byte(build: object, name: str) -> None:
    assert callable(build)
    assert write_837(build(), ENVELOPE) == (GOLDEN / name).read_bytes()


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
@pytest.mark.parametrize("build", CLAIMS.values(), ids=CLAIMS)
def test_every_written_837_passes_our_check_and_pyx12_and_reads_back(build: object, envelope: Envelope) -> None:
    assert callable(build)
    values = build()
    content = write_837(values, envelope)
    assert findings(content) == []
    assert ask_referee(content) == ()
    assert verify_written(values, content) == ()
    again = read_837(content)[0]
    assert write_837(again, envelope) == content


def test_a_read_837_holds_the_values_it_was_written_from() -> None:
    again = read_837(write_837(full_institutional(), ENVELOPE))[0]
    claim = again.billing_providers[0].subscribers[0].claims[0]
    meant = full_institutional().billing_providers[0].subscribers[0].claims[0]
    assert claim.total_charge_cents == 105000
    assert claim.admitted_at == meant.admitted_at
    assert claim.discharge_time == meant.discharge_time
    assert claim.value_codes == meant.value_codes
    assert claim.occurrence_spans == meant.occurrence_spans
    assert [line.units for line in claim.lines] == [Decimal(1)] * 3
    assert {provider.role for provider in claim.providers} == {"71", "77"}


def test_claims_are_streamed_with_what_stands_above_them() -> None:
    filed = [claim for _, claim in stream_837(write_837(many_levels(), ENVELOPE))]
    assert [entry.claim.patient_control_number for entry in filed] == [
        "PCN0000000001",
        "PCN0000000009",
        "PCN0000000010",
    ]
    assert filed[0].subscriber is filed[1].subscriber
    assert filed[0].claim.patient is None
    assert filed[2].claim.patient is not None
    assert filed[2].subscriber.payer_responsibility == "S"


@pytest.mark.parametrize(
    "changes",
    [
        {"patient_control_number": "OTHER"},
        {"total_charge_cents": 105001},
        {"lines": institutional_lines()[:2]},
        {"lines": tuple(replace(line, charge_cents=line.charge_cents + 1) for line in institutional_lines())},
    ],
    ids=["number", "charge", "a line less", "a line's charge"],
)
def test_a_verified_file_that_says_something_else_is_found_out(changes: dict[str, object]) -> None:
    meant = institutional_transaction()
    other = institutional_transaction(institutional_claim(**changes))
    assert "written-differs" in {found.code for found in verify_written(meant, write_837(other, ENVELOPE))}
    assert verify_written(meant, write_837(meant, ENVELOPE)) == ()


def test_a_provider_role_the_guide_has_no_loop_for_is_refused() -> None:
    claim = professional_claim(providers=(Provider("71", person("A", "B")),))
    with pytest.raises(ValueError, match="no provider of this role"):
        write_837(professional_transaction(claim), ENVELOPE)


def test_fifty_professional_lines_pass_and_fifty_one_do_not() -> None:
    line = professional_lines()[0]

    def claim(count: int) -> bytes:
        lines = tuple(replace(line, number=n, control_number=f"L{n}") for n in range(1, count + 1))
        return write_837(
            professional_transaction(professional_claim(lines=lines, total_charge_cents=15000 * count)), ENVELOPE
        )

    assert findings(claim(50)) == []
    assert [finding.code for finding in findings(claim(51))] == ["loop-too-many"]


def test_a_written_835_passes_both_checks_and_reads_back() -> None:
    content = write_835(remittance(), ENVELOPE)
    assert findings(content) == []
    assert ask_referee(content) == ()
    again = read_835(content)
    assert len(again) == 1
    assert balance_of(again[0]) == ()
    assert write_835(again[0], ENVELOPE) == content
    assert again[0].claims[0].lines[0].adjustments == remittance().claims[0].lines[0].adjustments


def test_a_written_277ca_passes_both_checks_and_reads_back() -> None:
    content = write_277ca(status_transaction(), ENVELOPE)
    assert findings(content) == []
    assert ask_referee(content) == ()
    _, again = read_277ca(content)[0]
    assert write_277ca(again, ENVELOPE) == content
    rejected = again.sources[0].receivers[0].providers[0].claims[1]
    assert (rejected.trace_number, rejected.statuses[0].action) == ("PCN0000000002", "U")
    assert rejected.lines[0].line_control_number == "LN0001"


def test_a_277ca_of_the_published_shape_without_a_provider_trace_is_clean() -> None:
    values = status_transaction()
    source = values.sources[0]
    receiver = source.receivers[0]
    bare = replace(receiver.providers[0], trace_number="", statuses=(), quantities=(), amounts=())
    silent = replace(values, sources=(replace(source, receivers=(replace(receiver, providers=(bare,)),)),))
    assert findings(write_277ca(silent, ENVELOPE)) == []


def test_a_written_999_passes_our_check_and_reads_back() -> None:
    content = write_999(acknowledgement(), ENVELOPE)
    assert findings(content) == []
    assert read_999(content)[0][1] == acknowledgement()
    # pyx12 4.0.0 counts CTX over repeats of loop 2100, and so rejects the second business unit of a transaction set.
    assert {complaint.segment for complaint in ask_referee(content)} <= {"CTX"}


def test_a_written_ta1_stands_alone_and_reads_back() -> None:
    answer = InterchangeAcknowledgement("000000101", date(2026, 11, 23), time(7, 30), "R", "025")
    content = write_ta1(answer, ENVELOPE)
    assert findings(content) == []
    report = check_bytes(content)
    assert report.interchanges[0].groups[0].transactions[0].type == "TA1"
    assert [found for _, found in read_ta1(content)] == [answer]


@pytest.mark.parametrize("usage", ["X", ""])
def test_an_envelope_is_test_or_production(usage: str) -> None:
    with pytest.raises(ValueError, match="ISA15"):
        replace(ENVELOPE, usage=usage)


@pytest.mark.parametrize("changes", [{"sender_id": "A" * 16}, {"sender_id": ""}, {"receiver_id": "A*B"}])
def test_an_envelope_value_that_does_not_fit_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"ISA|envelope"):
        write_837(institutional_transaction(), replace(ENVELOPE, **changes))  # type: ignore[arg-type]


def test_reading_names_the_segment_and_element_it_cannot_read_and_not_the_value() -> None:
    content = write_837(institutional_transaction(), ENVELOPE).replace(
        b"DTP*434*RD8*20261102-", b"DTP*434*RD8*2026SECRET-"
    )
    with pytest.raises(X12FormatError) as caught:
        read_837(content)
    assert (caught.value.element, caught.value.position) == ("DTP03", 20)
    assert "SECRET" not in str(caught.value)


def test_one_day_spans_stay_one_day() -> None:
    span = DateSpan(date(2026, 11, 2))
    assert span.last_on == date(2026, 11, 2)
