"""What holds of every case: each encounter has one place, money adds up, and order never matters."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.claim.finding import Severity
from gateway.claim.record import AttendanceStatus, LevelOfCare, Modality
from gateway.services.assembly import assemble
from gateway.services.case import KnownCoverage, PatientCase, Place, PlacedEncounter
from gateway.services.days import service_days
from tests.unit.services.samples import (
    BRANCH,
    CATALOGUE,
    EDUCATION,
    GROUP,
    HOME,
    INDIVIDUAL,
    LUNCH,
    MH,
    SUD,
    authorization,
    case,
    coverage,
    encounter,
    episode,
)

START = date(2026, 7, 27)
PAYERS = ("acme", "medicare", "state-medicaid", "tricare-east", "daily-health", "stay-health", None)


@st.composite
def encounters(draw: st.DrawFn) -> list[PlacedEncounter]:
    count = draw(st.integers(0, 14))
    return [
        encounter(
            f"e{number:02}",
            START + timedelta(days=draw(st.integers(0, 20))),
            draw(st.integers(8, 16)),
            draw(st.sampled_from([30, 60, 180, 360])),
            facility=draw(st.sampled_from([HOME, HOME, BRANCH, ""])),
            program=draw(st.sampled_from([MH, MH, SUD, ""])),
            level_of_care=draw(st.sampled_from([LevelOfCare.IOP, LevelOfCare.IOP, LevelOfCare.PHP, None])),
            session=draw(st.sampled_from([GROUP, INDIVIDUAL, EDUCATION, LUNCH, "unheard-of"])),
            status=draw(st.sampled_from([AttendanceStatus.ATTENDED] * 4 + [*AttendanceStatus, None])),
            modality=draw(st.sampled_from([None, *Modality])),
            note_signed=draw(st.sampled_from([True, False, None])),
            authorization_number=draw(st.sampled_from(["", "AUTH1", "AUTH2"])),
            sources=(draw(st.sampled_from(["ehr", "ehr", "other"])),),
        )
        for number in range(count)
    ]


@st.composite
def coverages(draw: st.DrawFn) -> tuple[KnownCoverage, ...]:
    return tuple(
        coverage(
            draw(st.sampled_from(PAYERS)),
            f"c{number}",
            order=draw(st.sampled_from([None, 1, 2])),
            start_on=START + timedelta(days=draw(st.integers(-30, 10))),
            end_on=draw(st.sampled_from([None, START + timedelta(days=9)])),
            active=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(draw(st.integers(0, 3)))
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[PlacedEncounter], PatientCase]:
    known = draw(encounters())
    stays = (
        episode("stay-1", admitted_on=START, discharged_on=draw(st.sampled_from([None, START + timedelta(days=12)]))),
        episode("stay-2", level_of_care=LevelOfCare.PHP, admitted_on=START + timedelta(days=5)),
    )
    made = case(
        known,
        coverages=draw(coverages()),
        episodes=stays[: draw(st.integers(0, 2))],
        authorizations=(authorization(), authorization(number="AUTH2", start_on=START + timedelta(days=7))),
        never_bill_payers=draw(st.sampled_from([frozenset(), frozenset({"acme"})])),
    )
    return known, made


TODAYS = st.sampled_from([START, START + timedelta(days=9), START + timedelta(days=60)])
MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(cases(), TODAYS)
def test_every_encounter_is_in_exactly_one_place(made: tuple[list[PlacedEncounter], PatientCase], today: date) -> None:
    known, patient = made
    assembly = assemble(patient, CATALOGUE, today)
    assert Counter(each.encounter_id for each in known) == Counter(each.encounter_id for each in assembly.placements)
    for each in assembly.placements:
        blocked = any(finding.severity is Severity.BLOCK for finding in each.findings)
        assert each.reason
        assert (each.place is Place.HELD) == blocked
        assert (each.claim_key is not None) >= (each.place is Place.BILLED)


@MANY
@given(cases(), TODAYS)
def test_dollars_on_encounters_are_the_dollars_on_claims(
    made: tuple[list[PlacedEncounter], PatientCase], today: date
) -> None:
    assembly = assemble(made[1], CATALOGUE, today)
    for draft in assembly.drafts:
        shares = [each for each in assembly.placements if each.claim_key == draft.claim.key]
        assert draft.claim.charge_cents == sum(each.cents for each in shares)
        assert set(draft.encounter_ids) == {each.encounter_id for each in shares}
    assert len({str(draft.claim.key) for draft in assembly.drafts}) == len(assembly.drafts)


@MANY
@given(cases(), TODAYS)
def test_only_attended_visits_are_billed_and_each_on_its_own_day(
    made: tuple[list[PlacedEncounter], PatientCase], today: date
) -> None:
    known, patient = made
    status = {each.encounter_id: each.record.status for each in known}
    for draft in assemble(patient, CATALOGUE, today).drafts:
        claim = draft.claim
        assert {AttendanceStatus.ATTENDED} == {status[each] for each in draft.encounter_ids}
        assert {line.service_on for line in claim.lines} == {day.on for day in draft.days}
        assert claim.lines[0].service_on == claim.statement_from_on <= claim.statement_through_on
        assert claim.insured.payer not in patient.never_bill_payers


@MANY
@given(cases(), TODAYS, st.randoms(use_true_random=False))
def test_the_same_facts_in_any_order_are_the_same_claims(
    made: tuple[list[PlacedEncounter], PatientCase], today: date, shuffler: random.Random
) -> None:
    known, patient = made
    shuffled = {
        name: list(values)
        for name, values in {
            "encounters": known,
            "episodes": patient.episodes,
            "coverages": patient.coverages,
            "authorizations": patient.authorizations,
        }.items()
    }
    for values in shuffled.values():
        shuffler.shuffle(values)
    book = service_days(shuffled["encounters"], CATALOGUE, episodes=shuffled["episodes"])
    again = replace(
        patient,
        book=replace(book, days=book.days[::-1], unplaced=book.unplaced[::-1]),
        **{name: tuple(shuffled[name]) for name in ("episodes", "coverages", "authorizations")},
    )
    assert assemble(patient, CATALOGUE, today) == assemble(again, CATALOGUE, today)
