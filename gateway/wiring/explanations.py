"""What each mapping entry made of a message, of a file nobody took in yet, or of an encounter. Plain dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from adapters.mapping.engine import SourceInterpreter
from adapters.mapping.explain import ExplainedEntry, ExplainedField, explain_message, explain_resource
from gateway.claim.record import RecordKind
from gateway.errors import FormatError, NotFound
from gateway.pipeline.facts import encounters_as_known
from gateway.ports import FHIR_CONTENT
from gateway.ports.inbox import InboundMessage
from gateway.ports.storage import Transaction
from gateway.ports.subjects import Assertion
from gateway.services.origins import origin_of
from gateway.wiring.codes import imported_lists
from gateway.wiring.dry_run import by_other_files, dry_run, make_room
from gateway.wiring.ingest import Taking
from gateway.wiring.mapping_check import site_files
from gateway.wiring.mappings import went_by
from gateway.wiring.messages import message_of, references_of
from gateway.wiring.policy import load_policy
from gateway.wiring.site import Site


def explain(site: Site, text: str, *, values: bool = False, source: str = "") -> dict[str, Any]:
    """What each entry made of a message, a resource ``Type/id``, or everything that told of an encounter.

    {"encounter": null|{"id", "sources", "fields"}, "messages": [{"message", "source", "type",
    "resources": [{"resource", "entries"}]}], "mappings": the set that was gone by}; values only if asked. Raises
    NotFound.
    """
    mappings = went_by(site)
    with site.store.read() as tx:
        return {**_explained_subject(site, tx, text, values, source), "mappings": mappings}


def _explained_subject(site: Site, tx: Transaction, text: str, values: bool, source: str) -> dict[str, Any]:
    if tx.subjects.patients_of([text]):
        return _explained_encounter(site, tx, text, values)
    message = _teller_of(site, tx, text, source) if "/" in text else message_of(tx, text)
    references = [text] if "/" in text else references_of(message)
    return {"encounter": None, "messages": [_explained(site, tx, message, references, values)]}


def as_edited(site: Site) -> Site:
    """The site by its mapping files as they are edited. Raises ConfigurationError with everything wrong in them."""
    policy = load_policy(site_files(site.settings.mappings), imported_lists(site.store))
    return by_other_files(site.settings, site.store, site.clock, policy)


def explain_file(site: Site, path: Path, source: str, *, values: bool = False) -> dict[str, Any]:
    """The same of a file's messages by the files as they are edited: taken in as they would be, and not kept.

    Raises NotFound, FormatError, ConfigurationError.
    """
    edited = as_edited(site)
    mappings = went_by(edited)
    with dry_run(edited) as trial:
        make_room(trial.store, trial.settings, trial.policy)
        taking = Taking(trial, source)
        taking.take_file(path)
        if not taking.told_by:
            refused = taking.finish()["messages"]
            raise FormatError("; ".join(each["reason"] for each in refused if each["reason"]), str(path))
        with trial.store.read() as tx:
            resources = [each for each in taking.told_by if "/" in each]
            tellers = tx.resources.told_by(source, resources)
            by_message: dict[str, list[str]] = {}
            for each in taking.told_by:
                by_message.setdefault(tellers.get(each, each), []).append(each)
            found = [
                _explained(trial, tx, message_of(tx, message), told, values) for message, told in by_message.items()
            ]
    return {"encounter": None, "messages": found, "mappings": mappings}


def _teller_of(site: Site, tx: Transaction, reference: str, source: str) -> InboundMessage:
    for name in [source] if source else [each.name for each in site.settings.sources]:
        if tx.resources.current(name, reference) is not None:
            return message_of(tx, tx.resources.told_by(name, [reference])[reference])
    raise NotFound("no source sent such a resource; give Type/id as the answer to the sender named it")


def _explained(
    site: Site,
    tx: Transaction,
    message: InboundMessage,
    references: Sequence[str],
    values: bool,
    wanted: Callable[[ExplainedEntry], bool] = lambda _: True,
) -> dict[str, Any]:
    return {
        "message": message.id,
        "source": message.source,
        "type": message.event,
        "resources": [
            {"resource": resource, "entries": [_entry(each, values) for each in entries if wanted(each)]}
            for resource, entries in _entries(site, tx, message, references)
        ],
    }


def _entries(
    site: Site, tx: Transaction, message: InboundMessage, references: Iterable[str]
) -> list[tuple[str | None, list[ExplainedEntry]]]:
    interpreter = site.policy.interpreter(message.source)
    assert isinstance(interpreter, SourceInterpreter), "mapping files are interpreted by the mapping engine"
    if message.content_type != FHIR_CONTENT:
        return [(None, explain_message(interpreter, tx.inbox.content(message.sha256)))]
    return [
        (each, explain_resource(interpreter, resource, lambda one: tx.resources.current(message.source, one)))
        for each in references
        if (resource := tx.resources.current(message.source, each)) is not None
    ]


def _explained_encounter(site: Site, tx: Transaction, encounter_id: str, values: bool) -> dict[str, Any]:
    known = encounters_as_known(tx, site.policy, [encounter_id]).get(encounter_id)
    if known is None:
        raise NotFound(
            "no feed tells of this encounter any more; 'cleanclaim encounters list' shows those that are told"
        )
    patients = tx.subjects.standing(sorted(tx.subjects.patients_of([encounter_id])))
    words = [
        each
        for said in tx.subjects.about_patients(patients).values()
        for each in said
        if each.kind is RecordKind.ENCOUNTER and each.subject_id == encounter_id
    ]
    origins = {name: origin for name in known.origins if (origin := origin_of(known.origins, name)) is not None}
    return {
        "encounter": {
            "id": encounter_id,
            "sources": list(known.sources),
            "fields": [
                {"name": name, "position": each.source, "entry": each.mapping, "message": each.message_id}
                for name, each in origins.items()
            ],
        },
        "messages": [_told_of(site, tx, each, values) for each in words],
    }


def _told_of(site: Site, tx: Transaction, word: Assertion, values: bool) -> dict[str, Any]:
    """What a message says of one encounter, without what else it says."""
    assert word.record is not None, "words taken back are not read"
    names = [{"namespace": each.namespace, "value": each.value} for each in word.record.identifiers]

    def is_of_it(entry: ExplainedEntry) -> bool:
        known_by = [value for field in entry.fields if field.name == "identifiers" for value in field.values]
        return entry.record == RecordKind.ENCOUNTER and (not known_by or any(each in names for each in known_by))

    return _explained(site, tx, message_of(tx, word.message_id), [word.origin_key], values, is_of_it)


def _entry(entry: ExplainedEntry, values: bool) -> dict[str, Any]:
    return {
        "name": entry.name,
        "record": entry.record,
        "entry": entry.entry,
        "applies": entry.applies,
        "why": entry.why,
        "place": entry.place or None,
        "fields": [_field(each, values) for each in entry.fields],
    }


def _field(field: ExplainedField, values: bool) -> dict[str, Any]:
    return {
        "name": field.name,
        "entry": field.chosen_by or field.entry,
        "tried": field.tried,
        "positions": list(field.positions),
        "found": len(field.values),
        "values": [str(each) for each in field.values] if values else None,
        "notes": list(field.notes),
        "why": field.why or None,
        "ways": [{"entry": each.entry, "tried": each.tried, "why": each.why or None} for each in field.ways],
    }
