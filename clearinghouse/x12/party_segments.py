"""Segments every guide shares, written from their values: NM1, N3, N4, DMG, REF, PER, DTP, CAS, AMT.

Knows no loop order.
"""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.x12.encoding import SegmentWriter, Text, UnwritableValue, day, money, number, optional_money, span
from clearinghouse.x12.parties import (
    Address,
    Adjustment,
    Amount,
    Contact,
    DateSpan,
    Demographics,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    Quantity,
    Reference,
    UnreadSegment,
)

REASONS_PER_CAS = 6
REMARKS_PER_MOA = 5


def write_name(out: SegmentWriter, role: str, name: Name) -> None:
    """NM1 with `role` as NM101."""
    out.add(
        "NM1",
        role,
        name.entity_type,
        Text(name.last_or_organization),
        Text(name.first),
        Text(name.middle),
        "",
        Text(name.suffix),
        name.id_qualifier if name.identifier else "",
        name.identifier,
    )


def write_address(out: SegmentWriter, address: Address | None) -> None:
    """N3 and N4; nothing for None."""
    if address is None:
        return
    out.add("N3", Text(address.line_1), Text(address.line_2))
    country = (address.country, "", "", address.subdivision) if address.country else ()
    out.add("N4", Text(address.city), address.state, address.postal_code, *country)


def write_demographics(out: SegmentWriter, demographics: Demographics | None) -> None:
    """DMG; nothing for None."""
    if demographics is not None:
        out.add("DMG", "D8", day(demographics.born_on), demographics.gender)


def write_references(out: SegmentWriter, references: Iterable[Reference]) -> None:
    """One REF each, in the order given."""
    for reference in references:
        out.add("REF", reference.qualifier, reference.value)


def write_contacts(out: SegmentWriter, contacts: Iterable[Contact]) -> None:
    """One PER each with up to three numbers."""
    for contact in contacts:
        numbers = [part for entry in contact.numbers[:3] for part in (entry.qualifier, entry.number)]
        out.add("PER", contact.function, Text(contact.name), *numbers)


def write_date(out: SegmentWriter, qualifier: str, dates: DateSpan | None) -> None:
    """DTP as D8 or RD8; nothing for None."""
    if dates is not None:
        out.add("DTP", qualifier, *span(dates))


def write_adjustments(out: SegmentWriter, adjustments: Iterable[Adjustment]) -> None:
    """CAS segments: neighbouring reasons of one group packed six to a segment."""
    run: list[Adjustment] = []
    for adjustment in adjustments:
        if run and (adjustment.group != run[0].group or len(run) == REASONS_PER_CAS):
            _write_cas(out, run)
            run = []
        run.append(adjustment)
    if run:
        _write_cas(out, run)


def write_amounts(out: SegmentWriter, amounts: Iterable[Amount]) -> None:
    """One AMT each."""
    for amount in amounts:
        out.add("AMT", amount.qualifier, money(amount.cents))


def write_quantities(out: SegmentWriter, quantities: Iterable[Quantity]) -> None:
    """One QTY each."""
    for quantity in quantities:
        out.add("QTY", quantity.qualifier, number(quantity.value))


def write_inpatient(out: SegmentWriter, decided: InpatientAdjudication | None) -> None:
    """MIA; nothing for None."""
    if decided is not None:
        out.add("MIA", *decided.elements)


def write_outpatient(out: SegmentWriter, decided: OutpatientAdjudication | None) -> None:
    """MOA with up to five remark codes; nothing for None."""
    if decided is not None:
        remarks = (*decided.remark_codes, *[""] * REMARKS_PER_MOA)[:REMARKS_PER_MOA]
        last = (optional_money(decided.esrd_cents), optional_money(decided.professional_component_cents))
        out.add("MOA", number(decided.reimbursement_rate), optional_money(decided.payable_cents), *remarks, *last)


def refuse_unread(unread: Iterable[UnreadSegment]) -> None:
    """Raises UnwritableValue when a stranger's file said more than these values hold: writing them would lose it."""
    for segment in unread:
        problem = "these values were read from a file that says more than they hold; pass on the file itself."
        raise UnwritableValue(segment.loop, segment.elements[0], problem)


def procedure_composite(procedure: Procedure | None, revenue_code: str = "") -> tuple[str, ...]:
    """Qualifier, code, four modifiers, description; blank for None."""
    if procedure is None:
        return ()
    modifiers = (*procedure.modifiers, "", "", "", "")[:4]
    return (procedure.qualifier, procedure.code, *modifiers, Text(procedure.description), revenue_code)


def _write_cas(out: SegmentWriter, run: list[Adjustment]) -> None:
    elements = [part for entry in run for part in (entry.reason, money(entry.cents), number(entry.quantity))]
    out.add("CAS", run[0].group, *elements)
