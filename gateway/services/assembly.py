"""From one patient's case to draft claims, and one place for every encounter. Same facts, same claims, in any order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby

from msgspec import Struct, structs

from gateway.authorization.ledger import units_of_day
from gateway.claim.attendance import ServiceDay
from gateway.claim.calendar import Span
from gateway.claim.claim import ClaimKey
from gateway.claim.contract import Catalogue, ClaimForm, FrequencyScheme, SplitOn
from gateway.claim.finding import Finding, Severity, blocks
from gateway.claim.record import LevelOfCare
from gateway.services.billable_day import (
    BillableDay,
    UnbilledDay,
    attendance_not_recorded,
    expected_day,
    judge_day,
)
from gateway.services.case import (
    Assembly,
    DraftClaim,
    ExpectedDay,
    PatientCase,
    Place,
    Placement,
    UnplacedEncounter,
)
from gateway.services.claim_content import build_claim
from gateway.services.coverage_choice import choose_coverage
from gateway.services.days import scheduled_minutes
from gateway.services.periods import closes_stay, ready_on

LINES_MAX = {ClaimForm.INSTITUTIONAL: 449, ClaimForm.PROFESSIONAL: 50}
"""Lines of one claim: what FISS takes of an 837I, what the guide takes of an 837P."""
_NEVER_BILLABLE = frozenset({"no-show", "cancelled", "entered-in-error", "told-twice"})
SeriesKey = tuple[str, str, str, LevelOfCare, str]


class _Group(Struct, frozen=True):
    """The days of one claim."""

    key: ClaimKey
    days: tuple[BillableDay, ...]

    @property
    def period(self) -> Span:
        return self.days[0].period

    @property
    def series(self) -> SeriesKey:
        first, key = self.days[0], self.key
        return (key.payer, key.facility, key.program, key.level_of_care, first.episode.id if first.episode else "")


def assemble(case: PatientCase, catalogue: Catalogue, today: date) -> Assembly:
    """Draft claims by each payer's cadence and split rules, and where every encounter of the case is.

    Pure: the same case, catalogue and day give the same assembly, whatever order the case is in.
    """
    case = _in_order(case)
    judged, expected = _judge(case, catalogue, today)
    billable = [each for each in judged if isinstance(each, BillableDay)]
    unbilled = [each for each in judged if isinstance(each, UnbilledDay)]
    groups = _groups(case, billable)
    drafts = []
    for series in _by_series(groups):
        for place, group in enumerate(series):
            pending = tuple(_pending(case, group, unbilled))
            drafts.append(_draft(case, group, _Place(place, len(series)), pending, catalogue, today))
    drafts.sort(key=lambda draft: str(draft.claim.key))
    placements = [
        *_placements_on_claims(drafts),
        *(each for day in billable for each in _placements_beside_lines(case, day, today)),
        *(each for day in unbilled for each in _placements_of_day(case, day)),
        *map(_placement_of_unplaced, case.book.unplaced),
    ]
    return Assembly(
        drafts=tuple(drafts),
        placements=tuple(sorted(placements, key=lambda each: each.encounter_id)),
        expected=tuple(expected),
        cents={each.day.sessions[0].encounter_id: each.cents for each in judged},
    )


def _in_order(case: PatientCase) -> PatientCase:
    """The case with what order could leak from put in order."""
    if len(case.book.unplaced) < 2:
        return case
    unplaced = tuple(sorted(case.book.unplaced, key=lambda each: each.encounter_id))
    return structs.replace(case, book=structs.replace(case.book, unplaced=unplaced))


def _judge(
    case: PatientCase, catalogue: Catalogue, today: date
) -> tuple[list[BillableDay | UnbilledDay], list[ExpectedDay]]:
    """Every day in order of date, because an earlier day uses up the authorization a later one would get."""
    units = {each.number: each.unit for each in case.authorizations}
    used: Counter[str] = Counter()
    judged: list[BillableDay | UnbilledDay] = []
    expected: list[ExpectedDay] = []
    for day in sorted(case.book.days, key=_day_order):
        found = judge_day(case, day, catalogue, today, used)
        judged.append(found)
        number, minutes = "", day.minutes
        if isinstance(found, BillableDay):
            number = found.authorization_number
        elif (asked := expected_day(case, found, catalogue, used)) is not None:
            expected.append(asked)
            number, minutes = (asked.number, scheduled_minutes(day, catalogue)) if asked.held else ("", 0)
        if number in units:
            used[number] += units_of_day(units[number], minutes)
    return judged, expected


def _day_order(day: ServiceDay) -> tuple[date, str, str, LevelOfCare]:
    return day.on, day.facility, day.program, day.level_of_care


# --- which days go on one claim --------------------------------------------------------------------------------------


def _groups(case: PatientCase, days: Sequence[BillableDay]) -> list[_Group]:
    """Days by period; within one, apart where policy, stay, form or authorization ask for it, or lines run over."""
    periods: dict[tuple[str, str, str, LevelOfCare, date], list[BillableDay]] = defaultdict(list)
    for each in days:
        day = each.day
        periods[each.payer.id, day.facility, day.program, day.level_of_care, each.period.start_on].append(each)
    groups = []
    for (payer, facility, program, level_of_care, start_on), members in periods.items():
        key = ClaimKey(
            organization=case.organization,
            patient_id=case.patient_id,
            payer=payer,
            facility=facility,
            program=program,
            level_of_care=level_of_care,
            period_start_on=start_on,
        )
        for number, chunk in enumerate(_parts(members), start=1):
            groups.append(_Group(structs.replace(key, part="" if number == 1 else str(number)), chunk))
    return groups


def _parts(members: Sequence[BillableDay]) -> Iterator[tuple[BillableDay, ...]]:
    """The claims of one period in order of their first day."""
    apart: dict[tuple[object, ...], list[BillableDay]] = defaultdict(list)
    for each in members:
        apart[_claim_level_values(each)].append(each)
    for days in apart.values():
        yield from _within_line_limit(days)


def _claim_level_values(each: BillableDay) -> tuple[object, ...]:
    """What a claim can hold only once. The authorization is such a value where the payer splits on it."""
    definition, facility = each.definition, each.facility
    return (
        each.coverage.id,
        each.episode.id if each.episode else "",
        each.period.end_on,
        definition.form,
        definition.bill_class or facility.bill_class,
        definition.place_of_service or facility.place_of_service,
        definition.condition_codes,
        each.authorization_number if SplitOn.AUTHORIZATION in each.payer.split_on else "",
    )


def _within_line_limit(days: Sequence[BillableDay]) -> Iterator[tuple[BillableDay, ...]]:
    limit = LINES_MAX[days[0].definition.form]
    chunk: list[BillableDay] = []
    lines = 0
    for each in days:
        if chunk and lines + len(each.bill.lines) > limit:
            yield tuple(chunk)
            chunk, lines = [], 0
        chunk.append(each)
        lines += len(each.bill.lines)
    yield tuple(chunk)


def _by_series(groups: Iterable[_Group]) -> Iterator[list[_Group]]:
    """The claims of one stay with one payer, in order of period."""
    ordered = sorted(groups, key=lambda each: (each.series, each.days[0].day.on, str(each.key)))
    for _, series in groupby(ordered, key=lambda each: each.series):
        yield list(series)


# --- one draft -------------------------------------------------------------------------------------------------------


class _Place(Struct, frozen=True):
    """A claim's place in its series."""

    index: int
    length: int

    @property
    def is_last(self) -> bool:
        return self.index == self.length - 1


def _draft(
    case: PatientCase,
    group: _Group,
    place: _Place,
    pending: tuple[Finding, ...],
    catalogue: Catalogue,
    today: date,
) -> DraftClaim:
    first = group.days[0]
    episode = first.episode.record if first.episode else None
    closing = place.is_last and closes_stay(group.period, episode)
    claim, found = build_claim(
        case, group.key, group.days, _frequency(first, place, closing), closing, catalogue, today
    )
    opens_on = ready_on(group.period, episode)
    findings = (
        *case.findings,
        *first.coverage.findings,
        *(first.episode.findings if first.episode else ()),
        *found,
        *_on_lines(group.days),
        *pending,
    )
    return DraftClaim(
        claim=claim,
        findings=tuple(_distinct(findings)),
        encounter_ids=tuple(dict.fromkeys(each for line in claim.lines for each in line.encounter_ids)),
        days=tuple(each.day for each in group.days),
        complete=opens_on is not None and opens_on <= today,
        ready_on=opens_on,
    )


def _frequency(first: BillableDay, place: _Place, closing: bool) -> str:
    """CLM05-3: 1, or by place in the series where the payer wants interim bills (institutional claims alone)."""
    interim = first.payer.frequency_scheme is FrequencyScheme.INTERIM
    if not interim or first.definition.form is ClaimForm.PROFESSIONAL or (closing and place.length == 1):
        return "1"
    if closing:
        return "4"
    return "2" if place.index == 0 else "3"


def _on_lines(days: Sequence[BillableDay]) -> Iterator[Finding]:
    """The days' own findings, each pointing at the first line of its day, with the day's dollars."""
    index = 0
    for each in days:
        cents = sum(line.charge_cents for line in each.bill.lines)
        for finding in each.findings:
            stake = cents if finding.severity is Severity.BLOCK else 0
            path = finding.path.replace("encounter.", f"lines[{index}].")
            yield replace(finding, path=path, cents=finding.cents or stake)
        index += len(each.bill.lines)


def _pending(case: PatientCase, group: _Group, unbilled: Sequence[UnbilledDay]) -> Iterator[Finding]:
    """Blocking findings of visits that would go on this claim once they are put right.

    Without them the claim would leave short, and a replacement would have to follow.
    """
    key = group.key
    for each in unbilled:
        day = each.day
        same = (day.facility, day.program, day.level_of_care) == (key.facility, key.program, key.level_of_care)
        if same and each.payer == key.payer and group.period.covers(day.on):
            yield from blocks(each.findings)
    for visit in case.book.unplaced:
        if visit.on is None or visit.reason in _NEVER_BILLABLE or not group.period.covers(visit.on):
            continue
        if visit.facility in ("", key.facility) and visit.program in ("", key.program):
            coverage = choose_coverage(case.coverages, visit.on)
            if not isinstance(coverage, Finding) and coverage.payer == key.payer:
                yield from blocks(visit.findings)


def _distinct(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Each finding once; mappings inside a finding keep it from being hashed."""
    seen: list[Finding] = []
    for each in findings:
        if each not in seen:
            seen.append(each)
            yield each


# --- where each encounter is -----------------------------------------------------------------------------------------


def _placements_on_claims(drafts: Iterable[DraftClaim]) -> Iterator[Placement]:
    """Encounters on lines, each with its share of the line; the shares add up to the claim's charge."""
    for draft in drafts:
        held = tuple(blocks(draft.findings))
        if held:
            place, reason = Place.HELD, held[0].rule
        else:
            place, reason = (Place.BILLED, "on-claim") if draft.complete else (Place.WAITING, "period-open")
        cents: Counter[str] = Counter()
        days: dict[str, date] = {}
        for line in draft.claim.lines:
            share, rest = divmod(line.charge_cents, len(line.encounter_ids))
            for number, encounter_id in enumerate(line.encounter_ids):
                cents[encounter_id] += share + (number < rest)
                days[encounter_id] = line.service_on
        for encounter_id, on in days.items():
            yield Placement(
                encounter_id=encounter_id,
                place=place,
                reason=reason,
                payer=draft.claim.key.payer,
                claim_key=draft.claim.key,
                on=on,
                cents=cents[encounter_id],
                findings=held,
            )


def _placements_beside_lines(case: PatientCase, each: BillableDay, today: date) -> Iterator[Placement]:
    """Encounters of a billed day that are on none of its lines."""
    for encounter_id, word in each.bill.unbilled.items():
        reason = "attendance-not-recorded" if word == "planned" and each.day.on < today else word
        findings = tuple(case.book.findings.get(encounter_id, ()))
        yield _placement(case, encounter_id, reason, each.day.on, each.payer.id, findings)


def _placements_of_day(case: PatientCase, unbilled: UnbilledDay) -> Iterator[Placement]:
    day = unbilled.day
    for session in day.sessions:
        reason = unbilled.reasons.get(session.encounter_id, unbilled.reason)
        findings = unbilled.findings
        if reason in _NEVER_BILLABLE or reason in ("planned", "attendance-not-recorded"):
            findings = tuple(case.book.findings.get(session.encounter_id, ()))
        yield _placement(case, session.encounter_id, reason, day.on, unbilled.payer, findings)


def _placement(
    case: PatientCase, encounter_id: str, reason: str, on: date, payer: str, findings: tuple[Finding, ...]
) -> Placement:
    if reason == "attendance-not-recorded":
        findings = (*findings, attendance_not_recorded(encounter_id, case))
    held = blocks(findings)
    place = Place.HELD if held else Place.WAITING if reason == "planned" else Place.NOT_BILLABLE
    return Placement(
        encounter_id=encounter_id,
        place=place,
        reason=held[0].rule if held else reason,
        payer=payer,
        on=on,
        findings=findings,
    )


def _placement_of_unplaced(each: UnplacedEncounter) -> Placement:
    held = blocks(each.findings)
    return Placement(
        encounter_id=each.encounter_id,
        place=Place.HELD if held else Place.NOT_BILLABLE,
        reason=held[0].rule if held else each.reason,
        on=each.on,
        findings=each.findings,
    )
