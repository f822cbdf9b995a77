"""Stored messages explained: what each mapping entry made of them, with values only where somebody asked."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.errors import NotFound
from gateway.wiring.books import Books
from gateway.wiring.messages import explain
from gateway.wiring.site import Site


def _stored(site: Site, source: str, type: str) -> str:
    listed = Books(site.store).messages(source=source)["messages"]
    found: str = next(each["id"] for each in listed if each["type"] == type)
    return found


def _found(explained: dict[str, Any]) -> list[dict[str, Any]]:
    entries = [entry for resource in explained["resources"] for entry in resource["entries"] if entry["applies"]]
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
    references = [each["resource"] for each in explained["resources"]]
    assert references
    assert all("/" in each for each in references)


def test_one_resource_is_explained_by_its_reference(site: Site) -> None:
    with site.store.read() as tx:
        (message, _), *_ = [each for each in tx.inbox.messages("riverbend-fhir") if b"Encounter/" in each[0].answer]
    explained = explain(site, message.id)
    reference = next(each["resource"] for each in explained["resources"] if each["resource"].startswith("Encounter/"))
    alone = explain(site, reference)
    assert [reference] == [each["resource"] for each in alone["resources"]]
    assert _found(alone)


@pytest.mark.parametrize("text", ["NOBODY", "Encounter/nobody"])
def test_what_was_never_sent_is_not_explained(site: Site, text: str) -> None:
    with pytest.raises(NotFound):
        explain(site, text)
