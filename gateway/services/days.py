"""Attendance to service days: local dates, union of minutes, services, signed notes; what finds no day says why.

Knows sessions and facilities, no payer: what a day is worth is the service definition's word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from msgspec import structs

from gateway.claim.attendance import ServiceDay, Session
from gateway.claim.contract import Catalogue, Facility
from gateway.claim.finding import Finding, Owner, Severity, blocks
from gateway.claim.origins import Origins
from gateway.claim.record import AttendanceStatus, EncounterRecord, LevelOfCare
from gateway.services.case import DayBook, KnownEpisode, PlacedEncounter, UnplacedEncounter
from gateway.services.origins import origin_of
from gateway.services.presence import counted, day_minutes, presence_notes, span_of
from gateway.services.told_twice import NOTHING_DECIDED, Pair, settle_visits_told_twice

_LONGEST_SESSION = timedelta(hours=16)
_NEVER_BILLABLE = {
    AttendanceStatus.NO_SHOW: "no-show",
    AttendanceStatus.CANCELLED: "cancelled",
    AttendanceStatus.ERROR: "entered-in-error",
}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
DayKey = tuple[str, str, date, str, str, LevelOfCare]
PlaceKey = tuple[str, str, date, str]
"""Patient, organization, date and facility of a day."""


def service_days(
    encounters: Iterable[PlacedEncounter],
    catalogue: Catalogue,
    *,
    episodes: Sequence[KnownEpisode] = (),
    decided_same: frozenset[Pair] = NOTHING_DECIDED,
    decided_different: frozenset[Pair] = NOTHING_DECIDED,
) -> DayBook:
    """Group encounters into service days by the facility's local date.

    What an encounter leaves out of facility, program and level of care is taken from its episode. ``decided_same`` and
    ``decided_different`` are a person's word on pairs of encounters that two sources may have told of one visit.
    The order of the input does not matter.
    """
    episodes = sorted(episodes, key=lambda each: each.id)
    ordered = sorted(
        (_completed_by_episode(each, episodes, catalogue) for each in encounters), key=lambda each: each.encounter_id
    )
    kept, withdrawn, told_twice = settle_visits_told_twice(ordered, decided_same, decided_different)
    unplaced = [_unplaced(each, _day_of(each, catalogue), "told-twice", ()) for each in withdrawn]
    findings: dict[str, list[Finding]] = defaultdict(list)
    sessions: dict[DayKey, list[Session]] = defaultdict(list)
    for each in _with_presence_placed(kept, catalogue):
        facility = find_facility(catalogue, each.organization, each.record.facility)
        problems = _placing_problems(each, facility, catalogue)
        reason = _never_billable(each)
        if reason == "entered-in-error" or problems:
            word = reason or problems[0].rule
            found = (*each.findings, *told_twice.get(each.encounter_id, ()), *(() if reason else problems))
            unplaced.append(_unplaced(each, _day_of(each, catalogue), word, found))
            continue
        assert facility is not None
        key, session = _placed(each, facility)
        sessions[key].append(session)
        findings[each.encounter_id] += [*each.findings, *told_twice.get(each.encounter_id, ())]
    around: dict[PlaceKey, list[Session]] = defaultdict(list)
    for key, placed in sessions.items():
        around[key[:4]] += placed
    days = tuple(
        _service_day(key, counted(sessions[key], around[key[:4]], catalogue.sessions), catalogue)
        for key in sorted(sessions)
    )
    for day in days:
        for encounter_id, finding in presence_notes(day, catalogue.sessions):
            findings[encounter_id].append(finding)
    return DayBook(
        days=days,
        unplaced=tuple(sorted(unplaced, key=lambda each: each.encounter_id)),
        findings={encounter_id: tuple(found) for encounter_id, found in findings.items() if found},
    )


def _with_presence_placed(kept: Sequence[PlacedEncounter], catalogue: Catalogue) -> Iterator[PlacedEncounter]:
    """Signing in belongs to no program: what it does not say is taken from the first session of the patient's day."""
    kinds = catalogue.sessions
    lacking = [each for each in kept if each.record.session in kinds and kinds[each.record.session].presence]
    first: dict[tuple[str, str, date | None], EncounterRecord] = {}
    if lacking:
        told = [each for each in kept if each not in lacking and each.record.start_at is not None]
        for each in sorted(told, key=lambda one: (one.record.start_at or _LONG_AGO, one.encounter_id)):
            first.setdefault((each.patient_id, each.organization, _day_of(each, catalogue)), each.record)
    for each in kept:
        session = first.get((each.patient_id, each.organization, _day_of(each, catalogue))) if each in lacking else None
        if session is None:
            yield each
            continue
        record = each.record
        level_of_care = record.level_of_care or session.level_of_care
        yield structs.replace(
            each,
            record=replace(
                record,
                facility=record.facility or session.facility,
                program=record.program or session.program,
                level_of_care=level_of_care,
            ),
        )


def local_date(at: datetime, time_zone: str) -> date:
    """The date on the facility's wall at that moment."""
    return at.astimezone(_zone(time_zone)).date()


def find_facility(catalogue: Catalogue, organization: str, name: str) -> Facility | None:
    """The organization's facility of that id, or the only one that feeds call by that name."""
    found = catalogue.facilities.get(name)
    if found is not None:
        return found if found.organization == organization else None
    called = [
        each
        for each in catalogue.facilities.values()
        if name and each.organization == organization and any(name == known.value for known in each.names)
    ]
    return called[0] if len(called) == 1 else None


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _never_billable(each: PlacedEncounter) -> str:
    """Why the encounter is never billed; empty when it may be, or when its sources disagree."""
    if blocks(each.findings) or each.record.status is None:
        return ""
    return _NEVER_BILLABLE.get(each.record.status, "")


def _completed_by_episode(
    each: PlacedEncounter, episodes: Sequence[KnownEpisode], catalogue: Catalogue
) -> PlacedEncounter:
    record = each.record
    if not episodes or (record.facility and record.program and record.level_of_care):
        return each
    episode = _episode_of(each, episodes, catalogue)
    if episode is None:
        return each
    taken: dict[str, str | LevelOfCare] = {}
    if not record.facility and episode.record.facility:
        taken["facility"] = episode.record.facility
    if not record.program and episode.record.program:
        taken["program"] = episode.record.program
    if record.level_of_care is None and episode.record.level_of_care is not None:
        taken["level_of_care"] = episode.record.level_of_care
    origins = Origins.first_of((episode.origins.only(tuple(taken)), each.origins))
    filled: EncounterRecord = replace(record, **taken)  # type: ignore[arg-type]
    return structs.replace(each, record=filled, origins=origins)


def _episode_of(each: PlacedEncounter, episodes: Sequence[KnownEpisode], catalogue: Catalogue) -> KnownEpisode | None:
    """The episode the encounter names; where it names none, the only one its day lies in and nothing contradicts."""
    record = each.record
    if record.episode is not None:
        return next((one for one in episodes if record.episode in one.record.identifiers), None)
    if record.start_at is None:
        return None
    candidates = [
        one
        for one in episodes
        if not one.record.cancelled
        and _agree(record.program, one.record.program)
        and _agree(record.level_of_care or "", one.record.level_of_care or "")
        and one.record.admitted_on is not None
        and _within(one, record.start_at, record.facility, each.organization, catalogue)
    ]
    return candidates[0] if len(candidates) == 1 else None


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


def _within(episode: KnownEpisode, at: datetime, facility: str, organization: str, catalogue: Catalogue) -> bool:
    place = find_facility(catalogue, organization, facility or episode.record.facility)
    if place is None or episode.record.admitted_on is None:
        return False
    on = local_date(at, place.time_zone)
    return episode.record.admitted_on <= on and (
        episode.record.discharged_on is None or on <= episode.record.discharged_on
    )


def _day_of(each: PlacedEncounter, catalogue: Catalogue) -> date | None:
    start_at = each.record.start_at
    if start_at is None:
        return None
    facility = find_facility(catalogue, each.organization, each.record.facility)
    return local_date(start_at, facility.time_zone) if facility else start_at.date()


def _unplaced(each: PlacedEncounter, on: date | None, reason: str, findings: tuple[Finding, ...]) -> UnplacedEncounter:
    return UnplacedEncounter(
        encounter_id=each.encounter_id,
        patient_id=each.patient_id,
        organization=each.organization,
        status=each.record.status,
        reason=reason,
        on=on,
        facility=each.record.facility,
        program=each.record.program,
        findings=findings,
    )


def _placing_problems(each: PlacedEncounter, facility: Facility | None, catalogue: Catalogue) -> list[Finding]:
    """Everything that keeps the encounter from having a place in a service day."""
    record = each.record
    found: list[Finding] = []
    if facility is None:
        found.append(_unknown(each, "facility", record.facility, "a facility of the organization"))
    if not record.program or catalogue.program(each.organization, record.program) is None:
        found.append(_unknown(each, "program", record.program, "a program of the organization"))
    if record.level_of_care is None:
        found.append(_unknown(each, "level_of_care", "", "PHP, IOP or OP"))
    if record.session not in catalogue.sessions:
        found.append(_unknown(each, "session", record.session, "a kind of session of codes/sessions"))
    if record.status is None:
        found.append(_unknown(each, "status", "", "whether the patient attended"))
    if record.start_at is None:
        found.append(_unknown(each, "start_at", "", "when the session began"))
    elif record.status is AttendanceStatus.ATTENDED:
        found += _time_problems(each, record.start_at, record.end_at)
    return found


def _time_problems(each: PlacedEncounter, start_at: datetime, end_at: datetime | None) -> list[Finding]:
    if end_at is None:
        return [_unknown(each, "end_at", "", "when the session ended")]
    if end_at <= start_at:
        said = "The session ends before it begins."
    elif end_at - start_at > _LONGEST_SESSION:
        hours = int(_LONGEST_SESSION.total_seconds()) // 3600
        said = f"The session is longer than {hours} hours, so it is not one session."
    else:
        return []
    return [
        Finding(
            rule="session-times-impossible",
            code="",
            severity=Severity.BLOCK,
            path="encounter.end_at",
            message=said,
            fix="Correct the sign-in and sign-out times in the EHR and send the visit again.",
            owner=Owner.FRONT_DESK,
            values={"start_at": start_at.isoformat(), "end_at": end_at.isoformat()},
            origin=each.origins.get("end_at"),
        )
    ]


def _unknown(each: PlacedEncounter, name: str, value: str, expected: str) -> Finding:
    """A missing fact is the front desk's; a word no file of ours knows is the integration engineer's."""
    word = name.removesuffix("_at").replace("_", " ")
    if value:
        message, owner = f"The visit's {word} '{value}' is not {expected}.", Owner.INTEGRATION
        fix = f"Add '{value}' to the source's value map, or to the organization's files if it is new."
    else:
        message, owner = f"The visit does not say {word}: {expected} is expected.", Owner.FRONT_DESK
        fix = f"Record the {word} in the EHR and send the visit again."
    return Finding(
        rule=f"{name.removesuffix('_at').replace('_', '-')}-unknown",
        code="",
        severity=Severity.BLOCK,
        path=f"encounter.{name}",
        message=message,
        fix=fix,
        owner=owner,
        values={"found": value, "expected": expected},
        origin=origin_of(each.origins, name),
    )


def _placed(each: PlacedEncounter, facility: Facility) -> tuple[DayKey, Session]:
    """The day and session of an encounter that has no placing problem."""
    record = each.record
    assert record.start_at is not None
    assert record.status is not None
    assert record.level_of_care is not None
    session = Session(
        encounter_id=each.encounter_id,
        session=record.session,
        status=record.status,
        start_at=record.start_at,
        end_at=record.end_at or record.start_at,
        modality=record.modality,
        note_signed=record.note_signed,
        attending=record.attending,
        rendering=record.rendering,
        diagnoses=record.diagnoses,
        authorization_number=record.authorization_number,
        place_of_service=record.place_of_service,
        charge_code=record.charge_code,
        scheduled=span_of(record.scheduled_start_at, record.scheduled_end_at),
        origins=each.origins,
    )
    on = local_date(record.start_at, facility.time_zone)
    return (each.patient_id, each.organization, on, facility.id, record.program, record.level_of_care), session


def _service_day(key: DayKey, sessions: list[Session], catalogue: Catalogue) -> ServiceDay:
    patient_id, organization, on, facility, program, level_of_care = key
    ordered = tuple(sorted(sessions, key=lambda each: (each.start_at, each.end_at, each.encounter_id)))
    clinical = [each for each in ordered if each.status is AttendanceStatus.ATTENDED and _is_clinical(each, catalogue)]
    counted = [each for each in clinical if reaches_minimum(each, catalogue)]
    return ServiceDay(
        patient_id=patient_id,
        organization=organization,
        facility=facility,
        program=program,
        level_of_care=level_of_care,
        on=on,
        sessions=ordered,
        minutes=day_minutes(clinical),
        services=len(counted),
        has_primary=any(catalogue.sessions[each.session].primary for each in counted),
        unsigned=tuple(each.encounter_id for each in clinical if each.note_signed is not True),
    )


def scheduled_minutes(day: ServiceDay, catalogue: Catalogue) -> int:
    """Minutes of the clinical sessions of a day that are still planned, or were attended; the union of them."""
    wanted = (AttendanceStatus.PLANNED, AttendanceStatus.ATTENDED)
    return day_minutes(each for each in day.sessions if each.status in wanted and _is_clinical(each, catalogue))


def _is_clinical(session: Session, catalogue: Catalogue) -> bool:
    return catalogue.sessions[session.session].clinical


def reaches_minimum(session: Session, catalogue: Catalogue) -> bool:
    """True when the session lasted as long as its kind asks for it to count as a service."""
    minutes = session.minutes
    return minutes > 0 and minutes >= catalogue.sessions[session.session].minimum_minutes


def findings_of_day(day: ServiceDay, findings: Mapping[str, tuple[Finding, ...]]) -> list[Finding]:
    """The findings of every session of the day, in the day's order."""
    return [finding for each in day.sessions for finding in findings.get(each.encounter_id, ())]
