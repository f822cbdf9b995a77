"""A ClaimTransaction to the bytes of an 837I or 837P, in the guide's order. Knows no claim of ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import count, groupby

from clearinghouse.x12.claims_837 import (
    CLAIM_PROVIDERS,
    BillingProvider,
    Claim,
    ClaimKind,
    ClaimTransaction,
    Patient,
    Subscriber,
)
from clearinghouse.x12.encoding import SegmentWriter, Text, clock, day, money
from clearinghouse.x12.envelope import Envelope, write_interchange
from clearinghouse.x12.party_segments import (
    refuse_unread,
    write_address,
    write_amounts,
    write_contacts,
    write_date,
    write_demographics,
    write_name,
    write_references,
)
from clearinghouse.x12.write_837_codes import write_codes
from clearinghouse.x12.write_837_lines import write_attachments, write_lines, write_notes, write_providers
from clearinghouse.x12.write_837_other_payers import write_other_subscribers

_LEVEL_LOOPS = {"20": "2000A", "22": "2000B", "23": "2000C"}


def write_837(transaction: ClaimTransaction, envelope: Envelope) -> bytes:
    """One interchange with one ST. Raises UnwritableValue naming loop and element, ValueError for a bad envelope."""
    out = SegmentWriter(envelope.delimiters)
    refuse_unread(transaction.unread)
    out.add("ST", "837", transaction.control_number, transaction.guide)
    out.add(
        "BHT",
        "0019",
        transaction.purpose_code,
        transaction.reference,
        day(transaction.created_on),
        clock(transaction.created_time),
        transaction.transaction_type_code,
    )
    with out.within("1000A"):
        write_name(out, "41", transaction.submitter.name)
        write_contacts(out, transaction.submitter.contacts)
    with out.within("1000B"):
        write_name(out, "40", transaction.receiver)
    _Hierarchy(out, transaction.kind).write(transaction.billing_providers)
    return write_interchange(envelope, "HC", transaction.guide, out.segments)


class _Hierarchy:
    """Writes the HL levels: 20 billing provider, 22 subscriber, 23 patient."""

    def __init__(self, out: SegmentWriter, kind: ClaimKind) -> None:
        self.out = out
        self.kind: ClaimKind = kind
        self.levels = count(1)

    def write(self, providers: Iterable[BillingProvider]) -> None:
        for provider in providers:
            refuse_unread(provider.unread)
            level = self._open("", "20", has_children=True)
            with self.out.within("2000A"):
                if provider.taxonomy:
                    self.out.add("PRV", "BI", "PXC", provider.taxonomy)
            _write_billing_provider(self.out, provider)
            for subscriber in provider.subscribers:
                self._subscriber(subscriber, level)

    def _subscriber(self, subscriber: Subscriber, parent: str) -> None:
        out = self.out
        refuse_unread(subscriber.unread)
        level = self._open(parent, "22", has_children=any(claim.patient for claim in subscriber.claims))
        with out.within("2000B"):
            out.add(
                "SBR",
                subscriber.payer_responsibility,
                subscriber.relationship,
                subscriber.group_number,
                Text(subscriber.group_name),
                subscriber.insurance_type,
                "",
                "",
                "",
                subscriber.claim_filing_indicator,
            )
        _write_subscriber_parties(out, subscriber)
        for patient, claims in groupby(subscriber.claims, key=lambda claim: claim.patient):
            if patient is not None:
                self._patient(patient, level)
            for claim in claims:
                write_claim(out, claim, self.kind)

    def _patient(self, patient: Patient, parent: str) -> None:
        refuse_unread(patient.unread)
        self._open(parent, "23", has_children=False)
        with self.out.within("2000C"):
            died = ("", "", "", "D8", day(patient.died_on)) if patient.died_on else ()
            self.out.add("PAT", patient.relationship, *died)
        with self.out.within("2010CA"):
            write_name(self.out, "QC", patient.name)
            write_address(self.out, patient.address)
            write_demographics(self.out, patient.demographics)
            write_references(self.out, patient.references)

    def _open(self, parent: str, code: str, *, has_children: bool) -> str:
        level = str(next(self.levels))
        with self.out.within(_LEVEL_LOOPS[code]):
            self.out.add("HL", level, parent, code, "1" if has_children else "0")
        return level


def _write_billing_provider(out: SegmentWriter, provider: BillingProvider) -> None:
    with out.within("2010AA"):
        write_name(out, "85", provider.name)
        write_address(out, provider.address)
        write_references(out, provider.references)
        write_contacts(out, provider.contacts)
    if provider.pay_to_address is not None:
        with out.within("2010AB"):
            out.add("NM1", "87", provider.name.entity_type)
            write_address(out, provider.pay_to_address)
    plan = provider.pay_to_plan
    if plan is not None:
        with out.within("2010AC"):
            write_name(out, "PE", plan.name)
            write_address(out, plan.address)
            write_references(out, plan.references)


def _write_subscriber_parties(out: SegmentWriter, subscriber: Subscriber) -> None:
    with out.within("2010BA"):
        write_name(out, "IL", subscriber.name)
        write_address(out, subscriber.address)
        write_demographics(out, subscriber.demographics)
        write_references(out, subscriber.references)
    with out.within("2010BB"):
        write_name(out, "PR", subscriber.payer.name)
        write_address(out, subscriber.payer.address)
        write_references(out, subscriber.payer.references)


def write_claim(out: SegmentWriter, claim: Claim, kind: ClaimKind) -> None:
    """Loop 2300 and everything under it."""
    institutional = kind == "institutional"
    refuse_unread(claim.unread)
    with out.within("2300"):
        _write_claim_segment(out, claim, institutional)
        _write_claim_dates(out, claim)
        if institutional and claim.institutional is not None:
            facts = claim.institutional
            out.add("CL1", facts.admission_type, facts.admission_source, facts.patient_status)
        write_attachments(out, claim.attachments)
        if claim.patient_amount_cents is not None:
            out.add("AMT", "F3" if institutional else "F5", money(claim.patient_amount_cents))
        write_amounts(out, claim.amounts)
        write_references(out, claim.references)
        write_notes(out, claim.fixed_format, claim.notes)
        write_codes(out, claim, institutional)
    write_providers(out, claim.providers, CLAIM_PROVIDERS[kind])
    write_other_subscribers(out, claim.other_subscribers, kind)
    write_lines(out, claim.lines, kind)


def _write_claim_segment(out: SegmentWriter, claim: Claim, institutional: bool) -> None:
    out.add(
        "CLM",
        claim.patient_control_number,
        money(claim.total_charge_cents),
        "",
        "",
        (claim.facility_code, "A" if institutional else "B", claim.frequency_code),
        "" if institutional else claim.signature_on_file,
        claim.assignment_code,
        claim.benefits_assigned,
        claim.release_of_information,
        "" if institutional else claim.patient_signature_source,
        *[""] * 9,
        claim.delay_reason_code,
    )


def _write_claim_dates(out: SegmentWriter, claim: Claim) -> None:
    if claim.discharge_time is not None:
        out.add("DTP", "096", "TM", clock(claim.discharge_time))
    write_date(out, "434", claim.statement_dates)
    admitted = claim.admitted_at
    if isinstance(admitted, datetime):
        out.add("DTP", "435", "DT", day(admitted) + clock(admitted.time()))
    elif admitted is not None:
        out.add("DTP", "435", "D8", day(admitted))
    for dated in claim.dates:
        write_date(out, dated.qualifier, dated.span)
