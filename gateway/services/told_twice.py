"""Visits that two sources tell with no identifier in common: a person decides, and the decision is kept.

Same patient, same kind of session, overlapping times, no source in common. Names and birth dates never settle it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.record import AttendanceStatus
from gateway.services.case import PlacedEncounter, SourcedRecord
from gateway.services.merge import merge_records

Pair = frozenset[str]
NOTHING_DECIDED: frozenset[Pair] = frozenset()
_SETTLED_BY_DECISION = frozenset({"encounter.start_at", "encounter.end_at"})
_EPOCH = datetime.min.replace(tzinfo=UTC)


def settle_visits_told_twice(
    encounters: Sequence[PlacedEncounter], same: frozenset[Pair], different: frozenset[Pair]
) -> tuple[list[PlacedEncounter], list[PlacedEncounter], dict[str, tuple[Finding, ...]]]:
    """What stays an encounter, what is another one told again, and findings by encounter id where nobody decided.

    ``encounters`` are in order of id. Encounters decided to be the same become the one with the lowest id, with the
    facts of all of them.
    """
    joined = _joined(encounters, same) if same else [[each] for each in encounters]
    kept = [_as_one(group) for group in joined]
    withdrawn = [each for group in joined for each in group[1:]]
    findings: dict[str, tuple[Finding, ...]] = defaultdict(tuple)
    for one, other in _suspects(kept):
        if frozenset((one.encounter_id, other.encounter_id)) not in different:
            findings[one.encounter_id] += (_told_twice(one, other),)
            findings[other.encounter_id] += (_told_twice(other, one),)
    return kept, withdrawn, findings


def _joined(encounters: Sequence[PlacedEncounter], same: frozenset[Pair]) -> list[list[PlacedEncounter]]:
    """Encounters in groups of one visit, in order of the lowest id of each."""
    leader = {each.encounter_id: each.encounter_id for each in encounters}
    for pair in sorted(same, key=sorted):
        leaders = {leader[one] for one in pair if one in leader}
        lowest = min(leaders, default="")
        leader = {one: lowest if lead in leaders else lead for one, lead in leader.items()}
    groups: dict[str, list[PlacedEncounter]] = defaultdict(list)
    for each in encounters:
        groups[leader[each.encounter_id]].append(each)
    return list(groups.values())


def _as_one(group: list[PlacedEncounter]) -> PlacedEncounter:
    first = group[0]
    if len(group) == 1:
        return first
    merged = merge_records(
        [
            SourcedRecord(
                record=each.record, source=each.encounter_id, asserted_at=_EPOCH, origins=each.origins, precedence=place
            )
            for place, each in enumerate(group)
        ]
    )
    conflicts = tuple(each for each in merged.findings if each.path not in _SETTLED_BY_DECISION)
    return replace(
        first,
        record=merged.record,
        origins=merged.origins,
        findings=tuple(finding for each in group for finding in each.findings) + conflicts,
        sources=tuple(dict.fromkeys(source for each in group for source in each.sources)),
    )


def _suspects(kept: Sequence[PlacedEncounter]) -> Iterator[tuple[PlacedEncounter, PlacedEncounter]]:
    """Pairs that may be one visit: at least one attended, the other attended or missed."""
    if len({each.sources for each in kept}) < 2:
        return
    by_kind: dict[tuple[str, str], list[tuple[datetime, datetime, PlacedEncounter]]] = defaultdict(list)
    for each in kept:
        record = each.record
        if record.start_at is None or record.status not in (AttendanceStatus.ATTENDED, AttendanceStatus.NO_SHOW):
            continue
        by_kind[each.patient_id, record.session].append((record.start_at, record.end_at or record.start_at, each))
    for group in by_kind.values():
        group.sort(key=lambda one: (one[0], one[1], one[2].encounter_id))
        for place, (start_at, end_at, one) in enumerate(group):
            for other_start_at, _, other in group[place + 1 :]:
                if other_start_at > start_at and other_start_at >= end_at:
                    break
                if not set(one.sources) & set(other.sources) and _one_attended(one, other):
                    yield one, other


def _one_attended(one: PlacedEncounter, other: PlacedEncounter) -> bool:
    return AttendanceStatus.ATTENDED in (one.record.status, other.record.status)


def _told_twice(one: PlacedEncounter, other: PlacedEncounter) -> Finding:
    return Finding(
        rule="visit-told-twice",
        code="",
        severity=Severity.BLOCK,
        path="encounter.identifiers",
        message=f"{' and '.join(one.sources)} and {' and '.join(other.sources)} each tell of a {one.record.session} "
        "session of this patient at the same time, with no identifier in common: it may be one visit told twice.",
        fix="Decide whether the two are the same visit, or have both feeds send a shared visit identifier.",
        owner=Owner.INTEGRATION,
        values={"encounter": one.encounter_id, "other_encounter": other.encounter_id},
        origin=one.origins.get("start_at"),
    )
