"""Who and what the facts are about, on both databases: identity by identifiers, and each source's newest word."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from gateway.claim.finding import Origin
from gateway.claim.origins import Origins
from gateway.claim.party import Identifier, PersonName
from gateway.claim.record import EncounterRecord, FeedRecord, PatientRecord, RecordKind
from gateway.errors import Unavailable
from gateway.ports.inbox import InboundMessage
from gateway.ports.subjects import Assertion
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import NOON, ORGANIZATION, TENANT

MRN, SSN, OTHER_MRN = Identifier("urn:mrn", "700019"), Identifier("urn:chart", "C9"), Identifier("urn:mrn", "700020")
VISIT, ACCOUNT = Identifier("urn:visit", "V1"), Identifier("urn:account", "A1")
PATIENT, ENCOUNTER = RecordKind.PATIENT, RecordKind.ENCOUNTER


@pytest.fixture(autouse=True)
def message(store: Database) -> None:
    with store.write() as tx:
        message = InboundMessage(
            id="m1",
            tenant=TENANT,
            organization=ORGANIZATION,
            source="ehr",
            received_at=NOON,
            sha256=hashlib.sha256(b"m1").hexdigest(),
            content_type="application/fhir+json",
            control_key="m1",
            event="Bundle/transaction",
        )
        tx.inbox.add_answered([(message, b"m1")])


def resolve(store: Database, *names: Identifier, kind: RecordKind = PATIENT) -> str:
    with store.write() as tx:
        return tx.subjects.resolve(ORGANIZATION, kind, [names])[0]


def a_word(
    subject_id: str, patient_id: str, record: FeedRecord | None, asserted_at: datetime = NOON, **changes: str
) -> Assertion:
    kind = record.kind if record is not None else RecordKind(changes.pop("kind"))
    return Assertion(
        subject_id=subject_id,
        patient_id=patient_id,
        organization=ORGANIZATION,
        kind=kind,
        source=changes.get("source", "ehr"),
        origin_key=changes.get("origin_key", "Encounter/1"),
        message_id="m1",
        mapping_hash="set-1",
        asserted_at=asserted_at,
        record=record,
        origins=Origins.of({"facility": Origin(source="Encounter.location", mapping="ehr.yaml:4")}),
    )


def a_visit(facility: str, patient: Identifier = MRN) -> EncounterRecord:
    return EncounterRecord(identifiers=(VISIT,), patient=patient, facility=facility)


def say(store: Database, *words: Assertion) -> None:
    with store.write() as tx:
        tx.subjects.assert_records(words)


def facilities(store: Database, patient_id: str) -> dict[str, str]:
    """What each source says last of where the patient's visits were."""
    with store.read() as tx:
        said = tx.subjects.about_patients([patient_id])[patient_id]
    return {each.source: each.record.facility for each in said if isinstance(each.record, EncounterRecord)}


def test_a_subject_is_found_by_any_of_its_identifiers_and_learns_new_ones(store: Database) -> None:
    patient = resolve(store, MRN)
    assert patient == resolve(store, SSN, MRN) == resolve(store, SSN)
    with store.read() as tx:
        assert patient == tx.subjects.find(ORGANIZATION, PATIENT, SSN)
        assert tx.subjects.find(ORGANIZATION, PATIENT, OTHER_MRN) is None
        assert tx.subjects.find(ORGANIZATION, ENCOUNTER, MRN) is None
        assert set(tx.subjects.identifiers([patient])[patient]) == {MRN, SSN}


def test_one_batch_names_the_same_subject_by_different_identifiers(store: Database) -> None:
    with store.write() as tx:
        found = tx.subjects.resolve(ORGANIZATION, PATIENT, [[MRN], [OTHER_MRN], [SSN, MRN], [SSN]])
    assert found[0] == found[2] == found[3] != found[1]


@pytest.mark.parametrize("batches", [[[[MRN], [SSN], [MRN, SSN]]], [[[MRN]], [[SSN]], [[MRN, SSN]]]])
def test_subjects_found_to_be_one_are_joined_under_one_id(
    store: Database, batches: list[list[Sequence[Identifier]]]
) -> None:
    for named in batches:
        with store.write() as tx:
            tx.subjects.resolve(ORGANIZATION, PATIENT, named)
    winner = resolve(store, MRN)
    with store.read() as tx:
        (loser,) = tx.subjects.joined([winner])[winner]
        assert list(tx.subjects.patient_ids()) == [winner]
        assert tx.subjects.standing([loser, winner]) == [winner]
        assert set(tx.subjects.identifiers([winner])[winner]) == {MRN, SSN}
        assert tx.subjects.find(ORGANIZATION, PATIENT, SSN) == winner


def test_joining_a_joined_subject_keeps_everyone_under_the_last_winner(store: Database) -> None:
    three = [resolve(store, each) for each in (MRN, SSN, OTHER_MRN)]
    resolve(store, MRN, SSN)
    winner = resolve(store, SSN, OTHER_MRN)
    assert winner in three
    with store.read() as tx:
        assert set(tx.subjects.joined([winner])[winner]) == set(three) - {winner}
        assert tx.subjects.standing(three) == [winner]


def test_many_naming_one_new_subject_at_once_make_one(store: Database) -> None:
    def name(number: int) -> str:
        names = (MRN, SSN) if number % 2 else (SSN, MRN)
        for _ in range(20):
            try:
                return resolve(store, *names)
            except Unavailable:
                continue  # somebody else named it first: do it again
        raise AssertionError("nobody got through")

    (patient,) = set(at_once(6, name))
    with store.read() as tx:
        assert tx.subjects.standing(list(tx.subjects.patient_ids())) == [patient]


OLDER, NEWER, NEWEST = NOON - timedelta(days=1), NOON, NOON + timedelta(hours=1)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_newest_word_counts_in_whatever_order_words_arrive(store: Database, order: tuple[int, ...]) -> None:
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    words = [a_word(visit, patient, a_visit(at.isoformat()), at) for at in (OLDER, NEWER, NEWEST)]
    for number in order:
        say(store, words[number])
    assert facilities(store, patient) == {"ehr": NEWEST.isoformat()}


def test_of_words_of_one_moment_the_one_heard_last_counts(store: Database) -> None:
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    say(store, *(a_word(visit, patient, a_visit(each)) for each in ("first", "second")))
    assert facilities(store, patient) == {"ehr": "second"}


def test_each_source_keeps_its_own_word_with_its_origins(store: Database) -> None:
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    say(store, a_word(visit, patient, a_visit("east")), a_word(visit, patient, a_visit("west"), OLDER, source="hl7"))
    assert facilities(store, patient) == {"ehr": "east", "hl7": "west"}
    with store.read() as tx:
        said = tx.subjects.about_patients([patient])[patient]
    assert {each.origins["facility"].mapping for each in said} == {"ehr.yaml:4"}
    assert {each.asserted_at for each in said} == {NOON, OLDER}


def test_a_word_taken_back_is_gone_and_what_others_said_stands(store: Database) -> None:
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    say(store, a_word(visit, patient, a_visit("east"), OLDER, origin_key="Encounter/1"))
    say(store, a_word(visit, patient, a_visit("west"), NEWER, origin_key="Encounter/2"))
    say(store, a_word(visit, patient, None, NEWEST, origin_key="Encounter/2", kind="encounter"))
    assert facilities(store, patient) == {"ehr": "east"}
    say(store, a_word(visit, patient, None, NEWEST, origin_key="Encounter/1", kind="encounter"))
    assert facilities(store, patient) == {}


def test_a_word_said_again_after_it_was_taken_back_counts_however_old_its_own_date(store: Database) -> None:
    """A mapping set that drops a record and its repair: the message says when it was written, not when we read it."""
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    say(store, a_word(visit, patient, a_visit("east"), OLDER))
    say(store, a_word(visit, patient, None, NEWEST, kind="encounter"))
    say(store, a_word(visit, patient, a_visit("east"), OLDER))
    assert facilities(store, patient) == {"ehr": "east"}


def test_what_a_resource_said_last_is_known_until_it_is_taken_back(store: Database) -> None:
    patient, visit = resolve(store, MRN), resolve(store, VISIT, kind=ENCOUNTER)
    say(store, a_word(visit, patient, a_visit("east")), a_word(patient, patient, PatientRecord(identifiers=(MRN,))))
    with store.read() as tx:
        assert set(tx.subjects.asserted_by("ehr", ["Encounter/1"])["Encounter/1"]) == {
            (ENCOUNTER, visit, patient),
            (PATIENT, patient, patient),
        }
        assert tx.subjects.asserted_by("hl7", ["Encounter/1"])["Encounter/1"] == []
    say(store, a_word(visit, patient, None, kind="encounter"))
    with store.read() as tx:
        assert tx.subjects.asserted_by("ehr", ["Encounter/1"])["Encounter/1"] == [(PATIENT, patient, patient)]


def test_a_visit_moved_to_another_patient_is_that_patients_alone(store: Database) -> None:
    wrong, right = resolve(store, MRN), resolve(store, OTHER_MRN)
    visit = resolve(store, VISIT, kind=ENCOUNTER)
    say(store, a_word(visit, wrong, a_visit("east"), OLDER, origin_key="m1"))
    assert facilities(store, wrong) == {"ehr": "east"}
    say(store, a_word(visit, right, a_visit("east", OTHER_MRN), NEWER, origin_key="m2"))
    assert facilities(store, wrong) == {}
    assert facilities(store, right) == {"ehr": "east"}
    with store.read() as tx:
        assert tx.subjects.patients_of([visit]) == {wrong, right}
        assert {id: len(said) for id, said in tx.subjects.about_patients([wrong, right]).items()} == {
            wrong: 0,
            right: 1,
        }


def test_after_a_join_both_patients_words_are_about_the_one_who_stands(store: Database) -> None:
    first, second = resolve(store, MRN), resolve(store, OTHER_MRN)
    visit, other_visit = (resolve(store, Identifier("urn:visit", each), kind=ENCOUNTER) for each in ("V1", "V2"))
    say(store, a_word(visit, first, a_visit("east")), a_word(other_visit, second, a_visit("west", OTHER_MRN)))
    for patient, name in ((first, "OLDER"), (second, "NEWER")):
        at = OLDER if name == "OLDER" else NEWER
        say(store, a_word(patient, patient, PatientRecord(identifiers=(), name=PersonName(family=name)), at))
    standing = resolve(store, MRN, OTHER_MRN)
    with store.read() as tx:
        said = tx.subjects.about_patients([standing])[standing]
    assert {each.subject_id for each in said if each.kind is ENCOUNTER} == {visit, other_visit}
    assert {each.patient_id for each in said} == {standing}
    names = [each.record.name for each in said if isinstance(each.record, PatientRecord)]
    assert names == [PersonName(family="NEWER")]


def test_what_was_said_of_a_joined_subject_was_said_of_the_one_that_stands(store: Database) -> None:
    """Else mapping a resource again after a join would take back what it says now under the other's name."""
    patient = resolve(store, MRN)
    visits = [resolve(store, each, kind=ENCOUNTER) for each in (VISIT, ACCOUNT)]
    for visit in visits:
        say(store, a_word(visit, patient, a_visit("east"), origin_key=f"Encounter/{visit}"))
    standing = resolve(store, VISIT, ACCOUNT, kind=ENCOUNTER)
    with store.read() as tx:
        for visit in visits:
            assert tx.subjects.asserted_by("ehr", [f"Encounter/{visit}"])[f"Encounter/{visit}"] == [
                (ENCOUNTER, standing, patient)
            ]


@pytest.mark.parametrize("swap", [False, True])
def test_a_decision_on_two_visits_is_the_same_from_either_side_and_the_last_one_counts(
    store: Database, swap: bool
) -> None:
    pair = [resolve(store, each, kind=ENCOUNTER) for each in (VISIT, ACCOUNT)]
    with store.write() as tx:
        tx.subjects.decide_encounters(ORGANIZATION, frozenset(pair), "same")
        tx.subjects.decide_encounters(ORGANIZATION, frozenset(pair[::-1] if swap else pair), "different")
    with store.read() as tx:
        assert tx.subjects.encounter_decisions(ORGANIZATION) == {frozenset(pair): "different"}
