"""The service lines of an 837 (loops 2400, 2420, 2430) and the provider loops claims and lines share."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.x12.claims_837 import (
    LINE_PROVIDERS,
    Attachment,
    ClaimKind,
    LineAdjudication,
    Note,
    Provider,
    ServiceLine,
)
from clearinghouse.x12.encoding import SegmentWriter, Text, UnwritableValue, money, number, optional_money
from clearinghouse.x12.parties import DateSpan
from clearinghouse.x12.party_segments import (
    procedure_composite,
    write_address,
    write_adjustments,
    write_amounts,
    write_contacts,
    write_date,
    write_name,
    write_references,
)

# The providers whose loop has a PRV, and its PRV01.
_TAXONOMY = {("71", "2310A"): "AT", ("82", "2310B"): "PE", ("82", "2420A"): "PE"}


def write_lines(out: SegmentWriter, lines: Iterable[ServiceLine], kind: ClaimKind) -> None:
    """Loop 2400 of each line."""
    institutional = kind == "institutional"
    for line in lines:
        with out.within("2400"):
            out.add("LX", str(line.number))
            if institutional:
                _write_institutional_service(out, line)
            else:
                _write_professional_service(out, line)
            write_attachments(out, line.attachments)
            write_date(out, "472", line.service_dates)
            for dated in line.dates:
                write_date(out, dated.qualifier, dated.span)
            if line.control_number:
                out.add("REF", "6R", line.control_number)
            write_references(out, line.references)
            write_amounts(out, line.amounts)
            write_notes(out, line.fixed_format, line.notes)
        write_providers(out, line.providers, LINE_PROVIDERS[kind])
        for adjudication in line.adjudications:
            _write_adjudication(out, adjudication, institutional)


def write_attachments(out: SegmentWriter, attachments: Iterable[Attachment]) -> None:
    """One PWK each."""
    for attachment in attachments:
        number_of = ("", "", "AC", attachment.control_number) if attachment.control_number else ()
        out.add("PWK", attachment.report_type, attachment.transmission, *number_of)


def write_notes(out: SegmentWriter, fixed_format: Iterable[str], notes: Iterable[Note]) -> None:
    """K3 and NTE, one each."""
    for text in fixed_format:
        out.add("K3", Text(text))
    for note in notes:
        out.add("NTE", note.code, Text(note.text))


def write_providers(out: SegmentWriter, providers: Iterable[Provider], loops: dict[str, str]) -> None:
    """Provider loops in guide order; `loops` maps NM101 roles to loop ids. Raises UnwritableValue for another role."""
    order = list(loops)
    for provider in sorted(providers, key=lambda entry: _role_place(entry.role, order, loops)):
        loop = loops[provider.role]
        with out.within(loop):
            write_name(out, provider.role, provider.name)
            specialty = _TAXONOMY.get((provider.role, loop))
            if provider.taxonomy and specialty is not None:
                out.add("PRV", specialty, "PXC", provider.taxonomy)
            write_address(out, provider.address)
            write_references(out, provider.references)
            if provider.contact is not None:
                write_contacts(out, (provider.contact,))


def _role_place(role: str, order: list[str], loops: dict[str, str]) -> int:
    if role not in loops:
        problem = f"the guide has no provider of this role here; it knows {', '.join(order)}."
        raise UnwritableValue(loops[order[0]][:4], "NM101", problem)
    return order.index(role)


def _write_institutional_service(out: SegmentWriter, line: ServiceLine) -> None:
    out.add(
        "SV2",
        line.revenue_code,
        procedure_composite(line.procedure),
        money(line.charge_cents),
        line.unit_basis,
        number(line.units),
        "",
        optional_money(line.non_covered_cents),
    )


def _write_professional_service(out: SegmentWriter, line: ServiceLine) -> None:
    out.add(
        "SV1",
        procedure_composite(line.procedure),
        money(line.charge_cents),
        line.unit_basis,
        number(line.units),
        line.place_of_service,
        "",
        tuple(str(pointer) for pointer in line.diagnosis_pointers),
        "",
        "Y" if line.emergency else "",
    )


def _write_adjudication(out: SegmentWriter, decided: LineAdjudication, institutional: bool) -> None:
    with out.within("2430"):
        out.add(
            "SVD",
            decided.payer_id,
            money(decided.paid_cents),
            procedure_composite(decided.procedure),
            decided.revenue_code if institutional else "",
            number(decided.paid_units),
            "" if decided.bundled_into is None else str(decided.bundled_into),
        )
        write_adjustments(out, decided.adjustments)
        if decided.adjudicated_on is not None:
            write_date(out, "573", DateSpan(decided.adjudicated_on))
        if decided.remaining_patient_cents is not None:
            out.add("AMT", "EAF", money(decided.remaining_patient_cents))
