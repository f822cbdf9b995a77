"""Judge one service day of one patient: who pays, under which definition, in which period; or why it is not billed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from msgspec import Struct, field
from msgspec.structs import replace

from gateway.authorization.ledger import find_covering
from gateway.claim.attendance import ServiceDay, Session
from gateway.claim.calendar import Span
from gateway.claim.contract import (
    AuthorizationNeed,
    Catalogue,
    Facility,
    PartialDay,
    Payer,
    Program,
    ServiceDefinition,
)
from gateway.claim.finding import Finding, Owner, Severity, blocks
from gateway.claim.record import AttendanceStatus
from gateway.services.bill_day import DayBill, bill_day
from gateway.services.case import ExpectedDay, KnownCoverage, KnownEpisode, PatientCase
from gateway.services.coverage_choice import choose_coverage
from gateway.services.days import findings_of_day
from gateway.services.origins import origin_of
from gateway.services.periods import billing_period
from gateway.services.presence import counted_for
from gateway.services.resolve import resolve_charge, resolve_definition


class BillableDay(Struct, frozen=True, kw_only=True):
    """A day with lines, and all that decides on which claim they go."""

    day: ServiceDay
    attended: tuple[Session, ...]
    bill: DayBill
    definition: ServiceDefinition
    payer: Payer
    coverage: KnownCoverage
    facility: Facility
    program: Program
    episode: KnownEpisode | None
    period: Span
    authorization_number: str
    findings: tuple[Finding, ...] = ()
    """Of its sessions and its bill; a block holds the claim."""

    @property
    def cents(self) -> int:
        """The charges of its lines."""
        return sum(line.charge_cents for line in self.bill.lines)


class UnbilledDay(Struct, frozen=True, kw_only=True):
    """A day without lines: held when it has blocking findings, else not billable or still to come."""

    day: ServiceDay
    reason: str
    payer: str = ""
    findings: tuple[Finding, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    """The reason by encounter id, where it is not the day's."""
    cents: int = 0
    """The charge of a whole day, where its definition and price are known."""


def judge_day(
    case: PatientCase, day: ServiceDay, catalogue: Catalogue, today: date, used: Mapping[str, int]
) -> BillableDay | UnbilledDay:
    """Who pays for one day and how. ``used`` are authorization units of the patient's earlier days, by number."""
    own = tuple(findings_of_day(day, case.book.findings))
    number = ""
    attended = day.attended
    if not attended:
        return _missed(day, own, today)
    facility, program = catalogue.facilities[day.facility], catalogue.program(day.organization, day.program)
    assert program is not None, "service days are made of known programs only"
    coverage = choose_coverage(case.coverages, day.on)
    if isinstance(coverage, Finding):
        return UnbilledDay(day=day, reason=coverage.rule, findings=(*own, coverage))
    payer = catalogue.payers.get(coverage.payer or "")
    if payer is None:
        unknown = _payer_unknown(coverage, day.on)
        return UnbilledDay(day=day, reason=unknown.rule, findings=(*own, unknown))
    if payer.id in case.never_bill_payers:
        return UnbilledDay(day=day, reason="never-bill-payer", payer=payer.id, findings=own)
    definition = resolve_definition(
        catalogue, payer, coverage.record.plan, program.kind, day.level_of_care, facility, day.on
    )
    if isinstance(definition, Finding):
        return UnbilledDay(day=day, reason=definition.rule, payer=payer.id, findings=(*own, definition))
    told = day
    day = counted_for(day, definition.uncounted_sessions, catalogue.sessions)
    bill = bill_day(day, definition, facility, payer, catalogue)
    lowered = _lowered(case, day, definition, payer, coverage, facility, catalogue, used) if not bill.lines else None
    if lowered is not None:
        day, definition, bill, number = lowered
        own = (*own, _billed_lower(told, definition))
    elif not bill.lines:
        unbilled = _without_lines(case, day, bill, payer, own, today)
        return replace(unbilled, cents=_whole_day_cents(definition, facility, catalogue, day.on))
    own = (*own, *_outside_life(case, day))
    episode = find_episode(case.episodes, told)
    if episode is None:
        own = (*own, *_outside_stay(case, told))
    period = billing_period(day.on, definition.cadence, payer, episode.record if episode else None)
    if period is None:
        return UnbilledDay(
            day=day, reason="episode-missing", payer=payer.id, findings=(*own, _episode_missing(day, definition))
        )
    return BillableDay(
        day=day,
        attended=attended,
        bill=bill,
        definition=definition,
        payer=payer,
        coverage=coverage,
        facility=facility,
        program=program,
        episode=episode,
        period=period,
        authorization_number=number
        if lowered is not None
        else _authorization_number(case, day, definition, payer, episode, used),
        findings=(*own, *bill.findings),
    )


_Lowered = tuple[ServiceDay, ServiceDefinition, DayBill, str]


def _lowered(
    case: PatientCase,
    day: ServiceDay,
    definition: ServiceDefinition,
    payer: Payer,
    coverage: KnownCoverage,
    facility: Facility,
    catalogue: Catalogue,
    used: Mapping[str, int],
) -> _Lowered | None:
    """The day at the lower level its definition names for short ones: only where that level's minimum is reached, the
    payer buys it, and an authorization for it covers the day or none is asked for."""
    level, program = definition.lower_level, catalogue.program(day.organization, day.program)
    if definition.partial_day is not PartialDay.LOWER_LEVEL or level is None or program is None:
        return None
    lower = resolve_definition(catalogue, payer, coverage.record.plan, program.kind, level, facility, day.on)
    if isinstance(lower, Finding) or lower.level_of_care is day.level_of_care:
        return None
    number = ""
    if lower.authorization is AuthorizationNeed.REQUIRED:
        covering = find_covering(case.authorizations, payer, level, day.on, used)
        if covering is None or covering.level_of_care is not level:
            return None
        number = covering.number
    short = replace(counted_for(day, lower.uncounted_sessions, catalogue.sessions), level_of_care=level)
    bill = bill_day(short, lower, facility, payer, catalogue)
    return (short, lower, bill, number) if bill.lines else None


def _billed_lower(day: ServiceDay, lower: ServiceDefinition) -> Finding:
    return Finding(
        rule="billed-at-lower-level",
        code="",
        severity=Severity.NOTE,
        path="encounter.level_of_care",
        message=f"{day.on} is too short for a {day.level_of_care} day and is billed as {lower.level_of_care}, "
        "as the payer's terms say.",
        fix="Correct the sign-in and sign-out times if the day was longer.",
        owner=Owner.BILLING,
        values={"minutes": str(day.minutes), "services": str(day.services), "definition": lower.entry},
        origin=day.attended[-1].origin("level_of_care"),
    )


def expected_day(
    case: PatientCase, unbilled: UnbilledDay, catalogue: Catalogue, used: Mapping[str, int]
) -> ExpectedDay | None:
    """What a day without lines would ask of an authorization; None when nothing, or when nobody can say."""
    day = unbilled.day
    coverage = choose_coverage(case.coverages, day.on)
    payer = None if isinstance(coverage, Finding) else catalogue.payers.get(coverage.payer or "")
    if isinstance(coverage, Finding) or payer is None or payer.id in case.never_bill_payers:
        return None
    facility, program = catalogue.facilities[day.facility], catalogue.program(day.organization, day.program)
    assert program is not None, "service days are made of known programs only"
    definition = resolve_definition(
        catalogue, payer, coverage.record.plan, program.kind, day.level_of_care, facility, day.on
    )
    if isinstance(definition, Finding) or definition.authorization is not AuthorizationNeed.REQUIRED:
        return None
    episode = find_episode(case.episodes, day)
    return ExpectedDay(
        day=day,
        payer=payer.id,
        member=coverage.record.member_number,
        number=_authorization_number(case, day, definition, payer, episode, used),
        reason=unbilled.reason,
        held=unbilled.reason in ("planned", "attendance-not-recorded") or bool(blocks(unbilled.findings)),
        cents=_whole_day_cents(definition, facility, catalogue, day.on),
    )


def _whole_day_cents(definition: ServiceDefinition, facility: Facility, catalogue: Catalogue, on: date) -> int:
    """The charge of a whole day; 0 where the definition buys sessions or has no price."""
    if not definition.revenue_code and not definition.hcpcs:
        return 0
    charge = resolve_charge(catalogue, facility, definition.revenue_code, definition.hcpcs, definition.modifiers, on)
    return 0 if isinstance(charge, Finding) else charge.cents


def find_episode(episodes: Iterable[KnownEpisode], day: ServiceDay) -> KnownEpisode | None:
    """The patient's stay the day lies in: same program, level of care and facility where it states them; the latest."""
    found = [each for each in episodes if _is_stay_of(each, day) and _holds(each, day.on)]
    return max(found, key=lambda each: (each.record.admitted_on or date.min, each.id), default=None)


def _is_stay_of(episode: KnownEpisode, day: ServiceDay) -> bool:
    return not episode.record.cancelled and episode.record.admitted_on is not None and _is_like(episode, day)


def _is_like(episode: KnownEpisode, day: ServiceDay) -> bool:
    record = episode.record
    return (
        record.program in ("", day.program)
        and record.facility in ("", day.facility)
        and record.level_of_care in (None, day.level_of_care)
    )


def _holds(episode: KnownEpisode, on: date) -> bool:
    record = episode.record
    return (
        record.admitted_on is not None
        and record.admitted_on <= on
        and (record.discharged_on is None or on <= record.discharged_on)
    )


def attendance_not_recorded(encounter_id: str, case: PatientCase) -> Finding:
    """The finding of a planned session whose day has passed."""
    day, session = next(
        (day, each) for day in case.book.days for each in day.sessions if each.encounter_id == encounter_id
    )
    return Finding(
        rule="attendance-not-recorded",
        code="",
        severity=Severity.BLOCK,
        path="encounter.status",
        message=f"The {session.session} session of {day.on} is still only planned.",
        fix="Record in the EHR whether the patient attended, cancelled or did not come.",
        owner=Owner.FRONT_DESK,
        values={"service_on": day.on.isoformat()},
        origin=session.origin("status"),
    )


def _missed(day: ServiceDay, own: tuple[Finding, ...], today: date) -> UnbilledDay:
    words = {
        AttendanceStatus.PLANNED: "planned" if day.on >= today else "attendance-not-recorded",
        AttendanceStatus.NO_SHOW: "no-show",
        AttendanceStatus.CANCELLED: "cancelled",
    }
    reasons = {each.encounter_id: words.get(each.status, "entered-in-error") for each in day.sessions}
    return UnbilledDay(day=day, reason=next(iter(reasons.values())), findings=own, reasons=reasons)


def _without_lines(
    case: PatientCase, day: ServiceDay, bill: DayBill, payer: Payer, own: tuple[Finding, ...], today: date
) -> UnbilledDay:
    """A day too short to bill is held, not given up, while facts that could lengthen it are still missing."""
    pending = [finding for finding in _missing_attendance(case, day, today) if finding not in own]
    return UnbilledDay(
        day=day,
        reason=bill.reason,
        payer=payer.id,
        findings=(*own, *bill.findings, *pending),
        reasons=bill.unbilled,
    )


def _missing_attendance(case: PatientCase, day: ServiceDay, today: date) -> list[Finding]:
    """Blocking findings of the patient's visits of that date that found no place in any day, or have no outcome yet."""
    unplaced = [
        finding
        for each in case.book.unplaced
        if each.on == day.on and each.status not in (AttendanceStatus.NO_SHOW, AttendanceStatus.CANCELLED)
        for finding in blocks(each.findings)
    ]
    if day.on >= today:
        return unplaced
    planned = [each.encounter_id for each in day.sessions if each.status is AttendanceStatus.PLANNED]
    return unplaced + [attendance_not_recorded(encounter_id, case) for encounter_id in planned]


def _authorization_number(
    case: PatientCase,
    day: ServiceDay,
    definition: ServiceDefinition,
    payer: Payer,
    episode: KnownEpisode | None,
    used: Mapping[str, int],
) -> str:
    """The number the visits carry, else the episode's, else the granted authorization that covers the day."""
    stated = [each.authorization_number for each in day.attended or day.sessions if each.authorization_number]
    if stated:
        return max(stated, key=lambda number: (stated.count(number), -stated.index(number)))
    if definition.authorization is AuthorizationNeed.REQUIRED:
        covering = find_covering(case.authorizations, payer, day.level_of_care, day.on, used)
        if covering is not None:
            return covering.number
    return episode.record.authorization_number if episode else ""


def _payer_unknown(coverage: KnownCoverage, on: date) -> Finding:
    name = coverage.record.payer
    return Finding(
        rule="payer-unknown",
        code="",
        severity=Severity.BLOCK,
        path="insured.payer",
        message=f"No payer file knows the payer '{name}'." if name else "The coverage does not name its payer.",
        fix=f"Add '{name}' to the names of the right payer's file." if name else "Send the coverage with its payer.",
        owner=Owner.BILLING if name else Owner.FRONT_DESK,
        values={"payer": str(name or ""), "service_on": on.isoformat()},
        origin=origin_of(coverage.origins, "payer"),
    )


def _outside_stay(case: PatientCase, day: ServiceDay) -> list[Finding]:
    """A day before admission or after discharge: one of the dates is wrong, and only the front desk knows which."""
    stays = sorted((each for each in case.episodes if _is_stay_of(each, day)), key=lambda each: each.id)
    if not stays:
        return _in_cancelled_stay(case, day)
    spans = ", ".join(f"{each.record.admitted_on} to {each.record.discharged_on or '...'}" for each in stays)
    return [
        Finding(
            rule="attendance-outside-stay",
            code="",
            severity=Severity.BLOCK,
            path="encounter.start_at",
            message=f"{day.on} was attended, but the patient's stay at this level of care runs {spans}.",
            fix="Correct the admission or discharge date, the visit's date, or its level of care in the EHR.",
            owner=Owner.FRONT_DESK,
            values={"service_on": day.on.isoformat(), "stays": spans},
            origin=origin_of(stays[-1].origins, "discharged_on") or origin_of(stays[-1].origins, "admitted_on"),
        )
    ]


def _in_cancelled_stay(case: PatientCase, day: ServiceDay) -> list[Finding]:
    """A day of a stay that was taken back: either the day or the cancellation is a mistake."""
    taken_back = [
        each for each in case.episodes if each.record.cancelled and _is_like(each, day) and _holds(each, day.on)
    ]
    return [
        Finding(
            rule="attendance-outside-stay",
            code="",
            severity=Severity.BLOCK,
            path="encounter.start_at",
            message=f"{day.on} was attended, but the admission it belongs to was cancelled.",
            fix="Admit the patient again in the EHR, or take the visit back.",
            owner=Owner.FRONT_DESK,
            values={"service_on": day.on.isoformat()},
            origin=origin_of(each.origins, "cancelled"),
        )
        for each in taken_back[:1]
    ]


def _outside_life(case: PatientCase, day: ServiceDay) -> list[Finding]:
    """A day after the patient's death, which no payer covers."""
    deceased_on = case.patient.deceased_on
    if deceased_on is None or day.on <= deceased_on:
        return []
    return [
        Finding(
            rule="attendance-after-death",
            code="",
            severity=Severity.BLOCK,
            path="encounter.start_at",
            message=f"{day.on} was attended, and the EHR says the patient had died by then.",
            fix="Correct the date of death, or the visit, in the EHR.",
            owner=Owner.FRONT_DESK,
            values={"service_on": day.on.isoformat()},
            origin=origin_of(case.origins, "deceased_on"),
        )
    ]


def _episode_missing(day: ServiceDay, definition: ServiceDefinition) -> Finding:
    return Finding(
        rule="episode-missing",
        code="",
        severity=Severity.BLOCK,
        path="admitted_on",
        message=f"The payer is billed from admission to discharge, and no stay of this patient holds {day.on}.",
        fix="Send the EpisodeOfCare (FHIR) or the admission as ADT (HL7), with its dates.",
        owner=Owner.FRONT_DESK,
        values={"service_on": day.on.isoformat(), "definition": definition.entry},
    )
