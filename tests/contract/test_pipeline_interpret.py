"""Interpreting on both databases: messages become words about subjects, and a failure parks only itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event

import pytest

from gateway.claim.party import Identifier, PersonName
from gateway.claim.record import EncounterRecord, FeedRecord, PatientRecord
from gateway.errors import FormatError, GatewayError, NotFound
from gateway.ports import (
    Arrival,
    FhirAnswer,
    Interpretation,
    MappedRecord,
    MappingProblem,
    NewVersion,
    Resource,
)
from gateway.ports.submissions import FhirSubmission
from gateway.store.database import Database
from gateway.workers import DerivePasses
from tests.contract.races import LONG_S, at_once, beside
from tests.factories import NOON
from tests.pipeline_site import Site, a_week

OLD, NEW = Identifier("ehr", "900"), Identifier("ehr", "901")


def says(*records: FeedRecord, at_minute: int = 0) -> Interpretation:
    mapped = [
        MappedRecord(record=each, asserted_at=NOON + timedelta(minutes=at_minute), origins={}) for each in records
    ]
    return Interpretation(records=tuple(mapped))


def arrive(site: Site, *scripted: tuple[bytes, Interpretation]) -> None:
    site.script.script.update(dict(scripted))
    arrivals = [
        Arrival(source="ehr", content=content, content_type="x-application/hl7-v2+er7", control_key=content.decode())
        for content, _ in scripted
    ]
    site.receiver.receive(arrivals)


def a_patient(name: str, *names: Identifier, merged_into: Identifier | None = None) -> PatientRecord:
    person = PersonName(family=name) if name else None
    return PatientRecord(identifiers=names, name=person, merged_into=merged_into)


def families(site: Site) -> list[str]:
    """The family names the newest words say, by patient."""
    with site.store.read() as tx:
        said = tx.subjects.about_patients(list(tx.subjects.patient_ids()))
    records = [each.record for words in said.values() for each in words]
    return sorted(each.name.family for each in records if isinstance(each, PatientRecord) and each.name)


def problems(site: Site) -> list[list[MappingProblem]]:
    with site.store.read() as tx:
        return [found for _, found in tx.inbox.messages()]


def test_messages_of_one_moment_are_interpreted_in_the_order_they_came(site: Site) -> None:
    arrive(site, *((b"m%d" % number, says(a_patient(f"NAME{number}", OLD))) for number in range(30)))
    site.settle_facts()
    assert families(site) == ["NAME29"]


class Failing:
    """Interprets by script, and fails on what the test says."""

    def __init__(self, site: Site, error: Exception, on: bytes) -> None:
        self._script, self._error, self._on = site.script, error, on

    def interpret_message(self, content: bytes, received_at: object) -> Interpretation:
        if content == self._on:
            raise self._error
        return self._script.script[content]

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        if resource.id.encode() == self._on:
            raise self._error
        return self._script.script[resource.id.encode()]


FAILURES: list[tuple[Exception, str]] = [
    (FormatError("the segment PID is missing"), "the segment PID is missing"),
    (GatewayError("refused"), "refused"),
    (KeyError("SMITH^JOHN"), "interpreting it failed with KeyError"),
    (RecursionError(), "interpreting it failed with RecursionError"),
]


@pytest.mark.parametrize(("error", "message"), FAILURES, ids=lambda each: type(each).__name__)
def test_a_message_that_cannot_be_interpreted_parks_itself_and_the_others_go_on(
    site: Site, error: Exception, message: str
) -> None:
    site.policy.interpreters["ehr"] = Failing(site, error, b"bad")  # type: ignore[assignment]
    arrive(site, (b"a", says(a_patient("A", OLD))), (b"bad", says()), (b"b", says(a_patient("B", NEW))))
    site.settle_facts()
    assert families(site) == ["A", "B"]
    (told,) = [each for each in problems(site) if each]
    assert [each.message for each in told] == [message]
    assert "SMITH" not in str(told)


def test_a_message_of_a_source_the_set_no_longer_names_parks_itself(site: Site) -> None:
    def gone(source: str) -> None:
        raise NotFound(f"no source file is named {source}")

    arrive(site, (b"a", says(a_patient("A", OLD))))
    site.policy.interpreter = gone  # type: ignore[method-assign, assignment]
    site.interpreting.run()
    assert [[each.message for each in found] for found in problems(site)] == [["no source file is named ehr"]]


def test_a_merge_joins_two_patients_and_the_one_left_keeps_their_own_name(site: Site) -> None:
    """HL7 A40: the record of the number merged away has no name, and must not blank the other's."""
    arrive(site, (b"a", says(a_patient("WRONG", OLD))), (b"b", says(a_patient("RIGHT", NEW), at_minute=1)))
    merge = says(a_patient("RIGHT", NEW), a_patient("", OLD, merged_into=NEW), at_minute=2)
    arrive(site, (b"a40", merge))
    site.settle_facts()
    assert families(site) == ["RIGHT"]
    with site.store.read() as tx:
        assert len(list(tx.subjects.patient_ids())) == 1


def test_interpreting_again_after_a_join_takes_nothing_back(site: Site) -> None:
    arrive(site, (b"a", says(a_patient("A", OLD))), (b"b", says(a_patient("B", NEW), at_minute=1)))
    arrive(site, (b"join", says(a_patient("BOTH", OLD, NEW), at_minute=2)))
    site.settle_facts()
    with site.store.write() as tx:
        tx.work.add("interpret-message", [message.id for message, _ in tx.inbox.messages()])
    site.settle_facts()
    assert families(site) == ["BOTH"]


def test_what_a_new_mapping_no_longer_says_is_taken_back_and_comes_back_when_it_says_it_again(site: Site) -> None:
    site.admit()
    content, said = next(iter(site.script.script.items()))

    def map_again(interpretation: Interpretation) -> list[str]:
        site.script.script[content] = interpretation
        site.clock.move(timedelta(hours=1))
        with site.store.write() as tx:
            tx.work.add("interpret-message", [message.id for message, _ in tx.inbox.messages()])
        site.settle_facts()
        return [each for each in site.states() if each != "withdrawn"]

    assert site.states() == ["released"]
    assert map_again(replace(said, records=said.records[:4])) == []
    assert map_again(said) == ["released"]
    assert site.ailing() == []


def test_a_visit_moved_to_another_patient_by_a_later_message_leaves_the_first_ones_claim(site: Site) -> None:
    site.admit(1)
    site.admit(2)
    assert site.states() == ["released", "released"]
    visits = [each for each in a_week(1) if isinstance(each, EncounterRecord)]
    moved = [replace(each, patient=Identifier("ehr", "P2")) for each in visits[:3]]
    site.tell(*moved, at=NOON + timedelta(hours=1))
    with site.store.read() as tx:
        placed = {each.encounter_id: each.patient_id for each in tx.claims.placements()}
        lines = sorted(len(each.claim.lines) for each in tx.claims.drafts([row.id for row in site.claims()]).values())
    assert len(placed) == 18
    assert sorted(list(placed.values()).count(patient) for patient in set(placed.values())) == [6, 12]
    assert lines == [2, 3]
    assert site.ailing() == []


def test_deriving_waits_for_messages_that_are_caught_up_with_and_for_so_long_only(site: Site) -> None:
    seconds = count()
    passes = DerivePasses(site.interpreting, site.deriving, lambda: float(next(seconds)))
    arrive(site, (b"week", says(*a_week())))
    assert 1 == site.interpreting.run()
    arrive(site, *((b"m%d" % number, says(a_patient("SAME", NEW))) for number in range(450)))
    assert 0 == passes.run() == len(site.claims())
    assert 59 == next(number for number in range(1, 100) if passes.run())
    assert 1 == len(site.claims())


def test_deriving_follows_once_no_more_messages_wait_than_are_interpreted_at_once(site: Site) -> None:
    passes = DerivePasses(site.interpreting, site.deriving)
    arrive(site, *((b"m%d" % number, says(*a_week(number))) for number in range(250)))
    assert 0 == passes.run()
    assert 200 == site.interpreting.run()
    assert 50 == passes.run()


# --- resources -------------------------------------------------------------------------------------------------------


_submissions = count()


def put(site: Site, *resources: str) -> None:
    """The EHR sends new versions of resources, by id."""

    def apply(table: object, now: object) -> FhirAnswer:
        found = table.current([("Any", each) for each in resources])  # type: ignore[attr-defined]
        versions = [found["Any", each].version + 1 if ("Any", each) in found else 1 for each in resources]
        table.put(  # type: ignore[attr-defined]
            [
                NewVersion(type="Any", id=id, version=version, body={})
                for id, version in zip(resources, versions, strict=True)
            ]
        )
        return FhirAnswer(status=201, body=b"")

    content = f"{resources} {next(_submissions)}".encode()
    arrival = Arrival(source="ehr", content=content, content_type="application/fhir+json", control_key="")
    site.receiver.submit(FhirSubmission(arrival=arrival, request_key="POST", apply=apply))


class Following:
    """Maps ``a`` by following ``b``: the name it finds is b's version, or none."""

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        if resource.id != "a":
            return Interpretation()
        other = find("Any/b")
        name = f"B{other.version}" if other else "NOBODY"
        missing = () if other else ("Any/b",)
        return replace(says(a_patient(name, OLD)), references=("Any/b",), missing=missing)

    def interpret_message(self, content: bytes, received_at: object) -> Interpretation:
        raise AssertionError("no messages here")


def test_a_resource_is_mapped_again_when_one_it_follows_arrives_or_changes(site: Site) -> None:
    site.policy.interpreters["ehr"] = Following()  # type: ignore[assignment]
    put(site, "a")
    site.settle_facts()
    assert families(site) == ["NOBODY"]
    for version in (1, 2):
        put(site, "b")
        site.settle_facts()
        assert families(site) == [f"B{version}"]


def test_a_resource_and_one_it_follows_mapped_by_workers_side_by_side_find_each_other(
    site: Site, store: Database
) -> None:
    site.policy.interpreters["ehr"] = Following()  # type: ignore[assignment]
    workers = [site.heir() for _ in range(3)]
    for worker in workers:
        worker.policy.interpreters["ehr"] = Following()  # type: ignore[assignment]

    def either(number: int) -> None:
        if number < 2:
            put(site, "ab"[number])
        else:
            for _ in range(6):
                workers[number - 2].interpreting.run()

    for _ in range(3):
        at_once(5, either)
    site.settle_facts()
    current = site.receiver.read("ehr", "Any", "b")
    assert current is not None
    assert families(site) == [f"B{current.version}"]


class Overtaken(Following):
    """Maps ``a``, and something happens to ``b`` once it was found."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self._meanwhile = meanwhile
        self._happened = Event()

    def interpret_resource(self, resource: Resource, find: Callable[[str], Resource | None]) -> Interpretation:
        found = super().interpret_resource(resource, find)
        if resource.id == "a" and not self._happened.is_set():
            self.happening = beside(self._happen)
            self._happened.wait(1.0)  # on SQLite it has to wait for the transaction that maps
        return found

    def _happen(self) -> None:
        self._meanwhile()
        self._happened.set()


def test_a_resource_is_mapped_again_when_one_it_follows_changed_while_it_was_mapped(site: Site) -> None:
    other = site.heir()
    for each in (site, other):
        each.policy.interpreters["ehr"] = Following()  # type: ignore[assignment]
    put(site, "b")
    put(site, "a")
    site.settle_facts()
    assert families(site) == ["B1"]

    def change() -> None:
        put(other, "b")
        other.interpreting.run()

    site.policy.interpreters["ehr"] = slow = Overtaken(change)  # type: ignore[assignment]
    put(site, "a")
    site.interpreting.run()
    slow.happening.result(LONG_S)
    site.settle_facts()
    assert families(site) == ["B2"]


def test_a_resource_that_breaks_its_mapping_parks_itself(site: Site) -> None:
    site.policy.interpreters["ehr"] = Failing(site, KeyError("SMITH"), b"bad")  # type: ignore[assignment]
    site.script.script[b"good"] = says(a_patient("GOOD", NEW))
    put(site, "bad", "good")
    site.settle_facts()
    assert families(site) == ["GOOD"]
    assert [[each.message for each in found] for found in problems(site)] == [["interpreting it failed with KeyError"]]


def test_workers_side_by_side_name_new_patients_once_and_lose_no_message(site: Site) -> None:
    messages = [(b"m%d" % number, says(a_patient("SAME", OLD if number % 2 else NEW))) for number in range(60)]
    arrive(site, *messages)
    workers = [site.heir() for _ in range(3)]

    def work(number: int) -> None:
        for _ in range(5):
            workers[number].interpreting.run()

    at_once(3, work)
    site.settle_facts()
    assert families(site) == ["SAME", "SAME"]
    with site.store.read() as tx:
        assert tx.work.count() == {}
