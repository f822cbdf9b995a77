"""Hypothesis strategies for whole 837s: every optional loop and segment the values have a place for."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec.structs import replace

from clearinghouse.x12.claims_837 import (
    CLAIM_PROVIDERS,
    LINE_PROVIDERS,
    OTHER_PAYER_PROVIDERS,
    Attachment,
    BillingProvider,
    Claim,
    ClaimKind,
    ClaimTransaction,
    Diagnosis,
    InpatientProcedure,
    InstitutionalFacts,
    LineAdjudication,
    Note,
    Occurrence,
    OccurrenceSpan,
    OtherCode,
    OtherPayer,
    OtherSubscriber,
    Patient,
    Payer,
    PayToPlan,
    Provider,
    ServiceLine,
    Submitter,
    Subscriber,
    ValueCode,
)
from clearinghouse.x12.parties import (
    Adjustment,
    Amount,
    Contact,
    ContactNumber,
    DateSpan,
    Demographics,
    InpatientAdjudication,
    Name,
    OutpatientAdjudication,
    Procedure,
    QualifiedDate,
    Reference,
)
from tests.unit.x12.strategies import (
    NPIS,
    addresses,
    days,
    decimals,
    names,
    numbers,
    optional,
    people,
    references,
    texts,
)

PAYERS = ("77777", "66666", "55555")
_FIRST, _LAST = date(2026, 3, 2), date(2026, 3, 31)
_served = st.dates(_FIRST, _LAST)
_DIAGNOSES = ("F332", "F411", "F1020", "F4310")
_cents = st.integers(1, 999_999)
_tax = st.just((Reference("EI", "123456789"),))
_contact = st.builds(
    Contact,
    st.one_of(st.just(""), names),
    st.just((ContactNumber("TE", "5555550100"), ContactNumber("EX", "12"), ContactNumber("EM", "DESK@EXAMPLE.COM"))),
)
_attachments = st.lists(st.builds(Attachment, st.sampled_from(("OZ", "B4")), st.just("EL"), numbers), max_size=2).map(
    tuple
)
_k3 = st.lists(texts, max_size=2).map(tuple)
_PHYSICIANS = ("0B", "1G", "G2")
# Role to what its loop may hold beyond a name: REF qualifiers, an address (must), a taxonomy.
_PLACES = ("77", "PW", "45")


def _provider(kind: ClaimKind, role: str, level: str) -> st.SearchStrategy[Provider]:
    if level == "other":
        entity = "2" if role in ("77", "85") else "1"
        qualifiers = ("G2", "LU") if role == "85" else ("0B", "G2")
        known = st.lists(st.sampled_from(qualifiers), min_size=1, unique=True)
        numbered = st.tuples(known, numbers).map(lambda drawn: tuple(Reference(each, drawn[1]) for each in drawn[0]))
        return st.builds(Provider, st.just(role), st.just(Name("", entity_type=entity)), references=numbered)
    organization = st.builds(Name, names, id_qualifier=st.just("XX"), identifier=st.sampled_from(NPIS))
    if role in ("PW", "45"):
        ends = st.just(Name("")) if role == "PW" else st.builds(Name, names)
        return st.builds(Provider, st.just(role), ends, address=addresses)
    if role == "QB":
        purchased = Name("", id_qualifier="XX", identifier=NPIS[0], entity_type="1")
        return st.builds(Provider, st.just(role), st.just(purchased), references=references(*_PHYSICIANS))
    taxonomy = (kind, role, level) in {("institutional", "71", "claim")} or (kind == "professional" and role == "82")
    qualifiers = ("G2", "LU") if role == "77" and level == "line" else ("0B", "G2") if role == "77" else _PHYSICIANS
    contact = optional(_facility_contact) if (kind, role, level) == ("professional", "77", "claim") else st.none()
    return st.builds(
        Provider,
        st.just(role),
        organization if role == "77" else people("XX"),
        st.sampled_from(("", "2084P0800X")) if taxonomy else st.just(""),
        addresses if role == "77" else optional(addresses) if role == "DK" else st.none(),
        references(*qualifiers),
        contact if role != "DK" else optional(_contact),
    )


_facility_contact = st.just(Contact("", (ContactNumber("TE", "5555550102"), ContactNumber("EX", "9"))))


@st.composite
def _providers(draw: st.DrawFn, kind: ClaimKind, level: str, most: int = 9) -> tuple[Provider, ...]:
    loops = {"claim": CLAIM_PROVIDERS, "line": LINE_PROVIDERS, "other": OTHER_PAYER_PROVIDERS}[level][kind]
    chosen = draw(st.lists(st.sampled_from([*loops]), unique=True, max_size=most))
    if kind == "institutional" and level == "claim":
        chosen = [*dict.fromkeys(("71", *chosen))]
    return tuple(draw(_provider(kind, role, level)) for role in loops if role in chosen)


def _procedures() -> st.SearchStrategy[Procedure]:
    return st.builds(
        Procedure,
        st.sampled_from(("H0015", "S9480", "90853")),
        st.lists(st.sampled_from(("HF", "GT", "95", "U1")), max_size=4, unique=True).map(tuple),
        description=st.one_of(st.just(""), texts),
    )


@st.composite
def _adjustments(draw: st.DrawFn) -> tuple[Adjustment, ...]:
    """Up to five CAS segments' worth."""
    one = st.builds(
        Adjustment,
        st.sampled_from(("CO", "OA", "PI", "PR")),
        st.sampled_from(("45", "1", "2", "253")),
        st.integers(1, 99_999),
        optional(decimals),
    )
    return tuple(sorted(draw(st.lists(one, max_size=7)), key=lambda entry: entry.group))


@st.composite
def _adjudications(draw: st.DrawFn, kind: ClaimKind, charge: int, payers: list[str]) -> tuple[LineAdjudication, ...]:
    decided = []
    for payer in payers:
        adjusted = draw(_adjustments())
        entry = LineAdjudication(
            payer_id=payer,
            paid_cents=charge - sum(each.cents for each in adjusted),
            procedure=draw(_procedures()),
            paid_units=draw(decimals),
            adjudicated_on=draw(days),
            adjustments=adjusted,
            revenue_code="0905" if kind == "institutional" else "",
            remaining_patient_cents=draw(optional(_cents)),
            bundled_into=draw(optional(st.integers(1, 9))),
        )
        if entry.paid_cents >= 0:
            decided.append(entry)
    return tuple(decided)


@st.composite
def _line(draw: st.DrawFn, kind: ClaimKind, number: int, payers: list[str]) -> ServiceLine:
    charge = draw(_cents)
    from_on = draw(_served)
    shared: dict[str, Any] = {
        "number": number,
        "charge_cents": charge,
        "units": draw(st.integers(1, 99).map(Decimal)),
        "procedure": draw(_procedures()),
        "service_dates": DateSpan(from_on, draw(optional(st.dates(from_on, _LAST)))),
        "control_number": f"L{number}",
        "providers": draw(_providers(kind, "line", 3)),
        "adjudications": draw(_adjudications(kind, charge, payers)),
        "attachments": draw(_attachments),
    }
    if kind == "institutional":
        return ServiceLine(
            revenue_code=draw(st.sampled_from(("0905", "0912"))),
            unit_basis=draw(st.sampled_from(("UN", "DA"))),
            non_covered_cents=draw(optional(_cents)),
            references=draw(references("9B", "9D")),
            amounts=draw(st.lists(st.builds(Amount, st.just("GT"), _cents), max_size=1).map(tuple)),
            notes=draw(st.lists(st.builds(Note, st.just("TPO"), texts), max_size=1).map(tuple)),
            **shared,
        )
    return ServiceLine(
        place_of_service=draw(st.sampled_from(("", "57", "52"))),
        diagnosis_pointers=(1,),
        emergency=draw(st.booleans()),
        dates=draw(st.sampled_from(((), (QualifiedDate("454", DateSpan(_FIRST)),)))),
        references=draw(references("G1", "9F")),
        amounts=draw(st.lists(st.builds(Amount, st.just("T"), _cents), max_size=1).map(tuple)),
        notes=draw(st.lists(st.builds(Note, st.sampled_from(("ADD", "TPO")), texts), max_size=1).map(tuple)),
        fixed_format=draw(_k3),
        **shared,
    )


_inpatient = st.just(InpatientAdjudication(("0", "", "", "5.5", "MA02"), ("MA02",)))
_outpatient = st.builds(
    OutpatientAdjudication,
    optional(st.decimals("0.01", "0.99", places=2)),
    optional(_cents),
    st.lists(st.sampled_from(("MA01", "N1", "M2")), max_size=5).map(tuple),
    st.just(100),
    optional(_cents),
)


@st.composite
def _other_subscriber(draw: st.DrawFn, kind: ClaimKind, payer: str, place: str) -> OtherSubscriber:
    institutional = kind == "institutional"
    return OtherSubscriber(
        payer_responsibility=place,
        relationship=draw(st.sampled_from(("18", "01", "19"))),
        claim_filing_indicator=draw(st.sampled_from(("CI", "MC", "12"))),
        name=draw(people("MI")),
        payer=OtherPayer(
            Name(draw(names), id_qualifier="PI", identifier=payer),
            draw(optional(addresses)),
            draw(optional(days)),
            draw(references("2U", "G1", "9F", "T4", "F8")),
        ),
        group_number=draw(st.one_of(st.just(""), numbers)),
        group_name=draw(st.one_of(st.just(""), names)),
        insurance_type="" if institutional else draw(st.sampled_from(("", "12"))),
        adjustments=draw(_adjustments()),
        remaining_patient_cents=draw(optional(_cents)),
        non_covered_cents=draw(optional(_cents)),
        benefits_assigned=draw(st.sampled_from("NWY")),
        patient_signature_source="" if institutional else draw(st.sampled_from(("", "P"))),
        release_of_information=draw(st.sampled_from("IY")),
        outpatient_adjudication=draw(optional(_outpatient)),
        address=draw(optional(addresses)),
        references=draw(st.sampled_from(((), (Reference("SY", "123121234"),)))),
        inpatient_adjudication=draw(optional(_inpatient)) if institutional else None,
        providers=draw(_providers(kind, "other", 4)),
    )


@st.composite
def _patients(draw: st.DrawFn, kind: ClaimKind) -> Patient:
    person = replace(draw(people("MI")), id_qualifier="", identifier="")
    died_on = draw(optional(days)) if kind == "professional" else None
    numbers_of = (Reference("Y4", draw(numbers)),) if draw(st.booleans()) else ()
    born = Demographics(date(2012, 5, 1), draw(st.sampled_from("FMU")))
    return Patient(draw(st.sampled_from(("01", "19", "G8"))), person, draw(addresses), born, numbers_of, died_on)


def _codes(kind: ClaimKind) -> st.SearchStrategy[tuple[Diagnosis, ...]]:
    others = st.lists(st.sampled_from(_DIAGNOSES), max_size=3, unique=True)
    if kind == "professional":
        return others.map(
            lambda codes: (
                tuple(Diagnosis("ABF" if at else "ABK", c) for at, c in enumerate(codes)) or (Diagnosis("ABK", "F332"),)
            )
        )
    on_admission = st.sampled_from(("", "Y", "N", "U", "W"))
    few = st.lists(st.sampled_from(_DIAGNOSES), max_size=2, unique=True)
    many = st.lists(st.builds(Diagnosis, st.just("ABF"), st.sampled_from(_DIAGNOSES), on_admission), max_size=14)
    return st.tuples(st.booleans(), few, few, many, on_admission).map(
        lambda drawn: (
            Diagnosis("ABK", "F332", drawn[4]),
            *([Diagnosis("ABJ", "F411")] if drawn[0] else []),
            *(Diagnosis("APR", code) for code in drawn[1]),
            *(Diagnosis("ABN", "X789XXA") for _ in drawn[2][:1]),
            *drawn[3],
        )
    )


@st.composite
def _claims(draw: st.DrawFn, kind: ClaimKind, patient: Patient | None) -> Claim:
    payers = draw(st.lists(st.sampled_from(PAYERS), unique=True, max_size=3))
    others = tuple(draw(_other_subscriber(kind, payer, place)) for payer, place in zip(payers, "PST", strict=False))
    served = tuple(draw(_line(kind, at, payers)) for at in range(1, draw(st.integers(1, 3)) + 1))
    total = sum(line.charge_cents for line in served)
    shared: dict[str, Any] = {
        "patient_control_number": draw(numbers),
        "total_charge_cents": total,
        "lines": served,
        "diagnoses": draw(_codes(kind)),
        "assignment_code": draw(st.sampled_from("ABC")),
        "benefits_assigned": draw(st.sampled_from("NWY")),
        "release_of_information": draw(st.sampled_from("IY")),
        "delay_reason_code": draw(st.sampled_from(("", "1", "11"))),
        "attachments": draw(_attachments),
        "patient_amount_cents": draw(optional(_cents)),
        "fixed_format": draw(_k3),
        "condition_codes": draw(st.lists(st.sampled_from(("41", "92", "G0")), max_size=14).map(tuple)),
        "providers": draw(_providers(kind, "claim")),
        "other_subscribers": tuple(_paid(other, total, served) for other in others),
        "patient": patient,
    }
    if kind == "institutional":
        return Claim(facility_code="13", **_institutional_parts(draw), **shared)
    return Claim(
        facility_code="57",
        frequency_code="1",
        signature_on_file=draw(st.sampled_from("NY")),
        patient_signature_source=draw(st.sampled_from(("", "P"))),
        admitted_at=draw(optional(_served)),
        dates=draw(st.sampled_from(((), (QualifiedDate("431", DateSpan(_FIRST)),)))),
        references=draw(references("G1", "9F", "EA", "D9", "P4")),
        notes=draw(st.lists(st.builds(Note, st.just("ADD"), texts), max_size=1).map(tuple)),
        other_codes=draw(st.sampled_from(((), (OtherCode("BP", "00100"), OtherCode("BO", "00120"))))),
        **shared,
    )


def _paid(other: OtherSubscriber, total: int, served: tuple[ServiceLine, ...]) -> OtherSubscriber:
    """The coverage with what its payer must have paid, and the day it decided where no line tells."""
    decisions = [
        decided for line in served for decided in line.adjudications if decided.payer_id == other.payer.name.identifier
    ]
    on_lines = sum(each.cents for decided in decisions for each in decided.adjustments)
    on_claim = sum(each.cents for each in other.adjustments)
    if on_lines + on_claim > total:
        other, on_claim = replace(other, adjustments=()), 0
    payer = other.payer
    if not decisions and payer.adjudicated_on is None:
        payer = replace(payer, adjudicated_on=date(2026, 1, 1))
    return replace(other, payer=payer, payer_paid_cents=total - on_lines - on_claim)


def _institutional_parts(draw: st.DrawFn) -> dict[str, Any]:
    values = st.builds(ValueCode, st.sampled_from(("80", "A1")), decimals)
    spans = st.builds(OccurrenceSpan, st.sampled_from(("71", "74")), st.just(_FIRST), st.just(_LAST))
    return {
        "frequency_code": "1",
        "statement_dates": DateSpan(_FIRST, _LAST),
        "admitted_at": draw(st.sampled_from((None, _FIRST, datetime.combine(_FIRST, time(13, 5))))),
        "discharge_time": draw(optional(st.just(time(16, 30)))),
        "institutional": InstitutionalFacts("3", "1", "01"),
        "dates": draw(st.sampled_from(((), (QualifiedDate("050", DateSpan(_LAST)),)))),
        "references": draw(references("4N", "9F", "G1", "D9", "LU", "EA", "P4", "G4")),
        "notes": draw(st.lists(st.builds(Note, st.sampled_from(("DCP", "NTR")), texts), max_size=2).map(tuple)),
        "occurrences": draw(
            st.lists(st.builds(Occurrence, st.sampled_from(("11", "35")), _served), max_size=13).map(tuple)
        ),
        "occurrence_spans": draw(st.lists(spans, max_size=2).map(tuple)),
        "value_codes": draw(st.lists(values, max_size=13).map(tuple)),
        "procedures": draw(
            st.sampled_from(
                (
                    (),
                    (InpatientProcedure("BBR", "GZHZZZZ", _FIRST), InpatientProcedure("BBQ", "GZ58ZZZ", _LAST)),
                )
            )
        ),
        "other_codes": draw(st.sampled_from(((), (OtherCode("DR", "885"), OtherCode("TC", "A9"))))),
    }


@st.composite
def _subscribers(draw: st.DrawFn, kind: ClaimKind) -> Subscriber:
    dependents = draw(st.lists(_patients(kind), max_size=1))
    own = not dependents
    claims = tuple(
        draw(_claims(kind, patient)) for patient in (dependents or [None]) for _ in range(draw(st.integers(1, 2)))
    )
    return Subscriber(
        payer_responsibility="U" if any(claim.other_subscribers for claim in claims) else "P",
        claim_filing_indicator=draw(st.sampled_from(("CI", "MC"))),
        name=draw(people("MI")),
        payer=Payer(
            Name(draw(names), id_qualifier="PI", identifier="99999"),
            draw(optional(addresses)),
            draw(references("2U", "FY", "G2")),
        ),
        claims=claims,
        relationship="18" if own else "",
        group_number=draw(st.one_of(st.just(""), numbers)),
        group_name=draw(st.one_of(st.just(""), names)),
        address=draw(addresses) if own else None,
        demographics=Demographics(date(1985, 2, 14), "F") if own else None,
        references=draw(references("Y4")),
    )


@st.composite
def transactions(draw: st.DrawFn, kind: ClaimKind) -> ClaimTransaction:
    """A whole 837 of one or two billing providers."""
    providers = tuple(
        BillingProvider(
            name=Name(draw(names), id_qualifier="XX", identifier=NPIS[at]),
            address=draw(addresses),
            references=draw(_tax),
            subscribers=tuple(draw(st.lists(_subscribers(kind), min_size=1, max_size=2))),
            taxonomy=draw(st.sampled_from(("", "261QM0801X"))),
            contacts=draw(st.lists(_contact, max_size=2).map(tuple)),
            pay_to_address=draw(optional(addresses)),
            pay_to_plan=draw(optional(_plans)),
        )
        for at in range(draw(st.integers(1, 2)))
    )
    return ClaimTransaction(
        kind=kind,
        reference=draw(numbers),
        created_on=draw(st.dates(date(2026, 10, 1), date(2026, 11, 23))),
        created_time=time(7, 30),
        submitter=Submitter(Name(draw(names), id_qualifier="46", identifier="SUBMITTERID"), (draw(_contact),)),
        receiver=Name(draw(names), id_qualifier="46", identifier="CLEARINGHOUSE"),
        billing_providers=providers,
        transaction_type_code=draw(st.sampled_from(("CH", "RP"))),
        purpose_code=draw(st.sampled_from(("00", "18"))),
    )


_plans = st.builds(
    PayToPlan,
    st.builds(Name, names, id_qualifier=st.just("PI"), identifier=numbers),
    addresses,
    st.just((Reference("2U", "12345"), Reference("EI", "987654321"))),
)
