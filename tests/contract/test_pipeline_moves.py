"""Moves and other numbers: whatever order they are heard in, what was told before goes along and nothing else does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.claim.party import Identifier, PersonName
from gateway.claim.record import (
    AttendanceStatus,
    EncounterRecord,
    EpisodeRecord,
    FeedRecord,
    MoveRecord,
    PatientRecord,
)
from gateway.ports import Arrival, Interpretation, MappedRecord
from gateway.ports.work import WorkKind
from gateway.store.database import Database
from tests.contract.test_corrections import work
from tests.factories import CHAIN, CONNECTION, NOON
from tests.pipeline_site import Site, a_week

BUILT = {"session": "stay"}
State = dict[str, list[str]]


def patient(number: int) -> Identifier:
    return Identifier("ehr", f"P{number}")


def stay(number: str) -> Identifier:
    return Identifier("stay", number)


def account(number: str) -> Identifier:
    return Identifier("account", number)


def after(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def session(of: int, stay_number: str, hour: int = 9, name: str = "", **given: object) -> EncounterRecord:
    """A charge of a patient: named by its own number, and by its stay and hour."""
    at = NOON.replace(hour=hour)
    own = Identifier("charge", name or f"{stay_number}-{hour}")
    said = EncounterRecord(
        identifiers=(own, Identifier("session", f"{stay_number}/{hour}")),
        patient=patient(of),
        episode=stay(stay_number),
        session="group-psychotherapy",
        status=AttendanceStatus.ATTENDED,
        start_at=at,
        end_at=at + timedelta(hours=1),
    )
    return replace(said, **given)  # type: ignore[arg-type]


def moved(*numbers: Identifier, to: int, of: int | None = None, into: Identifier | None = None) -> MoveRecord:
    came_from = None if of is None else patient(of)
    return MoveRecord(identifiers=numbers, patient=patient(to), moved_from=came_from, account=into)


def renumbered(*numbers: Identifier, of: int) -> tuple[FeedRecord, ...]:
    return moved(*numbers, to=of), EpisodeRecord(identifiers=numbers, patient=patient(of))


def whose(site: Site) -> State:
    """Charges and stays by patient, each by all its names."""
    found: State = {}
    with site.store.read() as tx:
        for patient_id, words in tx.subjects.about_patients(list(tx.subjects.patient_ids())).items():
            names = [tx.subjects.identifiers([each.subject_id])[each.subject_id] for each in words]
            known = [
                f"{each.record.kind} {' '.join(sorted(name.value for name in some))} {each.record.patient.value}"
                for each, some in zip(words, names, strict=True)
                if isinstance(each.record, EncounterRecord | EpisodeRecord)
            ]
            if known:
                own = tx.subjects.identifiers([patient_id])[patient_id]
                found[" ".join(sorted(each.value for each in own))] = sorted(known)
    return found


Message = tuple[int, Sequence[FeedRecord]]
"""The minute the sender said it, and what."""


def state_after(migrated: Path, messages: Sequence[Message], *, at_once: bool = False) -> tuple[State, list[str]]:
    """What is known after the messages, each interpreted as it came or all of them at once."""
    with TemporaryDirectory() as folder:
        shutil.copy(migrated, Path(folder) / "store.sqlite")
        store = Database(f"sqlite:///{folder}/store.sqlite", CHAIN)
        try:
            site = Site(store, Path(folder) / "partner")
            site.policy.built_names = BUILT
            for place, (minute, records) in enumerate(messages):
                content = b"message %d" % place
                mapped = tuple(MappedRecord(record=each, asserted_at=after(minute), origins={}) for each in records)
                site.script.script[content] = Interpretation(records=mapped)
                site.receiver.receive([Arrival(source="ehr", content=content, content_type="hl7", control_key="")])
                if not at_once:
                    site.settle_facts()
            site.settle_facts()
            return whose(site), site.ailing()
        finally:
            store.close()


STORY: list[Message] = [
    (0, [PatientRecord(identifiers=(patient(each),), name=PersonName(family=f"N{each}")) for each in (1, 2, 3)]),
    (1, [EpisodeRecord(identifiers=(stay("V1"),), patient=patient(1), account=account("A1"))]),
    (2, [session(1, "V1", 9), session(1, "V1", 10)]),
    (3, [session(1, "V5", 9, account=account("A5"))]),
    (4, renumbered(stay("V1"), stay("V2"), of=1)),
    (5, [session(1, "V2", 9, name="credit", status=AttendanceStatus.ERROR)]),
    (6, [moved(stay("V2"), to=2, of=1), EpisodeRecord(identifiers=(stay("V2"),), patient=patient(2))]),
    (7, [session(1, "V1", 11)]),
    (8, [moved(account("A5"), account("A6"), to=3, of=1)]),
    (9, [moved(account("A6"), to=1, of=3)]),
    (10, [moved(stay("V5"), to=1, of=1, into=account("A9"))]),
    (11, [moved(account("A6"), to=2, of=1)]),
    (12, [moved(account("A9"), to=3, of=1)]),
    (13, [PatientRecord(identifiers=(Identifier("ehr", "P2b"),), merged_into=patient(2))]),
    (14, [moved(stay("V2"), to=3, of=2), EpisodeRecord(identifiers=(stay("V2"),), patient=patient(3))]),
]


TOLD: State = {
    "P1": ["encounter V1-11 V1/11 V2/11 P1"],
    "P3": [
        "encounter V1-10 V1/10 V2/10 P3",
        "encounter V1-9 V1/9 V2/9 credit P3",
        "encounter V5-9 V5/9 P3",
        "episode V1 V2 P3",
    ],
}
"""What the feed said before a move goes along; what it said later names its patient itself."""


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(order=STORY, again=[], at_once=False)
@given(order=st.permutations(STORY), again=st.lists(st.sampled_from(STORY), max_size=3), at_once=st.booleans())
def test_any_order_and_any_repetition_give_one_state(
    migrated_sqlite: Path, order: list[Message], again: list[Message], at_once: bool
) -> None:
    assert (TOLD, []) == state_after(migrated_sqlite, [*order, *again], at_once=at_once)


def test_a_move_heard_before_what_it_moves_has_both_patients_derived(site: Site) -> None:
    week = a_week()
    number = Identifier("ehr", "S1")
    site.tell(MoveRecord(identifiers=(number,), patient=patient(2), moved_from=patient(1)), at=after(60))
    site.tell(*(replace(each, episode=number) if isinstance(each, EncounterRecord) else each for each in week))
    with site.store.read() as tx:
        second = tx.subjects.find("harbor", week[0].kind, patient(2))
        assert {second} == {each.patient_id for each in tx.claims.placements()}
    assert [] == site.ailing()


def test_a_move_taken_back_by_a_mended_mapping_moves_nothing_any_more(site: Site) -> None:
    site.tell(session(1, "V1"))
    site.tell(moved(stay("V1"), to=2, of=1), at=after(5), key="move")
    assert ["P2"] == list(whose(site))
    site.script.script[b"move"] = replace(site.script.script[b"move"], records=())
    with site.store.write() as tx:
        messages = [each.id for each, _ in tx.inbox.messages()]
        tx.work.add(WorkKind.INTERPRET_MESSAGE, messages)
    site.settle_facts()
    assert ["P1"] == list(whose(site))


@pytest.fixture
def billed(site: Site) -> Site:
    """One patient's week, sent; another patient with the same cover and no visit."""
    site.tell(*(replace(each, episode=stay("V1")) if isinstance(each, EncounterRecord) else each for each in a_week()))
    site.tell(*(each for each in a_week(2) if not isinstance(each, EncounterRecord)))
    site.sending.run(CONNECTION)
    return site


def test_a_stay_that_moves_after_its_claim_left_is_work_with_the_void_and_a_claim_of_the_other(billed: Site) -> None:
    billed.tell(moved(stay("V1"), to=2, of=1), at=after(60))
    (item,) = work(billed)
    assert ("void", "105000") == (item.finding.values["next"], item.finding.values["billed_cents"])
    assert 2 == len(billed.claims())
    assert [] == billed.ailing()


def test_a_stay_moved_back_is_as_it_was_billed(billed: Site) -> None:
    billed.tell(moved(stay("V1"), to=2, of=1), at=after(60))
    billed.tell(moved(stay("V1"), to=1, of=2), at=after(61))
    assert [] == work(billed)
    assert [] == billed.ailing()
