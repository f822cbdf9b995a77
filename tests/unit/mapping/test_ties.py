"""The check of a set and the resolver of a day agree on which definitions tie."""

from datetime import date
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mapping.catalogue_checks import check_services
from adapters.mapping.declared import Declared
from adapters.mapping.yaml_reader import Problems, read_yaml
from gateway.claim.calendar import Span
from gateway.claim.contract import (
    Catalogue,
    ClaimForm,
    Facility,
    LineOfBusiness,
    Payer,
    ProgramKind,
    ServiceDefinition,
)
from gateway.claim.finding import Finding
from gateway.claim.party import Address
from gateway.claim.record import LevelOfCare
from gateway.services.resolve import resolve_definition

ADDRESS = Address(line1="1 Oak St", city="Springfield", state="IL", postal_code="627010001")
FACILITIES = tuple(
    Facility(id=name, organization="oak", name=name, time_zone="UTC", address=ADDRESS, opps=opps)
    for name, opps in (("north", True), ("south", False), ("east", True), ("west", False))
)
PAYERS = tuple(
    Payer(id=name, name=name, line_of_business=kind, claim_filing_code="CI", names=())
    for name, kind in (
        ("acme", LineOfBusiness.COMMERCIAL),
        ("best", LineOfBusiness.COMMERCIAL),
        ("state", LineOfBusiness.MEDICAID),
    )
)
DAYS = (date(2026, 1, 15), date(2026, 7, 15))


def some(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


@st.composite
def definitions(draw: st.DrawFn, entry: str) -> ServiceDefinition:
    payers = draw(some("acme", "best", "state"))
    return ServiceDefinition(
        id=entry,
        span=draw(
            st.sampled_from([Span(date(2026, 1, 1)), Span(date(2026, 1, 1), date(2026, 6, 30)), Span(date(2026, 7, 1))])
        ),
        level_of_care=LevelOfCare.IOP,
        form=ClaimForm.INSTITUTIONAL,
        payers=payers,
        lines_of_business=()
        if payers
        else draw(
            st.sampled_from([(LineOfBusiness.COMMERCIAL,), (LineOfBusiness.COMMERCIAL, LineOfBusiness.MEDICAID)])
        ),
        plans=draw(some("gold", "Silver")),
        program_kinds=draw(
            st.sampled_from([(), (ProgramKind.MENTAL_HEALTH,), (ProgramKind.SUBSTANCE_USE,), tuple(ProgramKind)])
        ),
        facilities=draw(some("north", "south")),
        opps=draw(st.sampled_from([None, True, False])),
        revenue_code="0905",
        entry=f"services/oak.yaml:{entry}",
    )


def ties_somewhere(one: ServiceDefinition, other: ServiceDefinition) -> bool:
    catalogue = Catalogue(
        content_hash="",
        organizations={},
        facilities={each.id: each for each in FACILITIES},
        payers={each.id: each for each in PAYERS},
        services=(one, other),
        charges=(),
        sessions={},
    )
    cases = product(PAYERS, ("", "gold", "silver"), ProgramKind, FACILITIES, DAYS)
    found = (
        resolve_definition(catalogue, payer, plan, kind, LevelOfCare.IOP, facility, on)
        for payer, plan, kind, facility, on in cases
    )
    return any(isinstance(each, Finding) and each.rule == "definition-tied" for each in found)


def declared() -> Declared:
    names = Declared()
    for kind, entries in (("payers", PAYERS), ("facilities", FACILITIES)):
        file = f"{kind}/oak.yaml"
        table = read_yaml(file, f"{kind}: [{', '.join(f'{{id: {each.id}}}' for each in entries)}]".encode(), Problems())
        assert table is not None
        names.note(file, table)
    return names


@settings(max_examples=150, deadline=None)
@given(definitions("1"), definitions("2"))
def test_every_tie_a_day_could_meet_is_found_when_the_files_are_read(
    one: ServiceDefinition, other: ServiceDefinition
) -> None:
    problems = Problems()
    check_services([one, other], declared(), problems)
    if ties_somewhere(one, other):
        assert ["services/oak.yaml:2:1"] == [line.partition(": ")[0] for line in problems.lines()]


@settings(max_examples=150, deadline=None)
@given(definitions("1"), definitions("2"))
def test_what_the_files_are_refused_for_is_a_tie_unless_no_facility_there_is_could_show_it(
    one: ServiceDefinition, other: ServiceDefinition
) -> None:
    problems = Problems()
    check_services([one, other], declared(), problems)
    named = set(one.facilities) | set(other.facilities)
    if len(problems) and not (named and (one.opps is not None or other.opps is not None)):
        assert ties_somewhere(one, other)
