"""Who else a clinician was with: attended sessions of a batch of patients among everybody's, asked for at once."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain, groupby
from typing import TypeVar

from msgspec import Struct, field

from gateway.claim.contract import Catalogue, SessionKind
from gateway.claim.record import AttendanceStatus
from gateway.ports.storage import Transaction
from gateway.ports.watch import SessionRow
from gateway.rules import group_within_size
from gateway.rules.context import Room
from gateway.services.case import PatientCase

T = TypeVar("T")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_Lead = tuple[str, str, date]
"""Organization, clinician, date."""


class Gathering(Struct, frozen=True, kw_only=True):
    """One patient's attended sessions, and whose they touch."""

    rows: tuple[SessionRow, ...] = ()
    rooms_elsewhere: Mapping[str, tuple[Room, ...]] = field(default_factory=dict)
    """Rooms of the same clinician at an overlapping time, by encounter; a session's own group is not among them."""
    group_sizes: Mapping[str, int] = field(default_factory=dict)
    """Patients in the group of a group session, by its encounter; none where no payer limits them."""
    affected: frozenset[str] = frozenset()
    """Patients outside the batch of whom something else is true now."""


def gather_rooms(
    tx: Transaction, catalogue: Catalogue, cases: Mapping[str, PatientCase | None], aliases: Mapping[str, Sequence[str]]
) -> dict[str, Gathering]:
    """By patient. ``aliases`` are ids that were joined into the patients."""
    batch = {*cases, *(each for others in aliases.values() for each in others)}
    before: dict[str, list[SessionRow]] = defaultdict(list)
    for row in tx.sessions.of_patients(sorted(batch)):
        before[row.patient_id].append(row)
    now = {patient_id: tuple(_rows(case, catalogue)) if case else () for patient_id, case in cases.items()}
    changed = _changed(now, before, aliases)
    there, earlier = _by_lead(chain.from_iterable(now.values())), _by_lead(chain.from_iterable(before.values()))
    kinds, cap = catalogue.sessions, _smallest_cap(catalogue)
    elsewhere: dict[str, tuple[Room, ...]] = {}
    group_sizes: dict[str, int] = {}
    affected: dict[str, set[str]] = {patient_id: set() for patient_id in cases}
    for lead, around in _around(tx, {*there, *earlier}, batch):
        rooms = _rooms(around, there[lead])
        elsewhere |= _elsewhere(there[lead], _contested(rooms, kinds), kinds)
        if cap is not None:
            group_sizes |= _group_sizes(there[lead], rooms, kinds)
        if changed[lead]:
            differing = _differing(_rooms(around, earlier[lead]), rooms, kinds, cap) - batch
            for patient_id in changed[lead]:
                affected[patient_id] |= differing
        del around, rooms  # before the next are fetched: of a large program they are many
    return {
        patient_id: Gathering(
            rows=rows,
            rooms_elsewhere=_of_rows(rows, elsewhere),
            group_sizes=_of_rows(rows, group_sizes),
            affected=frozenset(affected[patient_id]),
        )
        for patient_id, rows in now.items()
    }


def _of_rows(rows: Iterable[SessionRow], found: Mapping[str, T]) -> dict[str, T]:
    return {row.encounter_id: found[row.encounter_id] for row in rows if row.encounter_id in found}


def _rows(case: PatientCase, catalogue: Catalogue) -> Iterator[SessionRow]:
    """Attended clinical sessions of whom the clinician is known."""
    for day in case.book.days:
        for each in day.sessions:
            clinician = each.rendering.npi if each.rendering else ""
            attended = each.status is AttendanceStatus.ATTENDED and catalogue.sessions[each.session].clinical
            if attended and clinician:
                who = (each.encounter_id, case.patient_id, case.organization)
                yield SessionRow(*who, day.facility, each.session, clinician, day.on, each.start_at, each.end_at)


def _lead(row: SessionRow) -> _Lead:
    return row.organization, row.clinician, row.on


def _by_lead(rows: Iterable[SessionRow]) -> Mapping[_Lead, Sequence[SessionRow]]:
    found: dict[_Lead, list[SessionRow]] = defaultdict(list)
    for row in rows:
        found[_lead(row)].append(row)
    return found


def _changed(
    now: Mapping[str, Collection[SessionRow]],
    before: Mapping[str, Collection[SessionRow]],
    aliases: Mapping[str, Sequence[str]],
) -> Mapping[_Lead, set[str]]:
    """The patients of whom something else is told now than before, by who led what differs."""
    found: dict[_Lead, set[str]] = defaultdict(set)
    for patient_id, rows in now.items():
        told = {row for id in (patient_id, *aliases.get(patient_id, ())) for row in before.get(id, ())}
        for row in told ^ {*rows}:
            found[_lead(row)].add(patient_id)
    return found


_Attendees = Mapping[tuple[str, str, datetime, datetime], Sequence[tuple[str, str]]]
"""(encounter, patient) by facility, session, start and end: one room, however many patients are in it."""


def _around(tx: Transaction, leads: Collection[_Lead], batch: Collection[str]) -> Iterator[tuple[_Lead, _Attendees]]:
    """Who of the patients outside the batch each of these led. One after the other: what a whole batch's clinicians
    led on a large program's dates is more than one wants to hold."""
    alone = {*leads}
    wanted: dict[str, dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
    for organization, clinician, on in leads:
        wanted[organization][clinician].add(on)
    for organization, clinicians in sorted(wanted.items()):
        for lead, rows in groupby(tx.sessions.beside(clinicians, organization), _lead):
            alone.discard(lead)
            yield lead, _attendees(row for row in rows if row.patient_id not in batch)
    for lead in sorted(alone):
        yield lead, {}


def _attendees(rows: Iterable[SessionRow]) -> _Attendees:
    found: dict[tuple[str, str, datetime, datetime], list[tuple[str, str]]] = {}
    for row in rows:
        place = (row.facility, row.session, row.start_at, row.end_at)
        found.setdefault(place, []).append((row.encounter_id, row.patient_id))
    return found


def _rooms(around: _Attendees, rows: Iterable[SessionRow]) -> Sequence[Room]:
    """One clinician's rooms of one date, in order of start."""
    there = _attendees(rows)
    found = (
        Room(
            facility=place[0],
            session=place[1],
            start_at=place[2],
            end_at=place[3],
            attendees=(*around.get(place, ()), *there.get(place, ())),
        )
        for place in {**around, **there}
    )
    return sorted(found, key=_start)


def _start(room: Room) -> datetime:
    return room.start_at


def _beside(row: SessionRow, led: Sequence[Room]) -> Iterator[Room]:
    """Rooms at an overlapping time, the row's own among them where others are in it."""
    for room in led[: bisect_left(led, row.end_at, key=_start)]:
        if row.start_at < room.end_at:
            yield room


def _elsewhere(
    rows: Iterable[SessionRow], led: Sequence[Room], kinds: Mapping[str, SessionKind]
) -> dict[str, tuple[Room, ...]]:
    found = {}
    for row in rows:
        apart = [
            each
            for each in _beside(row, led)
            if not each.is_group_of(row.session, row.facility, kinds) and each.others(row.patient_id)
        ]
        if apart:
            found[row.encounter_id] = tuple(apart)
    return found


def _group_sizes(rows: Iterable[SessionRow], led: Sequence[Room], kinds: Mapping[str, SessionKind]) -> dict[str, int]:
    return {
        row.encounter_id: _headcount(
            each for each in _beside(row, led) if each.is_group_of(row.session, row.facility, kinds)
        )
        for row in rows
        if kinds[row.session].group
    }


def _smallest_cap(catalogue: Catalogue) -> int | None:
    """The smallest group size any payer sets; None where none does."""
    name = group_within_size.RULE.name
    most = [each.limits.get("most", "") for payer in catalogue.payers.values() for each in payer.rules.get(name, ())]
    return min((int(each) for each in most if each), default=None)


def _differing(
    before: Sequence[Room], after: Sequence[Room], kinds: Mapping[str, SessionKind], cap: int | None
) -> set[str]:
    """Patients whose clinician is in two rooms now and was not, or the other way round; or whose group has come above
    the smallest cap, or below it. What is said of them in detail follows with the next day."""
    differing = {*_in_two_rooms(before, kinds)} ^ {*_in_two_rooms(after, kinds)}
    if cap is not None:
        differing |= {*_crowded(before, kinds, cap)} ^ {*_crowded(after, kinds, cap)}
    return {patient_id for _, patient_id in differing}


def _at_one_time(rooms: Sequence[Room]) -> Iterator[list[Room]]:
    """Rooms in order of start as runs: what overlaps is in one run."""
    run: list[Room] = []
    until = _LONG_AGO
    for room in rooms:
        if run and room.start_at >= until:
            yield run
            run = []
        until = max(until, room.end_at)
        run.append(room)
    if run:
        yield run


def _contested(rooms: Sequence[Room], kinds: Mapping[str, SessionKind]) -> list[Room]:
    """The rooms without those where the clinician, whose they are, was all the time with one patient or one group."""
    return [room for run in _at_one_time(rooms) if not _is_undivided(run, kinds) for room in run]


def _is_undivided(run: Sequence[Room], kinds: Mapping[str, SessionKind]) -> bool:
    first = run[0]
    one_group = all(each.is_group_of(first.session, first.facility, kinds) for each in run)
    return one_group or not _are_several(attendee for each in run for attendee in each.attendees)


def _in_two_rooms(rooms: Sequence[Room], kinds: Mapping[str, SessionKind]) -> Iterator[tuple[str, str]]:
    """(encounter, patient) at whose time the clinician, whose rooms these are in order of start, was elsewhere too."""
    contested = _contested(rooms, kinds)
    for place, room in enumerate(contested):
        if not room.is_group_of(room.session, room.facility, kinds) and _are_several(room.attendees):
            yield from room.attendees
        for other in contested[place + 1 :]:
            if other.start_at >= room.end_at:
                break
            together = (*room.attendees, *other.attendees)
            if not other.is_group_of(room.session, room.facility, kinds) and _are_several(together):
                yield from together


def _are_several(attendees: Iterable[tuple[str, str]]) -> bool:
    return len({patient_id for _, patient_id in attendees}) > 1


def _crowded(rooms: Sequence[Room], kinds: Mapping[str, SessionKind], cap: int) -> Iterator[tuple[str, str]]:
    """(encounter, patient) of groups that are larger than the cap."""
    for run in _at_one_time(rooms):
        for room in run if _headcount(run) > cap else ():
            same = (each for each in run if each.is_group_of(room.session, room.facility, kinds))
            if _headcount(each for each in same if _overlap(room, each)) > cap:
                yield from room.attendees


def _headcount(rooms: Iterable[Room]) -> int:
    return len({patient_id for each in rooms for _, patient_id in each.attendees})


def _overlap(one: SessionRow | Room, other: Room) -> bool:
    return one.start_at < other.end_at and other.start_at < one.end_at
