"""Deriving asks the database as often for a hundred patients as for one: what the gate looks at is loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, event

from gateway.claim.party import Identifier
from gateway.pipeline.check import Checker
from gateway.pipeline.derive import Derivation
from gateway.store.database import Database
from tests.pipeline_site import Site, a_week
from tests.rosters import load_rosters

MORE_LISTS = 4
"""A hundred patients' 700 subjects and their words are asked for in lists of 500: the second list is one more."""


class _NothingToSay:
    def check(self, claims: Sequence[object]) -> list[tuple[object, ...]]:
        return [()] * len(claims)


@contextmanager
def counted(heard: list[str]) -> Iterator[None]:
    """Every statement that goes to a database, by the order of its going; rows sent with one are one statement."""

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        heard.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def statements(site: Site, patients: Sequence[str]) -> int:
    """How many statements deriving these patients takes, the second time, when their claims are there."""
    derivation = Derivation(site.policy, Checker(_NothingToSay()))  # type: ignore[arg-type]
    heard: list[str] = []
    for _ in range(2):
        heard.clear()
        with site.store.write() as tx, counted(heard):
            derivation.derive(tx, patients, site.clock.now())
    return len(heard)


def test_statements_of_a_derivation_do_not_grow_with_its_patients(site: Site, store: Database) -> None:
    records = [each for number in range(100) for each in a_week(number)]
    site.tell(*records)
    load_rosters(site, [Identifier("ehr", f"P{number}") for number in range(100)])
    with store.read() as tx:
        patients = sorted(tx.subjects.patient_ids())
    assert 100 == len(patients) == len(site.claims())
    one, ten, hundred = (statements(site, patients[:count]) for count in (1, 10, 100))
    assert one == ten
    assert hundred - one <= MORE_LISTS
