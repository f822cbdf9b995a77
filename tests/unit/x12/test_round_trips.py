"""Generated values: what is written passes the check, reads back, and writes to the same bytes."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.x12.check import check_bytes
from clearinghouse.x12.claims_837 import Claim, Diagnosis, ServiceLine
from clearinghouse.x12.parties import Adjustment, DateSpan, Procedure, Reference
from clearinghouse.x12.read_835 import balance_of, read_835
from clearinghouse.x12.read_837 import read_837
from clearinghouse.x12.remittance_835 import ClaimPayment, ServicePayment
from clearinghouse.x12.write_835 import write_835
from clearinghouse.x12.write_837 import write_837
from tests.unit.x12.examples import (
    ENVELOPE,
    institutional_claim,
    institutional_transaction,
    person,
    professional_claim,
    professional_transaction,
    remittance,
)

FIRST = date(2026, 10, 1)
names = st.text(st.characters(codec="latin-1", categories=["L", "P", "Zs"]), min_size=1, max_size=15).filter(
    lambda text: any("A" <= mark.upper() <= "Z" for mark in text)
)
numbers = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=2, max_size=17)
codes = st.sampled_from(["S9480", "H0015", "H0035", "90853", "G0410"])
modifiers = st.lists(st.sampled_from(["HF", "HE", "HQ", "95", "U1"]), max_size=4, unique=True).map(tuple)
diagnoses = st.lists(st.sampled_from(["F332", "F1020", "F411", "F4310"]), min_size=1, max_size=4, unique=True)


@st.composite
def lines(draw: st.DrawFn, institutional: bool, pointers: int) -> tuple[ServiceLine, ...]:
    count = draw(st.integers(1, 8))
    return tuple(
        ServiceLine(
            number=index,
            charge_cents=draw(st.integers(1, 9_999_999)),
            units=draw(st.decimals(min_value=Decimal("0.125"), max_value=99, places=3)),
            procedure=Procedure(draw(codes), draw(modifiers)),
            revenue_code=draw(st.sampled_from(["0905", "0906", "0912", "0915"])) if institutional else "",
            diagnosis_pointers=() if institutional else (draw(st.integers(1, pointers)),),
            service_dates=DateSpan(FIRST + timedelta(days=draw(st.integers(0, 30)))),
            control_number=f"L{index}",
        )
        for index in range(1, count + 1)
    )


@st.composite
def claims(draw: st.DrawFn, institutional: bool) -> Claim:
    found = draw(diagnoses)
    served = draw(lines(institutional, len(found)))
    base = institutional_claim() if institutional else professional_claim()
    return replace(
        base,
        patient_control_number=draw(numbers),
        total_charge_cents=sum(line.charge_cents for line in served),
        lines=served,
        diagnoses=tuple(Diagnosis("ABF" if index else "ABK", code) for index, code in enumerate(found)),
        statement_dates=DateSpan(FIRST, FIRST + timedelta(days=30)) if institutional else None,
        references=(Reference("G1", draw(numbers)), Reference("EA", draw(numbers))),
        providers=(replace(base.providers[0], name=person(draw(names), draw(names), "XX", "1888888876")),),
    )


@settings(max_examples=60, deadline=None)
@given(claims(institutional=True))
def test_generated_institutional_claims_are_clean_and_read_back(claim: Claim) -> None:
    content = write_837(institutional_transaction(claim), ENVELOPE)
    assert [*check_bytes(content).all_findings()] == []
    again = read_837(content)[0]
    assert write_837(again, ENVELOPE) == content
    read = again.billing_providers[0].subscribers[0].claims[0]
    assert (read.total_charge_cents, read.diagnoses) == (claim.total_charge_cents, claim.diagnoses)
    assert read.lines == claim.lines


@settings(max_examples=60, deadline=None)
@given(claims(institutional=False))
def test_generated_professional_claims_are_clean_and_read_back(claim: Claim) -> None:
    content = write_837(professional_transaction(claim), ENVELOPE)
    assert [*check_bytes(content).all_findings()] == []
    again = read_837(content)[0]
    assert write_837(again, ENVELOPE) == content
    assert again.billing_providers[0].subscribers[0].claims[0].lines == claim.lines


@st.composite
def payments(draw: st.DrawFn) -> ClaimPayment:
    served = []
    for index in range(draw(st.integers(1, 5))):
        charge = draw(st.integers(1, 999_999))
        reasons = draw(st.lists(st.tuples(st.sampled_from(["CO", "PR", "OA"]), st.integers(-5000, 50_000)), max_size=8))
        adjusted = tuple(Adjustment(group, "45", amount) for group, amount in reasons)
        served.append(
            ServicePayment(
                procedure=Procedure(draw(codes)),
                charge_cents=charge,
                paid_cents=charge - sum(entry.cents for entry in adjusted),
                adjustments=adjusted,
                service_dates=DateSpan(FIRST),
                line_control_number=f"L{index}",
            )
        )
    return ClaimPayment(
        patient_control_number=draw(numbers),
        status_code="1",
        charge_cents=sum(line.charge_cents for line in served),
        paid_cents=sum(line.paid_cents for line in served),
        patient=person("DOE", "JANE"),
        claim_filing_indicator="12",
        payer_claim_number="ICN1",
        lines=tuple(served),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(payments(), min_size=1, max_size=3))
def test_generated_remittances_balance_and_read_back(claims: list[ClaimPayment]) -> None:
    base = remittance()
    paid = sum(claim.paid_cents for claim in claims)
    header = replace(base.header, payment=replace(base.header.payment, cents=paid))
    placed = tuple(replace(claim, position=index) for index, claim in enumerate(claims, 1))
    values = replace(base, header=header, claims=placed, provider_adjustments=())
    content = write_835(values, ENVELOPE)
    again = read_835(content)[0]
    assert again.claims == placed
    assert balance_of(again) == ()
    assert write_835(again, ENVELOPE) == content
    assert [finding for finding in check_bytes(content).all_findings() if finding.severity == "error"] == []
