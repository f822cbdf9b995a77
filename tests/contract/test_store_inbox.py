"""Messages as received, on both databases: bytes, control keys, answers, and what interpreting them came to."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import NotFound
from gateway.ports import MappingProblem
from gateway.ports.inbox import InboundMessage, Outcome
from gateway.store.database import Database
from tests.factories import NOON, ORGANIZATION, TENANT

ADT = b"MSH|^~\\&|EHR|CLINIC|||202608171200||ADT^A01|1|T|2.5\r"


KEY = ("ehr", "EHR|CLINIC|1")


def a_message(
    id: str = "m1", content: bytes = ADT, control_key: str = "EHR|CLINIC|1", **changes: str
) -> InboundMessage:
    return InboundMessage(
        id=id,
        tenant=TENANT,
        organization=ORGANIZATION,
        source=changes.get("source", "ehr"),
        received_at=NOON + timedelta(seconds=int(changes.get("after_s", "0"))),
        sha256=hashlib.sha256(content).hexdigest(),
        content_type="x-application/hl7-v2+er7",
        control_key=control_key,
        event=changes.get("event", "ADT^A01"),
    )


def add(
    store: Database, message: InboundMessage, content: bytes = ADT, answer: bytes = b"AA", refusal: str = ""
) -> None:
    with store.write() as tx:
        tx.inbox.add_answered([(replace(message, answer=answer, refusal=refusal), content)])


def a_problem(place: str = "PV1-44") -> MappingProblem:
    return MappingProblem(place=place, mapping="ehr.yaml:7", message="no time", fix="send one")


def an_outcome(*problems: MappingProblem, message_id: str = "m1", origin_key: str = "m1") -> Outcome:
    return Outcome(message_id=message_id, origin_key=origin_key, at=NOON, mapping_hash="set-1", problems=problems)


def test_the_same_key_with_the_same_bytes_is_found_with_its_first_answer(store: Database) -> None:
    add(store, a_message())
    with store.read() as tx:
        (found,) = tx.inbox.with_keys([KEY])[KEY]
        assert (found.id, found.answer, found.refusal) == ("m1", b"AA", "")
        assert tx.inbox.content(found.sha256) == ADT


def test_a_key_used_again_for_other_bytes_is_seen_and_is_another_message(store: Database) -> None:
    add(store, a_message())
    add(store, a_message("m2", b"other"), b"other")
    nobodys = [("ehr", "EHR|CLINIC|2"), ("another-ehr", "EHR|CLINIC|1")]
    with store.read() as tx:
        found = tx.inbox.with_keys([KEY, *nobodys])
    assert {KEY: ["m1", "m2"], nobodys[0]: [], nobodys[1]: []} == {
        key: [each.id for each in some] for key, some in found.items()
    }


def test_a_batch_is_stored_with_its_answers_and_found_by_its_keys_in_order(store: Database) -> None:
    first = replace(a_message("m1"), answer=b"AA")
    second = replace(a_message("m2", b"other"), answer=b"AR", refusal="not ours")
    elsewhere = replace(a_message("m3", b"third", source="another-ehr"), answer=b"AA")
    with store.write() as tx:
        tx.inbox.add_answered([(first, ADT), (second, b"other"), (elsewhere, b"third")])
        tx.inbox.add_answered([])
    with store.read() as tx:
        known, unknown, other = ("ehr", "EHR|CLINIC|1"), ("ehr", "EHR|CLINIC|2"), ("another-ehr", "EHR|CLINIC|1")
        told = tx.inbox.with_keys([known, unknown, other])
        assert told == {known: [first, second], unknown: [], other: [elsewhere]}
        assert tx.inbox.with_keys([]) == {}
        assert [tx.inbox.content(each.sha256) for each in (first, second, elsewhere)] == [ADT, b"other", b"third"]


def test_a_message_comes_back_whole_by_its_id(store: Database) -> None:
    message = a_message(event="ADT^" + "A01" * 100)
    add(store, message, refusal="not ours", answer=b"AR")
    with store.read() as tx:
        found = tx.inbox.get("m1")
        assert found is not None
        assert (found.event, found.received_at, found.answer, found.refusal) == (message.event, NOON, b"AR", "not ours")
        assert tx.inbox.get("m2") is None
        with pytest.raises(NotFound):
            tx.inbox.content("0" * 64)


def test_some_messages_come_in_the_order_they_are_asked_for(store: Database) -> None:
    for number in (1, 2, 3):
        add(store, a_message(f"m{number}", control_key=str(number)))
    with store.read() as tx:
        assert [each.id for each in tx.inbox.some(["m3", "m1", "unknown", "m2"])] == ["m3", "m1", "m2"]


def test_the_latest_outcome_of_each_resource_of_a_message_counts(store: Database) -> None:
    add(store, a_message())
    with store.write() as tx:
        tx.inbox.record_outcomes([an_outcome(a_problem("a"), origin_key="Encounter/1")])
        tx.inbox.record_outcomes([an_outcome(a_problem("b"), origin_key="Encounter/2")])
        tx.inbox.record_outcomes([an_outcome(a_problem("c"), origin_key="Encounter/1")])
    with store.read() as tx:
        ((_, problems),) = list(tx.inbox.messages())
        assert [each.place for each in problems] == ["b", "c"]
    with store.write() as tx:
        tx.inbox.record_outcomes([an_outcome(origin_key="Encounter/1"), an_outcome(origin_key="Encounter/2")])
    with store.read() as tx:
        assert [problems for _, problems in tx.inbox.messages()] == [[]]


def test_failed_messages_are_those_refused_and_those_with_problems(store: Database) -> None:
    add(store, a_message("m1", control_key="1"))
    add(store, a_message("m2", control_key="2"), refusal="too large", answer=b"AR")
    add(store, a_message("m3", control_key="3", source="other-ehr"))
    with store.write() as tx:
        tx.inbox.record_outcomes([an_outcome(message_id="m1"), an_outcome(a_problem(), message_id="m3")])
    with store.read() as tx:
        assert [message.id for message, _ in tx.inbox.messages()] == ["m1", "m2", "m3"]
        assert [message.id for message, _ in tx.inbox.messages(failed_only=True)] == ["m2", "m3"]
        assert [message.id for message, _ in tx.inbox.messages("ehr", failed_only=True)] == ["m2"]
