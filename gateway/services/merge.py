"""Merge what several sources say of one thing into one record; contradictions become findings for a person.

Knows records, not feeds: who is believed first is the caller's configuration.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from typing import Any

from gateway.claim.finding import Finding, Origin, Owner, Severity
from gateway.claim.origins import Origins
from gateway.claim.record import FEED_RECORDS, AttendanceStatus, EncounterRecord, RecordKind
from gateway.services.case import Merged, MergedEncounter, R, SourcedRecord
from gateway.services.origins import origin_of

# Fields on which two sources may not disagree unseen. Payers' and programs' names differ between feeds by nature.
_CONFLICTS: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.ENCOUNTER: ("status", "start_at", "end_at", "level_of_care", "session"),
    RecordKind.EPISODE: ("level_of_care", "admitted_on", "discharged_on", "patient_status"),
    RecordKind.COVERAGE: ("member_number", "relationship", "order"),
    RecordKind.PATIENT: ("birth_on", "sex"),
    RecordKind.AUTHORIZATION: ("number", "units", "start_on", "end_on", "status"),
}
# A second source adds to these; it never takes away.
_UNIONS = frozenset({"identifiers", "never_bill_payers"})
# The values themselves would identify the patient: the finding names the sources and leaves the values out.
_WITHHELD = frozenset({"birth_on", "member_number"})


def merge_records(assertions: Sequence[SourcedRecord[R]]) -> Merged[R]:
    """Merge field by field: the first known value by precedence. Of each source only the newest word counts.

    A source that only planned a session does not contradict one that knows what became of it.
    Raises ValueError when there is nothing to merge.
    """
    if not assertions:
        raise ValueError("there is no assertion to merge")
    ranked = _ranked(assertions)
    record, origins = _first_known(ranked)
    findings = tuple(_conflicts(ranked)) if len(ranked) > 1 else ()
    return Merged(record=record, origins=origins, findings=findings, sources=tuple(each.source for each in ranked))


def merge_encounters(assertions: Sequence[SourcedRecord[EncounterRecord]]) -> MergedEncounter:
    """Merge what the sources say of one encounter; as ``merge_records``."""
    return merge_records(assertions)


def _ranked(assertions: Sequence[SourcedRecord[R]]) -> list[SourcedRecord[R]]:
    """The newest word of each source, most believed first; plans go behind outcomes."""
    if len(assertions) == 1:
        return list(assertions)
    newest: dict[str, SourcedRecord[R]] = {}
    for each in sorted(assertions, key=lambda one: (one.asserted_at, repr(one.record))):
        newest[each.source] = each
    return sorted(newest.values(), key=lambda each: (_is_plan(each), each.precedence, each.source))


def _is_plan(each: SourcedRecord[R]) -> bool:
    return getattr(each.record, "status", None) is AttendanceStatus.PLANNED


def _first_known(ranked: Sequence[SourcedRecord[R]]) -> tuple[R, Origins]:
    first = ranked[0]
    if len(ranked) == 1:
        return first.record, first.origins
    chosen: dict[str, Any] = {}
    believed: dict[int, list[str]] = {}
    for name in _field_names(first.record.kind):
        if name in _UNIONS:
            chosen[name] = tuple(dict.fromkeys(value for each in ranked for value in getattr(each.record, name)))
        for place, each in enumerate(ranked):
            value = getattr(each.record, name)
            if not _is_unknown(value):
                chosen.setdefault(name, value)
                believed.setdefault(place, []).append(name)
                break
    origins = (ranked[place].origins.only(names) for place, names in believed.items())
    return replace(first.record, **chosen), Origins.first_of(origins)


@cache
def _field_names(kind: RecordKind) -> tuple[str, ...]:
    shape = next(each for each in FEED_RECORDS if each.kind is kind)
    return tuple(each.name for each in fields(shape))


def _is_unknown(value: object) -> bool:
    return value is None or value in ("", ())


def _conflicts(ranked: Sequence[SourcedRecord[R]]) -> Iterator[Finding]:
    kind = ranked[0].record.kind
    believed = [each for each in ranked if not _is_plan(each)]
    for name in _CONFLICTS[kind]:
        said = {each.source: getattr(each.record, name) for each in believed}
        known = {source: value for source, value in said.items() if not _is_unknown(value)}
        if len({_comparable(value) for value in known.values()}) > 1:
            origin = next((found for each in believed if (found := origin_of(each.origins, name))), None)
            yield _conflict(kind, name, known, origin)


def _comparable(value: object) -> object:
    """Feeds differ in whether they send seconds; a contradiction is a minute or more."""
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value


def _conflict(kind: RecordKind, name: str, known: dict[str, Any], origin: Origin | None) -> Finding:
    word = name.removesuffix("_on").removesuffix("_at").replace("_", " ")
    return Finding(
        rule="sources-disagree",
        code="",
        severity=Severity.BLOCK,
        path=f"{kind}.{name}",
        message=f"{' and '.join(known)} disagree on the {kind}'s {word}.",
        fix="Find out which source is right and have the other one send a correction.",
        owner=Owner.INTEGRATION,
        values={source: "withheld" if name in _WITHHELD else str(value) for source, value in known.items()},
        origin=origin,
    )
