"""Several sources, one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.claim.finding import Origin, Owner, Severity
from gateway.claim.origins import Origins
from gateway.claim.party import Identifier, Sex
from gateway.claim.record import AttendanceStatus, EncounterRecord, PatientRecord
from gateway.services.case import SourcedRecord
from gateway.services.merge import merge_encounters, merge_records
from tests.unit.services.samples import ADULT, MONDAY, PATIENT, at, encounter

NOON = datetime(2026, 8, 3, 17, 0, tzinfo=UTC)


def told(source: str, precedence: int = 0, at: datetime = NOON, **changes: Any) -> SourcedRecord[EncounterRecord]:
    sample = encounter("E1", **changes)
    origins = {name: Origin(source=f"{source}.{name}", mapping="m") for name in sample.origins}
    return SourcedRecord(
        record=sample.record, source=source, asserted_at=at, origins=Origins.of(origins), precedence=precedence
    )


def test_one_source_is_taken_as_it_is() -> None:
    only = told("ehr")
    merged = merge_encounters([only])
    assert (only.record, dict(only.origins), (), ("ehr",)) == (
        merged.record,
        merged.origins,
        merged.findings,
        merged.sources,
    )


def test_each_field_comes_from_the_most_believed_source_that_knows_it() -> None:
    first = told("ehr", 0, note_signed=None, authorization_number="")
    second = told("billing", 1, note_signed=True, authorization_number="AUTH9")
    merged = merge_encounters([second, first])
    assert merged.record.note_signed is True
    assert "AUTH9" == merged.record.authorization_number
    assert "billing.note_signed" == merged.origins["note_signed"].source
    assert "ehr.start_at" == merged.origins["start_at"].source


def test_false_is_a_known_value() -> None:
    merged = merge_encounters([told("ehr", 0, note_signed=False), told("other", 1, note_signed=True)])
    assert merged.record.note_signed is False


def test_only_the_newest_word_of_a_source_counts() -> None:
    old = told("ehr", at=NOON - timedelta(days=1), status=AttendanceStatus.CANCELLED)
    new = told("ehr", at=NOON)
    merged = merge_encounters([new, old])
    assert (AttendanceStatus.ATTENDED, ()) == (merged.record.status, merged.findings)


def test_identifiers_of_every_source_are_kept() -> None:
    merged = merge_encounters([told("a"), told("b", identifiers=(Identifier("fin", "7"),))])
    assert (Identifier("visit", "E1"), Identifier("fin", "7")) == merged.record.identifiers


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", AttendanceStatus.NO_SHOW),
        ("status", AttendanceStatus.ERROR),
        ("start_at", at(MONDAY, 8)),
        ("end_at", at(MONDAY, 11)),
        ("session", "education"),
    ],
)
def test_sources_that_disagree_are_a_finding_for_a_person(name: str, value: Any) -> None:
    merged = merge_encounters([told("ehr"), told("other", 1, **{name: value})])
    (finding,) = merged.findings
    assert ("sources-disagree", f"encounter.{name}", Severity.BLOCK, Owner.INTEGRATION) == (
        finding.rule,
        finding.path,
        finding.severity,
        finding.owner,
    )
    assert {"ehr", "other"} == set(finding.values)


def test_seconds_alone_are_no_contradiction() -> None:
    later = told("other", 1, start_at=at(MONDAY, 9) + timedelta(seconds=40))
    assert () == merge_encounters([told("ehr"), later]).findings


def test_a_plan_does_not_contradict_what_became_of_it_nor_lend_its_times() -> None:
    plan = told("schedule", 0, status=AttendanceStatus.PLANNED, start_at=at(MONDAY, 8), end_at=at(MONDAY, 11))
    merged = merge_encounters([plan, told("ehr", 1)])
    assert (AttendanceStatus.ATTENDED, at(MONDAY, 9), ()) == (
        merged.record.status,
        merged.record.start_at,
        merged.findings,
    )


def test_a_restriction_told_by_any_source_stays_and_birth_dates_are_not_shown() -> None:
    one = SourcedRecord(record=ADULT, source="a", asserted_at=NOON)
    changed = replace(ADULT, birth_on=date(1991, 1, 1), sex=Sex.FEMALE, never_bill_payers=("acme",))
    merged = merge_records([one, SourcedRecord(record=changed, source="b", asserted_at=NOON, precedence=1)])
    assert ("acme",) == merged.record.never_bill_payers
    assert "1991" not in repr(merged.findings)
    assert ["patient.birth_on"] == [finding.path for finding in merged.findings]


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="no assertion"):
        merge_encounters([])


def test_merging_is_blind_to_the_order_it_is_told_in() -> None:
    words = [told("a", 2), told("b", 1, session="education"), told("c", 1, end_at=None)]
    everything = [merge_encounters(list(order)) for order in (words, words[::-1], words[1:] + words[:1])]
    assert everything[0] == everything[1] == everything[2]


@given(st.lists(st.sampled_from(["", "p1", "p2"]), min_size=1, max_size=4))
def test_a_merged_text_is_the_first_known_one(values: list[str]) -> None:
    words = [
        SourcedRecord(
            record=EncounterRecord(identifiers=(), patient=PATIENT, program=value),
            source=f"s{number}",
            asserted_at=NOON,
            precedence=number,
        )
        for number, value in enumerate(values)
    ]
    assert next((value for value in values if value), "") == merge_encounters(words).record.program


def test_patients_merge_like_encounters() -> None:
    nameless = PatientRecord(identifiers=(PATIENT,))
    merged = merge_records(
        [
            SourcedRecord(record=nameless, source="a", asserted_at=NOON),
            SourcedRecord(record=ADULT, source="b", asserted_at=NOON, precedence=1),
        ]
    )
    assert ADULT == merged.record
