"""The other coverages of an 837 claim: loop 2320 and loops 2330A to 2330I."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.x12.claims_837 import OTHER_PAYER_PROVIDERS, ClaimKind, OtherSubscriber
from clearinghouse.x12.encoding import SegmentWriter, Text, money
from clearinghouse.x12.parties import DateSpan
from clearinghouse.x12.party_segments import (
    write_address,
    write_adjustments,
    write_date,
    write_inpatient,
    write_name,
    write_outpatient,
    write_references,
)
from clearinghouse.x12.write_837_lines import write_providers


def write_other_subscribers(out: SegmentWriter, others: Iterable[OtherSubscriber], kind: ClaimKind) -> None:
    """One 2320 per other coverage, in the order given."""
    for other in others:
        with out.within("2320"):
            _write_coverage(out, other, kind == "institutional")
        with out.within("2330A"):
            write_name(out, "IL", other.name)
            write_address(out, other.address)
            write_references(out, other.references)
        with out.within("2330B"):
            write_name(out, "PR", other.payer.name)
            write_address(out, other.payer.address)
            if other.payer.adjudicated_on is not None:
                write_date(out, "573", DateSpan(other.payer.adjudicated_on))
            write_references(out, other.payer.references)
        write_providers(out, other.providers, OTHER_PAYER_PROVIDERS[kind])


def _write_coverage(out: SegmentWriter, other: OtherSubscriber, institutional: bool) -> None:
    out.add(
        "SBR",
        other.payer_responsibility,
        other.relationship,
        other.group_number,
        Text(other.group_name),
        other.insurance_type,
        "",
        "",
        "",
        other.claim_filing_indicator,
    )
    write_adjustments(out, other.adjustments)
    amounts = (
        ("D", other.payer_paid_cents),
        ("EAF", other.remaining_patient_cents),
        ("A8", other.non_covered_cents),
    )
    for qualifier, cents in amounts:
        if cents is not None:
            out.add("AMT", qualifier, money(cents))
    signature = "" if institutional else other.patient_signature_source
    out.add("OI", "", "", other.benefits_assigned, signature, "", other.release_of_information)
    write_inpatient(out, other.inpatient_adjudication)
    write_outpatient(out, other.outpatient_adjudication)
