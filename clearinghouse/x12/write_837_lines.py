"""The service lines of an 837 (loops 2400, 2420, 2430) and the provider loops claims and lines share."""

from __future__ import annotations

from collections.abc import Iterable

from clearinghouse.x12.claims_837 import LineAdjudication, Provider, ServiceLine
from clearinghouse.x12.encoding import SegmentWriter, Text, money, number, optional_money
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

_TAXONOMY_ROLE = {"71": "AT", "82": "PE"}
_INSTITUTIONAL_ROLES = {"72": "2420A", "ZZ": "2420B", "82": "2420C", "DN": "2420D"}
_PROFESSIONAL_ROLES = {
    "82": "2420A",
    "QB": "2420B",
    "77": "2420C",
    "DQ": "2420D",
    "DK": "2420E",
    "DN": "2420F",
    "P3": "2420F",
}


def write_lines(out: SegmentWriter, lines: Iterable[ServiceLine], institutional: bool) -> None:
    """Loop 2400 of each line."""
    roles = _INSTITUTIONAL_ROLES if institutional else _PROFESSIONAL_ROLES
    for line in lines:
        with out.within("2400"):
            out.add("LX", str(line.number))
            if institutional:
                _write_institutional_service(out, line)
            else:
                _write_professional_service(out, line)
            write_date(out, "472", line.service_dates)
            for dated in line.dates:
                write_date(out, dated.qualifier, dated.span)
            if line.control_number:
                out.add("REF", "6R", line.control_number)
            write_references(out, line.references)
            write_amounts(out, line.amounts)
            for note in line.notes:
                out.add("NTE", note.code, Text(note.text))
        write_providers(out, line.providers, roles)
        for adjudication in line.adjudications:
            _write_adjudication(out, adjudication, institutional)


def write_providers(out: SegmentWriter, providers: Iterable[Provider], loops: dict[str, str]) -> None:
    """Provider loops in guide order; `loops` maps NM101 roles to loop ids. Raises ValueError for a role not in it."""
    order = list(loops)
    for provider in sorted(providers, key=lambda entry: _role_place(entry.role, order)):
        with out.within(loops[provider.role]):
            write_name(out, provider.role, provider.name)
            if provider.taxonomy and provider.role in _TAXONOMY_ROLE:
                out.add("PRV", _TAXONOMY_ROLE[provider.role], "PXC", provider.taxonomy)
            write_address(out, provider.address)
            write_references(out, provider.references)
            if provider.contact is not None:
                write_contacts(out, (provider.contact,))


def _role_place(role: str, order: list[str]) -> int:
    if role not in order:
        raise ValueError(f"Provider role {role} has no loop here; the guide knows {', '.join(order)}.")
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
