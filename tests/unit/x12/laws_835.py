"""Hypothesis strategies for whole 835s: every optional part of the guide, amounts that balance."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.x12.parties import (
    Adjustment,
    Amount,
    Contact,
    ContactNumber,
    DateSpan,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    QualifiedDate,
    Quantity,
)
from clearinghouse.x12.remittance_835 import (
    ClaimGroup,
    ClaimPayment,
    Payee,
    Payment,
    ProviderAdjustment,
    RemarkCode,
    Remittance,
    RemittanceDelivery,
    RemittanceHeader,
    RemittancePayer,
    ServicePayment,
    Trace,
)
from tests.unit.x12.strategies import addresses, days, decimals, names, numbers, optional, people, references, texts

_GROUPS = ("CO", "OA", "PI", "PR")
_cents = st.integers(-50_000, 200_000)


def adjustments(most: int = 8) -> st.SearchStrategy[tuple[Adjustment, ...]]:
    """Reasons, in a different group from their neighbours or not, so that CAS segments are packed."""
    one = st.builds(
        Adjustment,
        group=st.sampled_from(_GROUPS),
        reason=st.sampled_from(("45", "1", "2", "197", "B7", "A1")),
        cents=_cents.filter(bool),
        quantity=optional(decimals),
    )
    return st.lists(one, max_size=most).map(tuple)


_procedures = st.builds(
    Procedure,
    code=st.sampled_from(("H0015", "S9480", "90853")),
    modifiers=st.lists(st.sampled_from(("HF", "GT", "95", "U1")), max_size=4, unique=True).map(tuple),
    description=st.just(""),
)


@st.composite
def lines(draw: st.DrawFn, sign: int) -> ServicePayment:
    """One 2110; a reversal's amounts (`sign` -1) are negative."""
    charge = sign * draw(st.integers(1, 999_999))
    adjusted = draw(adjustments())
    dates = draw(optional(st.builds(DateSpan, days, optional(days))))
    return ServicePayment(
        procedure=draw(_procedures),
        charge_cents=charge,
        paid_cents=charge - sum(entry.cents for entry in adjusted),
        revenue_code=draw(st.sampled_from(("", "0905", "0912"))),
        paid_units=draw(optional(decimals)),
        submitted_procedure=draw(optional(_procedures)),
        submitted_units=draw(optional(decimals)),
        service_dates=dates,
        adjustments=adjusted,
        line_control_number=draw(st.one_of(st.just(""), numbers)),
        references=draw(references("1S", "APC", "G1", "1A", "HPI", "0K")),
        amounts=draw(st.lists(st.builds(Amount, st.sampled_from(("B6", "KH", "T")), _cents), max_size=2).map(tuple)),
        quantities=draw(st.lists(st.builds(Quantity, st.sampled_from(("ZK", "ZL")), decimals), max_size=2).map(tuple)),
        remark_codes=draw(
            st.lists(
                st.builds(RemarkCode, st.sampled_from(("N822", "MA01", "M51")), st.sampled_from(("HE", "RX"))),
                max_size=3,
            ).map(tuple)
        ),
    )


@st.composite
def claims(draw: st.DrawFn) -> ClaimPayment:
    """One 2100: paid, denied, or a reversal."""
    status = draw(st.sampled_from(("1", "2", "4", "22")))
    served = draw(st.lists(lines(-1 if status == "22" else 1), max_size=3).map(tuple))
    own = draw(adjustments(3))
    charge = sum(line.charge_cents for line in served) or draw(st.integers(0, 999_999))
    adjusted = sum(entry.cents for entry in own) + sum(entry.cents for line in served for entry in line.adjustments)
    return ClaimPayment(
        patient_control_number=draw(numbers),
        status_code=status,
        charge_cents=charge,
        paid_cents=charge - adjusted,
        patient=draw(people("MI")),
        patient_cents=draw(optional(_cents)),
        claim_filing_indicator=draw(st.sampled_from(("12", "MB", "MC", "CH"))),
        payer_claim_number=draw(numbers),
        facility_code=draw(st.sampled_from(("", "13", "52"))),
        frequency_code=draw(st.sampled_from(("1", "7", "8"))),
        adjustments=own,
        subscriber=draw(optional(people("MI"))),
        corrected_patient=draw(optional(people("C"))),
        rendering_provider=draw(optional(people("XX"))),
        crossover_carrier=draw(optional(_carriers)),
        corrected_payer=draw(optional(_carriers)),
        other_subscriber=draw(optional(people("MI"))),
        inpatient=draw(optional(_inpatient)),
        outpatient=draw(optional(_outpatient)),
        references=draw(references("EA", "1W", "G3", "1A", "D3")),
        dates=tuple(QualifiedDate(each, DateSpan(draw(days))) for each in draw(_dates)),
        contacts=draw(st.lists(_contacts("CX"), max_size=2).map(tuple)),
        amounts=draw(st.lists(st.builds(Amount, st.sampled_from(("AU", "F5", "I")), _cents), max_size=3).map(tuple)),
        quantities=draw(st.lists(st.builds(Quantity, st.sampled_from(("CA", "OU")), decimals), max_size=2).map(tuple)),
        lines=served,
        drg_code=draw(st.sampled_from(("", "885"))),
        drg_weight=draw(optional(decimals)),
        discharge_fraction=draw(optional(decimals)),
    )


_carriers = st.builds(Name, names, id_qualifier=st.just("PI"), identifier=numbers)
_inpatient = st.builds(
    lambda days_covered, remark: InpatientAdjudication((days_covered, "", "", "", remark), (remark,)),
    st.sampled_from(("0", "5")),
    st.just("MA02"),
)
_outpatient = st.builds(
    OutpatientAdjudication,
    optional(st.decimals("0.01", "0.99", places=2)),
    optional(_cents),
    st.lists(st.sampled_from(("MA01", "N1", "M2")), max_size=5).map(tuple),
    optional(_cents),
    st.just(1_00),
)
_dates = st.lists(st.sampled_from(("232", "233", "036", "050")), unique=True)


def _contacts(function: str) -> st.SearchStrategy[Contact]:
    numbers_of = st.just((ContactNumber("TE", "5555550101"), ContactNumber("EX", "12")))
    return st.builds(Contact, st.one_of(st.just(""), names), numbers_of, st.just(function))


_summary = st.sampled_from((("1999999984", "13", "20261231", "2", "100.5"), ("1999999984", "11", "20261231", "9", "1")))
_supplemental = st.sampled_from((("1.5",), ("", "2", "", "4")))


@st.composite
def remittances(draw: st.DrawFn) -> Remittance:
    """A whole 835 whose equations hold; the payment may be negative or nothing."""
    found = draw(st.lists(claims(), max_size=4))
    group_numbers = sorted(draw(st.lists(st.integers(1, 3), min_size=len(found), max_size=len(found))))
    placed = tuple(
        replace(claim, position=index, group_number=group)
        for index, (claim, group) in enumerate(zip(found, group_numbers, strict=True), 1)
    )
    groups = tuple(
        ClaimGroup(number, draw(_summary), draw(st.one_of(st.just(()), _supplemental)))
        for number in sorted(set(group_numbers))
        if draw(st.booleans())
    )
    corrections = draw(provider_adjustments())
    paid = sum(claim.paid_cents for claim in placed) - sum(entry.cents for entry in corrections)
    return Remittance(draw(headers(paid)), placed, corrections, groups)


@st.composite
def provider_adjustments(draw: st.DrawFn) -> tuple[ProviderAdjustment, ...]:
    """PLB reasons of up to two fiscal years, more than one segment holds."""
    entries = st.builds(
        ProviderAdjustment,
        provider_id=st.just("1999999984"),
        fiscal_period_on=st.just(date(2026, 12, 31)),
        reason=st.sampled_from(("WO", "FB", "L6", "72")),
        cents=_cents.filter(bool),
        reference=st.one_of(st.just(""), numbers),
    )
    first = draw(st.lists(entries, max_size=8))
    second = draw(st.lists(entries, max_size=2))
    return (*first, *(replace(entry, fiscal_period_on=date(2025, 12, 31)) for entry in second))


@st.composite
def headers(draw: st.DrawFn, paid_cents: int) -> RemittanceHeader:
    """Everything above the claims."""
    by_transfer = draw(st.booleans())
    accounts = ("CCP", "01", "011900254", "DA", "1234", "1123456789", "999000111", "01", "011900445", "DA", "5678")
    payment = Payment(
        paid_cents,
        draw(days),
        draw(st.sampled_from(("I", "H", "D"))),
        "C",
        *(("ACH", *accounts) if by_transfer else ("CHK",)),
    )
    payer = RemittancePayer(
        Name(draw(names), id_qualifier="XV", identifier="12345") if draw(st.booleans()) else Name(draw(names)),
        draw(addresses),
        draw(references("2U", "EO", "NF")),
        (
            *draw(st.lists(_contacts("CX"), max_size=1)),
            *draw(st.lists(_contacts("BL"), min_size=1, max_size=2)),
            *draw(st.sampled_from(((), (Contact("", (ContactNumber("UR", "WWW.EXAMPLE.COM"),), "IC"),)))),
        ),
    )
    delivery = st.builds(RemittanceDelivery, st.sampled_from(("EM", "FT")), texts, numbers)
    payee = Payee(
        Name(draw(names), id_qualifier="XX", identifier="1999999984"),
        draw(optional(addresses)),
        draw(references("TJ", "PQ")),
        draw(optional(delivery)),
    )
    return RemittanceHeader(
        payment=payment,
        trace=Trace(draw(numbers), "1123456789", draw(st.one_of(st.just(""), numbers))),
        payer=payer,
        payee=payee,
        produced_on=draw(optional(days)),
        references=draw(references("EV", "F2")),
        currency=draw(st.sampled_from(("", "USD"))),
    )
