"""Receiving on both databases: bytes are committed before anybody hears a yes, and a repeat hears the first answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gateway.claim.party import Identifier
from gateway.errors import Unavailable
from gateway.pipeline.owners import SourceOwner
from gateway.pipeline.receive import Receiver
from gateway.ports import Arrival, FhirAnswer, NewVersion, ResourceTable
from gateway.ports.submissions import FhirSubmission
from gateway.store.database import Database
from tests.contract.races import at_once
from tests.factories import CHAIN, ORGANIZATION, TENANT, ManualClock

OWNERS = {"ehr": SourceOwner(tenant=TENANT, organization=ORGANIZATION)}
VISIT = Identifier("urn:visits", "V1")


@pytest.fixture
def receiver(store: Database) -> Receiver:
    return Receiver(store, ManualClock(), OWNERS)


def a_message(content: bytes = b"MSH|1", control_key: str = "EHR|CLINIC|1", **changes: Any) -> Arrival:
    given = {"source": "ehr", "content_type": "x-application/hl7-v2+er7", "answer": b"AA " + content, **changes}
    return Arrival(content=content, control_key=control_key, **given)


def waiting(store: Database) -> dict[str, int]:
    with store.read() as tx:
        return dict(tx.work.count())


def test_what_is_received_is_stored_and_waits_to_be_interpreted(store: Database, receiver: Receiver) -> None:
    (receipt,) = receiver.receive([a_message()])
    assert (receipt.outcome, receipt.answer, receipt.reused_key) == ("stored", b"AA MSH|1", False)
    with store.read() as tx:
        message = tx.inbox.get(receipt.message_id)
        assert message is not None
        assert (message.tenant, message.organization) == (TENANT, ORGANIZATION)
        assert tx.inbox.content(message.sha256) == b"MSH|1"
    assert waiting(store) == {"interpret-message": 1}


def test_the_same_message_again_hears_the_first_answer_and_is_stored_once(store: Database, receiver: Receiver) -> None:
    first, again = receiver.receive([a_message(), replace(a_message(), answer=b"AA a later answer")])
    assert (again.outcome, again.answer, again.message_id) == ("duplicate", first.answer, first.message_id)
    (later,) = receiver.receive([a_message()])
    assert (later.outcome, later.message_id) == ("duplicate", first.message_id)
    assert waiting(store) == {"interpret-message": 1}


@pytest.mark.fault("F44")
def test_a_control_key_used_again_for_other_bytes_is_accepted_and_flagged(store: Database, receiver: Receiver) -> None:
    _, other = receiver.receive([a_message(), a_message(b"MSH|2")])
    assert (other.outcome, other.reused_key) == ("stored", True)
    assert waiting(store) == {"interpret-message": 2}


def test_messages_without_a_control_key_are_told_apart_by_their_bytes(receiver: Receiver) -> None:
    arrivals = [a_message(b"a", ""), a_message(b"b", ""), a_message(b"a", "")]
    assert [each.outcome for each in receiver.receive(arrivals)] == ["stored", "stored", "duplicate"]


def test_a_refused_message_is_kept_with_its_no_and_never_interpreted(store: Database, receiver: Receiver) -> None:
    (receipt,) = receiver.receive([a_message(refusal="the processing id is T", answer=b"AR")])
    assert (receipt.outcome, receipt.answer) == ("refused", b"AR")
    assert waiting(store) == {}
    with store.read() as tx:
        assert [message.refusal for message, _ in tx.inbox.messages(failed_only=True)] == ["the processing id is T"]


@pytest.mark.parametrize("hostile", ["EHR\x00|1", "\ud7ff\uffff|1", "x" * 5_000, "'; DROP TABLE work; --"])
def test_whatever_stands_in_a_control_key_the_message_is_stored_and_known_again(
    receiver: Receiver, hostile: str
) -> None:
    arrival = a_message(control_key=hostile, event=hostile)
    assert [receiver.receive([arrival])[0].outcome for _ in range(2)] == ["stored", "duplicate"]


def test_a_batch_is_stored_whole_or_not_at_all(store: Database, receiver: Receiver) -> None:
    with pytest.raises(KeyError):
        receiver.receive([a_message(), a_message(b"MSH|2", "2", source="nobody's")])
    assert waiting(store) == {}
    with store.read() as tx:
        assert list(tx.inbox.messages()) == []


def test_somebody_is_told_of_work_after_the_commit_and_not_when_there_was_none(
    store: Database, receiver: Receiver
) -> None:
    told: list[dict[str, int]] = []
    notifying = receiver.notifying(lambda: told.append(waiting(store)))
    notifying.receive([a_message()])
    with pytest.raises(KeyError):
        notifying.receive([a_message(b"x", source="nobody's")])
    assert told == [{"interpret-message": 1}]


def test_nothing_is_answered_while_the_database_does_not_answer() -> None:
    receiver = Receiver(Database("sqlite:////nowhere/at/all/store.sqlite", CHAIN), ManualClock(), OWNERS)
    with pytest.raises(Unavailable):
        receiver.receive([a_message()])
    with pytest.raises(Unavailable):
        receiver.submit(asking(a_bundle(), create))


@pytest.mark.fault("F42")
def test_one_message_from_many_connections_at_once_is_stored_once(store: Database) -> None:
    def receive(_: int) -> str:
        (receipt,) = Receiver(store, ManualClock(), OWNERS).receive([a_message()])
        return receipt.outcome

    assert sorted(at_once(6, receive)) == ["duplicate"] * 5 + ["stored"]


def test_batches_with_the_same_messages_in_another_order_do_not_wait_in_a_circle(store: Database) -> None:
    batch = [a_message(b"MSH|%d" % number, f"EHR|{number}") for number in range(30)]

    def receive(number: int) -> list[str]:
        arrivals = batch[::-1] if number % 2 else batch
        return [each.outcome for each in Receiver(store, ManualClock(), OWNERS).receive(arrivals)]

    outcomes = [outcome for some in at_once(4, receive) for outcome in some]
    assert (outcomes.count("stored"), outcomes.count("duplicate")) == (30, 90)


# --- FHIR ------------------------------------------------------------------------------------------------------------


def a_bundle(content: bytes = b'{"resourceType": "Bundle"}', control_key: str = "") -> Arrival:
    return Arrival(
        source="ehr", content=content, content_type="application/fhir+json", control_key=control_key, event="Bundle"
    )


def asking(
    arrival: Arrival, apply: Callable[[ResourceTable, datetime], FhirAnswer], request_key: str = "POST /fhir"
) -> FhirSubmission:
    return FhirSubmission(arrival=arrival, request_key=request_key, apply=apply)


def create(table: ResourceTable, now: datetime) -> FhirAnswer:
    """Create an Encounter unless one has the identifier."""
    found = table.find([("Encounter", VISIT)])
    if not found:
        table.put([NewVersion(type="Encounter", id="e1", version=1, body={"status": "finished"}, identifiers=(VISIT,))])
    return FhirAnswer(status=201, body=b'{"ok": true}\n\nbody', headers={"ETag": 'W/"1"', "Location": "Encounter/e1"})


def answering(status: int, *, refused: bool = False) -> Callable[[ResourceTable, datetime], FhirAnswer]:
    def apply(table: ResourceTable, now: datetime) -> FhirAnswer:
        create(table, now)
        return FhirAnswer(status=status, body=b"", refused=refused)

    return apply


def test_a_submission_is_committed_with_its_answer_and_its_resources_wait_to_be_mapped(
    store: Database, receiver: Receiver
) -> None:
    answer = receiver.submit(asking(a_bundle(), create))
    assert answer.status == 201
    stored = receiver.read("ehr", "Encounter", "e1")
    assert stored is not None
    assert stored.body["status"] == "finished"
    assert receiver.read("another-ehr", "Encounter", "e1") is None
    assert waiting(store) == {"interpret-resource": 1}


def test_the_same_request_and_bytes_hear_the_first_answer_whole(receiver: Receiver) -> None:
    first = receiver.submit(asking(a_bundle(), create))
    assert receiver.submit(asking(a_bundle(), answering(500))) == first
    assert receiver.submit(asking(a_bundle(), answering(200), "PUT /fhir")).status == 200


def test_of_a_name_given_to_other_content_what_is_to_be_instead_is_stored_and_the_same_content_is_a_repeat(
    receiver: Receiver,
) -> None:
    def named(content: bytes) -> FhirSubmission:
        instead = asking(a_bundle(content), answering(409, refused=True))
        return replace(asking(a_bundle(content, "bundle-1"), answering(201)), if_reused=lambda: instead)

    answers = receiver.submit_all([named(b"{}"), named(b"{}"), named(b"[]")])
    assert [201, 201, 409] == [each.status for each in answers if isinstance(each, FhirAnswer)]
    assert 409 == receiver.submit(named(b'""')).status


def test_a_refused_submission_keeps_its_bytes_and_none_of_its_resources(store: Database, receiver: Receiver) -> None:
    answer = receiver.submit(asking(a_bundle(), answering(422, refused=True)))
    assert answer.status == 422
    assert receiver.read("ehr", "Encounter", "e1") is None
    assert waiting(store) == {}
    with store.read() as tx:
        ((message, _),) = list(tx.inbox.messages(failed_only=True))
        assert tx.inbox.content(message.sha256) == a_bundle().content
    assert receiver.submit(asking(a_bundle(), answering(201))).status == 422


def test_many_identical_submissions_at_once_create_one_resource_and_hear_one_answer(store: Database) -> None:
    def submit(number: int) -> FhirAnswer:
        return Receiver(store, ManualClock(), OWNERS).submit(asking(a_bundle(), create))

    answers = at_once(8, submit)
    assert all(each == answers[0] for each in answers)
    with store.read() as tx:
        assert len(list(tx.inbox.messages())) == 1
        assert tx.resources.references("ehr") == ["Encounter/e1"]


def test_many_different_submissions_of_one_thing_at_once_create_it_once(store: Database) -> None:
    def submit(number: int) -> int:
        bundle = a_bundle(b'{"number": %d}' % number)
        return Receiver(store, ManualClock(), OWNERS).submit(asking(bundle, create)).status

    assert at_once(8, submit) == [201] * 8
    with store.read() as tx:
        assert tx.resources.references("ehr") == ["Encounter/e1"]
        assert tx.resources.told_by("ehr", ["Encounter/e1"])


def test_in_one_transaction_each_submission_stands_or_falls_alone(store: Database, receiver: Receiver) -> None:
    def breaks(table: ResourceTable, now: datetime) -> FhirAnswer:
        create(table, now)
        raise ZeroDivisionError

    def sees(table: ResourceTable, now: datetime) -> FhirAnswer:
        return FhirAnswer(status=200, body=str(table.find([("Encounter", VISIT)])).encode())

    bundles = [a_bundle(b'{"number": %d}' % number) for number in range(4)]
    before = asking(bundles[0], breaks), asking(bundles[1], answering(422, refused=True)), asking(bundles[2], sees)
    broken, refused, saw_nothing, created, saw_it, again = receiver.submit_all(
        [*before, asking(a_bundle(), create), asking(bundles[3], sees), asking(a_bundle(), answering(500))]
    )
    assert isinstance(broken, ZeroDivisionError)
    answers = [each for each in (refused, saw_nothing, created, saw_it, again) if isinstance(each, FhirAnswer)]
    assert [422, 200, 201, 200, 201] == [each.status for each in answers]
    assert [False, False, False, False, True] == [each.replayed for each in answers]
    assert (b"{}", True) == (answers[1].body, b"e1" in answers[3].body)
    with store.read() as tx:
        assert 4 == len(list(tx.inbox.messages()))
        assert ["Encounter/e1"] == tx.resources.references("ehr")


def test_when_a_shared_commit_fails_only_the_culprit_fails(store: Database, receiver: Receiver) -> None:
    def unwritable(table: ResourceTable, now: datetime) -> FhirAnswer:
        table.put([NewVersion(type="Encounter", id="e2", version=1, body={"status": object()})])
        return FhirAnswer(status=201, body=b"")

    bundles = [a_bundle(b'{"number": %d}' % number) for number in range(3)]
    first, culprit, last = receiver.submit_each(
        [asking(bundles[0], create), asking(bundles[1], unwritable), asking(bundles[2], answering(200))]
    )
    assert isinstance(culprit, TypeError)
    assert [201, 200] == [each.status for each in (first, last) if isinstance(each, FhirAnswer)]
    with store.read() as tx:
        assert 2 == len(list(tx.inbox.messages()))
        assert ["Encounter/e1"] == tx.resources.references("ehr")
