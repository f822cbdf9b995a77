"""A Remittance to the bytes of an 835, in the guide's order. Knows no claim or ledger of ours."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from clearinghouse.x12.encoding import SegmentWriter, Text, day, money, number, optional_money
from clearinghouse.x12.envelope import Envelope, write_interchange
from clearinghouse.x12.parties import Address, DateSpan, Name
from clearinghouse.x12.party_segments import (
    procedure_composite,
    refuse_unread,
    write_address,
    write_adjustments,
    write_amounts,
    write_contacts,
    write_inpatient,
    write_name,
    write_outpatient,
    write_quantities,
    write_references,
)
from clearinghouse.x12.remittance_835 import (
    GUIDE,
    ClaimGroup,
    ClaimPayment,
    ProviderAdjustment,
    Remittance,
    RemittanceHeader,
    ServicePayment,
)

_REASONS_PER_PLB = 6


def write_835(remittance: Remittance, envelope: Envelope) -> bytes:
    """One interchange with one ST. Raises UnwritableValue naming loop and element."""
    out = SegmentWriter(envelope.delimiters)
    refuse_unread(remittance.header.unread)
    out.add("ST", "835", remittance.header.control_number)
    _write_header(out, remittance.header)
    summed_up = {group.number: group for group in remittance.groups}
    for group_number, claims in groupby(remittance.claims, key=lambda claim: claim.group_number):
        _write_group(out, summed_up.get(group_number, ClaimGroup(group_number)))
        for claim in claims:
            _write_claim(out, claim)
    _write_provider_adjustments(out, remittance.provider_adjustments)
    return write_interchange(envelope, "HP", GUIDE, out.segments)


def _write_header(out: SegmentWriter, header: RemittanceHeader) -> None:
    paid = header.payment
    out.add(
        "BPR",
        paid.handling,
        money(paid.cents),
        paid.credit_or_debit,
        paid.method,
        paid.format_code,
        paid.sender_bank_qualifier,
        paid.sender_bank_id,
        paid.sender_account_qualifier,
        paid.sender_account,
        paid.originating_company_id,
        paid.originating_company_supplemental,
        paid.receiver_bank_qualifier,
        paid.receiver_bank_id,
        paid.receiver_account_qualifier,
        paid.receiver_account,
        day(paid.effective_on) if paid.effective_on else "",
    )
    out.add("TRN", "1", header.trace.number, header.trace.payer_id, header.trace.supplemental)
    if header.currency:
        out.add("CUR", "PR", header.currency)
    write_references(out, header.references)
    if header.produced_on is not None:
        out.add("DTM", "405", day(header.produced_on))
    with out.within("1000A"):
        _write_party(out, "PR", header.payer.name, header.payer.address)
        write_references(out, header.payer.references)
        write_contacts(out, header.payer.contacts)
    with out.within("1000B"):
        _write_party(out, "PE", header.payee.name, header.payee.address)
        write_references(out, header.payee.references)
        if header.payee.delivery is not None:
            sent = header.payee.delivery
            out.add("RDM", sent.method, Text(sent.name), sent.number)


def _write_party(out: SegmentWriter, role: str, name: Name, address: Address | None) -> None:
    out.add("N1", role, Text(name.last_or_organization), name.id_qualifier if name.identifier else "", name.identifier)
    write_address(out, address)


def _write_group(out: SegmentWriter, group: ClaimGroup) -> None:
    with out.within("2000"):
        out.add("LX", str(group.number))
        if group.provider_summary:
            out.add("TS3", *group.provider_summary)
        if group.provider_supplemental:
            out.add("TS2", *group.provider_supplemental)


def _write_claim(out: SegmentWriter, claim: ClaimPayment) -> None:
    refuse_unread(claim.unread)
    with out.within("2100"):
        out.add(
            "CLP",
            claim.patient_control_number,
            claim.status_code,
            money(claim.charge_cents),
            money(claim.paid_cents),
            optional_money(claim.patient_cents),
            claim.claim_filing_indicator,
            claim.payer_claim_number,
            claim.facility_code,
            claim.frequency_code,
            "",
            claim.drg_code,
            number(claim.drg_weight),
            number(claim.discharge_fraction),
        )
        write_adjustments(out, claim.adjustments)
        _write_claim_names(out, claim)
        write_inpatient(out, claim.inpatient)
        write_outpatient(out, claim.outpatient)
        write_references(out, claim.references)
        for dated in claim.dates:
            _write_dtm(out, dated.qualifier, dated.span)
        write_contacts(out, claim.contacts)
        write_amounts(out, claim.amounts)
        write_quantities(out, claim.quantities)
    for line in claim.lines:
        _write_line(out, line)


def _write_claim_names(out: SegmentWriter, claim: ClaimPayment) -> None:
    names = (
        ("QC", claim.patient),
        ("IL", claim.subscriber),
        ("74", claim.corrected_patient),
        ("82", claim.rendering_provider),
        ("TT", claim.crossover_carrier),
        ("PR", claim.corrected_payer),
        ("GB", claim.other_subscriber),
    )
    for role, name in names:
        if name is not None:
            write_name(out, role, name)


def _write_line(out: SegmentWriter, line: ServicePayment) -> None:
    with out.within("2110"):
        out.add(
            "SVC",
            procedure_composite(line.procedure),
            money(line.charge_cents),
            money(line.paid_cents),
            line.revenue_code,
            number(line.paid_units),
            procedure_composite(line.submitted_procedure),
            number(line.submitted_units),
        )
        if line.service_dates is not None:
            _write_service_dates(out, line.service_dates)
        write_adjustments(out, line.adjustments)
        write_references(out, line.references)
        if line.line_control_number:
            out.add("REF", "6R", line.line_control_number)
        write_amounts(out, line.amounts)
        write_quantities(out, line.quantities)
        for remark in line.remark_codes:
            out.add("LQ", remark.qualifier, remark.code)


def _write_service_dates(out: SegmentWriter, dates: DateSpan) -> None:
    if dates.through_on is None:
        out.add("DTM", "472", day(dates.from_on))
        return
    out.add("DTM", "150", day(dates.from_on))
    out.add("DTM", "151", day(dates.through_on))


def _write_dtm(out: SegmentWriter, qualifier: str, dates: DateSpan) -> None:
    out.add("DTM", qualifier, day(dates.from_on))


def _write_provider_adjustments(out: SegmentWriter, adjustments: Iterable[ProviderAdjustment]) -> None:
    def place(entry: ProviderAdjustment) -> tuple[str, str]:
        return entry.provider_id, day(entry.fiscal_period_on)

    for (provider_id, period), entries in groupby(adjustments, key=place):
        pending = list(entries)
        for start in range(0, len(pending), _REASONS_PER_PLB):
            reasons: list[str | tuple[str, ...]] = []
            for entry in pending[start : start + _REASONS_PER_PLB]:
                reasons += [(entry.reason, entry.reference), money(entry.cents)]
            out.add("PLB", provider_id, period, *reasons)
