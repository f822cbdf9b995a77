"""FHIR resources by source, on both databases: versions, identities, links, and creating one thing once."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from gateway.claim.party import Identifier
from gateway.ports import LookAhead, NewVersion, Resource
from gateway.ports.inbox import InboundMessage
from gateway.ports.storage import Transaction
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import NOON, ORGANIZATION, TENANT

VISIT = Identifier("urn:visits", "V1")


def bring(tx: Transaction, id: str) -> None:
    content = id.encode()
    message = InboundMessage(
        id=id,
        tenant=TENANT,
        organization=ORGANIZATION,
        source="ehr",
        received_at=NOON,
        sha256=hashlib.sha256(content).hexdigest(),
        content_type="application/fhir+json",
        control_key=id,
        event="Bundle/transaction",
    )
    tx.inbox.add_answered([(message, content)])


def an_encounter(version: int = 1, *names: Identifier, status: str = "finished", id: str = "e1") -> NewVersion:
    body = {"resourceType": "Encounter", "id": "sender's", "status": status}
    return NewVersion(type="Encounter", id=id, version=version, body=body, identifiers=names)


def put(store: Database, message_id: str, *versions: NewVersion, source: str = "ehr") -> list[Resource]:
    with store.write() as tx:
        bring(tx, message_id)
        table = tx.resources.table(source, NOON)
        stored = table.put(versions)
        assert table.keep(message_id) == [f"{each.type}/{each.id}" for each in versions]
        table.write()
        return stored


def test_every_version_is_kept_and_the_newest_is_current(store: Database) -> None:
    put(store, "m1", an_encounter(1, status="planned"))
    put(store, "m2", an_encounter(2, status="finished"))
    with store.read() as tx:
        current = tx.resources.current("ehr", "Encounter/e1")
        assert current is not None
        assert (current.version, current.body["status"], current.updated_at) == (2, "finished", NOON)
        assert tx.resources.told_by("ehr", ["Encounter/e1"]) == {"Encounter/e1": "m2"}
        assert (tx.resources.versions_told("m1"), tx.resources.versions_told("m2")) == (1, 1)
        assert tx.resources.references("ehr") == ["Encounter/e1"]
        assert tx.resources.current("other-ehr", "Encounter/e1") is None
        assert tx.resources.current("ehr", "Encounter/e2") is None
        assert tx.resources.told_by("ehr", ["Encounter/e2"]) == {}


def test_a_stored_body_carries_our_id_and_version_and_keeps_the_senders_own_date(store: Database) -> None:
    (stored,) = put(store, "m1", an_encounter())
    assert stored.body["id"] == "e1"
    assert stored.body["meta"] == {"versionId": "1", "lastUpdated": "2026-08-17T12:00:00Z"}
    dated = NewVersion(type="Patient", id="p1", version=1, body={"meta": {"lastUpdated": "2026-08-01T00:00:00Z"}})
    (stored,) = put(store, "m2", dated)
    assert stored.body["meta"]["lastUpdated"] == "2026-08-01T00:00:00Z"


def test_a_resource_is_found_by_the_identifiers_of_its_newest_version_alone(store: Database) -> None:
    other = Identifier("urn:visits", "V2")
    put(store, "m1", an_encounter(1, VISIT))
    put(store, "m2", an_encounter(2, other))
    with store.write() as tx:
        table = tx.resources.table("ehr", NOON)
        assert table.find([("Encounter", VISIT), ("Encounter", other), ("Patient", other)]) == {
            ("Encounter", other): ["e1"]
        }
        assert tx.resources.identified("ehr", "Encounter", other) == ["e1"]
        assert tx.resources.identified("other-ehr", "Encounter", other) == []


def test_two_resources_may_share_an_identifier_and_both_are_found(store: Database) -> None:
    put(store, "m1", an_encounter(1, VISIT, id="e2"), an_encounter(1, VISIT, id="e1"))
    with store.write() as tx:
        found = tx.resources.table("ehr", NOON).find([("Encounter", VISIT)])
    assert found == {("Encounter", VISIT): ["e1", "e2"]}


def test_current_versions_come_many_at_a_time_and_unknown_ones_are_left_out(store: Database) -> None:
    put(store, "m1", an_encounter(1, id="e1"), an_encounter(1, id="e2"))
    put(store, "m2", an_encounter(2, id="e2"))
    with store.write() as tx:
        found = tx.resources.table("ehr", NOON).current([("Encounter", each) for each in ("e1", "e2", "e3")])
    assert {id: each.version for (_, id), each in found.items()} == {"e1": 1, "e2": 2}


def test_what_is_kept_is_seen_before_it_is_written_and_what_is_discarded_never_was(store: Database) -> None:
    other = Identifier("urn:visits", "V2")
    put(store, "m1", an_encounter(1, VISIT))
    with store.write() as tx:
        bring(tx, "m2")
        table = tx.resources.table("ehr", NOON)
        table.look_ahead([LookAhead(identities=(("Encounter", VISIT), ("Encounter", other)))])
        table.put([an_encounter(2, other)])
        table.keep("m2")
        table.put([an_encounter(3, VISIT), an_encounter(1, VISIT, id="e9")])
        table.discard()
        assert {("Encounter", other): ["e1"]} == table.find([("Encounter", VISIT), ("Encounter", other)])
        current = table.current([("Encounter", "e1"), ("Encounter", "e9")])
        assert [(("Encounter", "e1"), 2)] == [(key, each.version) for key, each in current.items()]
        table.write()
    with store.read() as tx:
        assert (["e1"], []) == tuple(tx.resources.identified("ehr", "Encounter", each) for each in (other, VISIT))
        assert ["Encounter/e1"] == tx.resources.references("ehr")


def test_links_are_replaced_and_followed_backwards(store: Database) -> None:
    with store.write() as tx:
        tx.resources.link("ehr", {"Encounter/1": ["Patient/1", "Coverage/1"], "Encounter/2": ["Patient/1"]})
    with store.write() as tx:
        assert tx.resources.dependents("ehr", ["Patient/1"]) == {"Encounter/1", "Encounter/2"}
        assert tx.resources.dependents("other-ehr", ["Patient/1"]) == set()
        tx.resources.link("ehr", {"Encounter/1": ["Patient/2", "Patient/2"]})
    with store.read() as tx:
        assert tx.resources.dependents("ehr", ["Patient/1", "Coverage/1"]) == {"Encounter/2"}
        assert tx.resources.dependents("ehr", ["Patient/2"]) == {"Encounter/1"}


def test_many_creating_one_identity_at_once_create_exactly_one(store: Database) -> None:
    def create_if_none(number: int) -> str:
        with store.write() as tx:
            bring(tx, f"m{number}")
            table = tx.resources.table("ehr", NOON + timedelta(seconds=number))
            found = table.find([("Encounter", VISIT)])
            if found:
                return found["Encounter", VISIT][0]
            table.put([an_encounter(1, VISIT, id=f"e{number}")])
            table.keep(f"m{number}")
            table.write()
            return f"e{number}"

    assert len(set(at_once(8, create_if_none))) == 1
    with store.read() as tx:
        assert len(tx.resources.references("ehr")) == 1


def test_many_updating_one_resource_at_once_follow_each_other(store: Database) -> None:
    put(store, "m0", an_encounter())

    def update(number: int) -> int:
        with store.write() as tx:
            bring(tx, f"m{number + 1}")
            table = tx.resources.table("ehr", NOON)
            version = table.current([("Encounter", "e1")])["Encounter", "e1"].version + 1
            table.put([an_encounter(version)])
            table.keep(f"m{number + 1}")
            table.write()
            return version

    assert sorted(at_once(8, update)) == list(range(2, 10))


@pytest.mark.parametrize("reverse", [False, True])
def test_bundles_that_name_the_same_things_in_another_order_do_not_wait_in_a_circle(
    store: Database, reverse: bool
) -> None:
    names = [("Patient", Identifier("urn:mrn", str(number))) for number in range(20)]

    def find(number: int) -> int:
        with store.write() as tx:
            bring(tx, f"m{number}")
            table = tx.resources.table("ehr", NOON)
            return len(table.find(names[::-1] if reverse and number % 2 else names))

    assert at_once(6, find) == [0] * 6
