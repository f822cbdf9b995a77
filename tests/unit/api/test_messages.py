"""Stored messages explained: what each mapping entry made of them, with values only where somebody asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.claim.actor import Actor
from gateway.errors import FormatError, NotFound
from gateway.wiring.books import Books
from gateway.wiring.explanations import explain, explain_file
from gateway.wiring.ingest import ingest_paths
from gateway.wiring.messages import run_again
from gateway.wiring.site import Site


def _stored(site: Site, source: str, type: str) -> str:
    listed = Books(site.store).messages(source=source)["messages"]
    found: str = next(each["id"] for each in listed if each["type"] == type)
    return found


def _resources(explained: dict[str, Any]) -> list[dict[str, Any]]:
    return [resource for message in explained["messages"] for resource in message["resources"]]


def _found(explained: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [entry for resource in _resources(explained) for entry in resource["entries"] if entry["applies"]]
    return [field for entry in entries for field in entry["fields"] if field["found"]]


def test_a_message_is_explained_field_by_field_without_its_values(site: Site) -> None:
    fields = _found(explain(site, _stored(site, "riverbend-hl7", "ADT^A04")))
    assert fields
    assert all(each["values"] is None for each in fields)
    assert all(each["positions"] and each["entry"].startswith("sources/riverbend-hl7.yaml:") for each in fields)


def test_values_are_shown_to_whoever_asks(site: Site) -> None:
    fields = _found(explain(site, _stored(site, "riverbend-hl7", "ADT^A04"), values=True))
    assert all(each["values"] for each in fields)


def test_a_bundle_is_explained_resource_by_resource(site: Site) -> None:
    message = _stored(site, "riverbend-fhir", "Bundle/transaction")
    explained = explain(site, message)
    references = [each["resource"] for each in _resources(explained)]
    assert references
    assert all("/" in each for each in references)


def test_one_resource_is_explained_by_its_reference(site: Site) -> None:
    with site.store.read() as tx:
        (message, _), *_ = [each for each in tx.inbox.messages("riverbend-fhir") if b"Encounter/" in each[0].answer]
    explained = explain(site, message.id)
    reference = next(each["resource"] for each in _resources(explained) if each["resource"].startswith("Encounter/"))
    alone = explain(site, reference)
    assert [reference] == [each["resource"] for each in _resources(alone)]
    assert _found(alone)


def test_an_encounter_is_explained_by_what_it_got_and_by_each_message_that_told_of_it(site: Site) -> None:
    placed = Books(site.store).encounters()["encounters"]
    explained = explain(site, placed[0]["encounter_id"])
    fields = {each["name"]: each for each in explained["encounter"]["fields"]}
    assert {"start_at", "end_at", "session", "status"} <= set(fields)
    messages = {each["message"] for each in explained["messages"]}
    assert {each["message"] for each in fields.values()} <= messages
    entries = [entry for resource in _resources(explained) for entry in resource["entries"]]
    assert {"encounter"} == {each["record"] for each in entries}
    given = {field["entry"] for field in _found(explained)}
    assert {each["entry"] for name, each in fields.items() if name != "identifiers"} <= given


def test_a_file_nobody_took_in_is_explained_and_not_kept(site: Site, tmp_path: Path) -> None:
    with site.store.read() as tx:
        (stored, _), *_ = tx.inbox.messages("riverbend-hl7")
        content = tx.inbox.content(stored.sha256)
    path = tmp_path / "new.hl7"
    path.write_bytes(content.replace(b"|P|2.5.1", b"9|P|2.5.1", 1))
    before = Books(site.store).messages()
    explained = explain_file(site, path, "riverbend-hl7")
    assert before == Books(site.store).messages()
    assert _found(explained)
    with pytest.raises(NotFound):
        explain(site, explained["messages"][0]["message"])


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "none of its lines begins with MSH"), (b"NTE|1", "the message does not begin with MSH")]
)
def test_a_file_that_holds_no_message_is_refused_with_its_reason(
    site: Site, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "empty.hl7"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=said):
        explain_file(site, path, "riverbend-hl7")


def test_messages_that_failed_are_counted_by_reason_and_run_again_by_source_and_reason(
    site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "bad.hl7"
    path.write_bytes(
        b"MSH|^~\\&|CEDARLINE|RIVERBENDREC|CLEANCLAIM|RIVERBEND|20260805143000-0500||ADT^A08^ADT_A01|BAD1|P|2.5.1\r"
        b"EVN|A08|20260805143000-0500\rPID|1||R199999^^^RBREC^MR||Fern^Ada||20260231|F\r"
    )
    taken = ingest_paths(site, "riverbend-hl7", [path], lambda _: None)
    finding, *_ = taken["messages"][0]["findings"]
    part = finding["message"].upper()
    listed = Books(site.store).messages(failed_only=True, reason=part)
    assert ["ADT^A08"] == [each["type"] for each in listed["messages"]]
    assert {"source": "riverbend-hl7", "reason": finding["message"], "messages": 1} in listed["reasons"]
    kim = Actor(name="kim", role="integration")
    (message,) = (each["id"] for each in listed["messages"])
    again = {"messages": [message], "still_failing": [message]}
    assert again == run_again(site, kim, failed=True, source="riverbend-hl7", reason=part)
    nobody: dict[str, list[str]] = {"messages": [], "still_failing": []}
    assert nobody == run_again(site, kim, failed=True, source="riverbend-fhir", reason=part)
    assert nobody == run_again(site, kim, failed=True, reason="no such reason")
    every = [
        each["id"] for each in Books(site.store).messages(source="riverbend-hl7")["messages"] if not each["reason"]
    ]
    done = run_again(site, kim, source="riverbend-hl7")
    assert (every, True) == (done["messages"], message in done["still_failing"])


@pytest.mark.parametrize("text", ["NOBODY", "Encounter/nobody"])
def test_what_was_never_sent_is_not_explained(site: Site, text: str) -> None:
    with pytest.raises(NotFound):
        explain(site, text)
