"""How far pulls and bulk imports have come, on both databases."""

from __future__ import annotations

from datetime import timedelta

from gateway.ports.imports import LineOutcome
from gateway.ports.pulls import PullProgress
from gateway.store.database import Database
from tests.factories import NOON

LINES = [(1, b"{}"), (3, b'{"a": 1}')]


def test_how_far_a_pull_came_is_kept_by_source_type_and_patient(store: Database) -> None:
    begun = PullProgress(began_at=NOON, next_url="https://ehr.example.org/fhir?page=2")
    done = PullProgress(whole_until=NOON + timedelta(hours=1))
    with store.write() as tx:
        tx.pulls.record("cedar", "Patient", "", begun)
        tx.pulls.record("cedar", "Encounter", "p1", begun)
        tx.pulls.record("cedar", "Encounter", "p2", begun)
        tx.pulls.record("cedar", "Encounter", "p2", done)
    with store.read() as tx:
        searches = (("Patient", ""), ("Encounter", "p1"), ("Encounter", "p2"))
        assert [begun, begun, done] == [tx.pulls.progress("cedar", *each) for each in searches]
        assert [PullProgress()] * 2 == [
            tx.pulls.progress(*each) for each in (("cedar", "Encounter", ""), ("birch", "Patient", ""))
        ]


def test_the_parts_of_an_import_are_handed_out_in_order_once_it_is_sealed(store: Database) -> None:
    with store.write() as tx:
        tx.imports.add("i1", "cedar", NOON)
        tx.imports.add_part("i1", 0, LINES)
        tx.imports.add_part("i1", 1, [(4, b"{}")])
    with store.write() as tx:
        assert (None, None) == (tx.imports.next_part(""), tx.imports.status("cedar", "i1"))
        tx.imports.seal("i1")
    with store.write() as tx:
        part = tx.imports.next_part("")
        assert part is not None
        assert ("i1", 0, "cedar", tuple(LINES)) == (part.import_id, part.number, part.source, part.lines)
        outcomes = (LineOutcome(line=1, outcome="stored"), LineOutcome(line=3, outcome="refused", issues=("wrong",)))
        tx.imports.finish_part(part, outcomes)
        tx.imports.finish_part(part, outcomes[:1])
    with store.read() as tx:
        status = tx.imports.status("cedar", "i1")
        assert status is not None
        assert (3, 2, 1, 0, 1, False) == (
            status.lines, status.done, status.stored, status.duplicate, status.refused, status.finished
        )  # fmt: skip
        assert (None, [], [0]) == (
            tx.imports.status("birch", "i1"), list(tx.imports.parts_done("birch", "i1")),
            list(tx.imports.parts_done("cedar", "i1")),
        )  # fmt: skip
        assert outcomes == tx.imports.outcomes("i1", 0)
        following = tx.imports.next_part("")
        assert following is not None
        assert 1 == following.number
