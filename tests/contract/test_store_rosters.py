"""Rosters on both databases: rows by source and key, replaced, retired, and known as they stood on a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from gateway.claim.party import Identifier
from gateway.claim.roster import (
    CredentialRecord,
    CredentialRole,
    EligibilityRecord,
    RosterKind,
    RosterRecord,
    about,
    row_key,
)
from gateway.store.database import Database
from tests.factories import NOON, ORGANIZATION

PATIENT, OTHER = Identifier("ehr", "P1"), Identifier("ehr", "P2")


def a_credential(**changes: Any) -> CredentialRecord:
    given: dict[str, Any] = {
        "npi": "1882001013",
        "payer": "acme",
        "role": CredentialRole.ATTENDING,
        "start_on": date(2026, 1, 1),
    }
    return CredentialRecord(**{**given, **changes})


def an_answer(patient: Identifier = PATIENT, **changes: Any) -> EligibilityRecord:
    given: dict[str, Any] = {
        "patient": patient,
        "payer": "acme",
        "active": True,
        "start_on": date(2026, 1, 1),
        "checked_on": date(2026, 8, 1),
    }
    return EligibilityRecord(**{**given, **changes})


def load(
    store: Database, *records: RosterRecord, at: datetime = NOON, source: str = "office", whole: bool = False
) -> Mapping[str, int]:
    rows = {row_key(each): each for each in records}
    kind = records[0].kind if records else RosterKind.CREDENTIALS
    with store.write() as tx:
        changes = tx.rosters.load(ORGANIZATION, kind, source, rows, at, whole=whole, file=b"a file")
    return {word: len(found) for word, found in changes.items()}


def credentials(store: Database) -> tuple[CredentialRecord, ...]:
    with store.read() as tx:
        return tx.rosters.credentials(ORGANIZATION)


def test_a_roster_never_loaded_is_not_listed_and_an_empty_one_is(store: Database) -> None:
    with store.read() as tx:
        assert tx.rosters.statuses() == []
    load(store, whole=True)
    with store.read() as tx:
        (status,) = tx.rosters.statuses()
        assert tx.rosters.kinds([ORGANIZATION, "another"]) == {ORGANIZATION: {RosterKind.CREDENTIALS}, "another": set()}
    assert (ORGANIZATION, RosterKind.CREDENTIALS, "office", NOON, 0) == (
        status.organization,
        status.kind,
        status.source,
        status.loaded_at,
        status.rows,
    )
    assert status.file_sha256 == hashlib.sha256(b"a file").hexdigest()


def test_the_same_rows_again_change_nothing(store: Database) -> None:
    assert load(store, a_credential()) == {"added": 1, "changed": 0, "retired": 0}
    assert load(store, a_credential()) == {"added": 0, "changed": 0, "retired": 0}
    assert credentials(store) == (a_credential(),)


def test_a_row_that_moved_in_its_file_is_the_same_row_and_keeps_where_it_stood(store: Database) -> None:
    first = a_credential(entry="credentials.csv:2")
    load(store, first)
    assert load(store, a_credential(entry="credentials.csv:9")) == {"added": 0, "changed": 0, "retired": 0}
    assert credentials(store) == (first,)
    with store.read() as tx:
        assert [(ORGANIZATION, first)] == tx.rosters.about([ORGANIZATION], [about(first)])


def test_a_row_takes_the_place_of_the_one_with_its_key(store: Database) -> None:
    load(store, a_credential(), a_credential(payer="medicare"))
    ended = a_credential(end_on=date(2026, 8, 31))
    assert load(store, ended) == {"added": 0, "changed": 1, "retired": 0}
    assert credentials(store) == (ended, a_credential(payer="medicare"))


def test_a_whole_roster_retires_what_it_does_not_have_of_its_own_source_alone(store: Database) -> None:
    load(store, a_credential(payer="medicare"), source="cvo")
    load(store, a_credential(), a_credential(payer="tricare-east"))
    assert load(store, a_credential(), whole=True) == {"added": 0, "changed": 0, "retired": 1}
    assert credentials(store) == (a_credential(payer="medicare"), a_credential())


def test_what_was_known_on_a_day_stays_known(store: Database) -> None:
    load(store, a_credential())
    load(store, a_credential(end_on=date(2026, 8, 31)), at=NOON + timedelta(days=2))
    with store.read() as tx:
        before, after = (
            tx.rosters.rows(ORGANIZATION, RosterKind.CREDENTIALS, NOON + timedelta(days=days)) for days in (1, 2)
        )
        never = tx.rosters.rows(ORGANIZATION, RosterKind.CREDENTIALS, NOON - timedelta(seconds=1))
    assert [("office", a_credential())] == before
    assert [("office", a_credential(end_on=date(2026, 8, 31)))] == after
    assert [] == never


def test_rows_about_patients_are_found_by_any_of_their_names(store: Database) -> None:
    load(store, an_answer(), an_answer(OTHER), an_answer(active=False, start_on=date(2026, 9, 1)))
    with store.read() as tx:
        found = tx.rosters.about([ORGANIZATION], [PATIENT, Identifier("ehr", "P9")])
        elsewhere = tx.rosters.about(["another"], [PATIENT])
    assert [(ORGANIZATION, an_answer()), (ORGANIZATION, an_answer(active=False, start_on=date(2026, 9, 1)))] == found
    assert [] == elsewhere
