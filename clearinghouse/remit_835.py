"""An 835 as facts: who was paid what for which claim, and whether the remittance's own arithmetic holds."""

from __future__ import annotations

from collections.abc import Iterator

from clearinghouse.x12.parties import Adjustment as GuideAdjustment
from clearinghouse.x12.read_835 import RemittanceEnd, stream_835
from clearinghouse.x12.remittance_835 import ClaimPayment, Payee, RemittanceHeader, ServicePayment
from clearinghouse.x12.tokens import Source
from gateway.claim.answer import Adjustment, OutOfBalance, PaidClaim, PaidLine, ProviderAdjustment, Remittance


def remittance_entries(source: Source) -> Iterator[PaidClaim | Remittance]:
    """The claims of an 835 one by one, then the remittance they add up to. Raises X12FormatError."""
    header: RemittanceHeader | None = None
    paid_cents = 0
    for event in stream_835(source):
        if isinstance(event, RemittanceHeader):
            header, paid_cents = event, 0
        elif isinstance(event, ClaimPayment):
            paid_cents += event.paid_cents
            yield _claim(event)
        elif header is not None:
            yield _remittance(header, event, paid_cents)


def _remittance(header: RemittanceHeader, end: RemittanceEnd, claims_paid_cents: int) -> Remittance:
    npi, tax_id = _payee(header.payee)
    return Remittance(
        payer_identifier=header.trace.payer_id,
        trace_number=header.trace.number,
        payee_npi=npi,
        payee_tax_id=tax_id,
        payer_name=header.payer.name.last_or_organization,
        payment_cents=header.payment.cents,
        payment_method=header.payment.method,
        handling_code=header.payment.handling,
        paid_on=header.payment.effective_on,
        claims_paid_cents=claims_paid_cents,
        provider_adjustments=tuple(
            ProviderAdjustment(reason=each.reason, reference=each.reference, cents=each.cents)
            for each in end.provider_adjustments
        ),
        out_of_balance=tuple(
            OutOfBalance(where=each.where, expected_cents=each.expected_cents, found_cents=each.found_cents)
            for each in end.out_of_balance
        ),
    )


def _payee(payee: Payee) -> tuple[str, str]:
    """(NPI, tax id): N104 holds one of them, REF*TJ or REF*PQ the other."""
    tax_id = next((each.value for each in payee.references if each.qualifier == "TJ"), "")
    if payee.name.id_qualifier == "XX":
        return payee.name.identifier, tax_id
    return "", payee.name.identifier


def _claim(read: ClaimPayment) -> PaidClaim:
    remarks = (read.outpatient.remark_codes if read.outpatient else ()) + (
        read.inpatient.remark_codes if read.inpatient else ()
    )
    return PaidClaim(
        ordinal=read.position,
        claim_number=read.patient_control_number,
        payer_claim_number=read.payer_claim_number,
        status_code=read.status_code,
        charge_cents=read.charge_cents,
        paid_cents=read.paid_cents,
        patient_cents=read.patient_cents or 0,
        adjustments=_adjustments(read.adjustments),
        remarks=remarks,
        lines=tuple(_line(each) for each in read.lines),
    )


def _line(read: ServicePayment) -> PaidLine:
    return PaidLine(
        control_number=read.line_control_number,
        revenue_code=read.revenue_code or (read.procedure.code if read.procedure.qualifier == "NU" else ""),
        hcpcs=read.procedure.code if read.procedure.qualifier != "NU" else "",
        modifiers=read.procedure.modifiers,
        service_on=read.service_dates.from_on if read.service_dates else None,
        charge_cents=read.charge_cents,
        paid_cents=read.paid_cents,
        adjustments=_adjustments(read.adjustments),
        remarks=tuple(each.code for each in read.remark_codes),
    )


def _adjustments(read: tuple[GuideAdjustment, ...]) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(
            group=each.group,
            reason=each.reason,
            cents=each.cents,
            quantity="" if each.quantity is None else str(each.quantity),
        )
        for each in read
    )
