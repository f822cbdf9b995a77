"""One service day under one service definition: its class, its claim lines, or the reason it is not billed.

A day is never coded up: a short day gets the half-day code where the payer buys one, its sessions where the payer buys
those, else no line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from gateway.claim.attendance import DayClass, ServiceDay, Session
from gateway.claim.claim import ClaimLine
from gateway.claim.contract import (
    Bundling,
    Catalogue,
    ClaimForm,
    Facility,
    HalfDay,
    ItemisedService,
    LineOfBusiness,
    PartialDay,
    Payer,
    ServiceDefinition,
    UnitBasis,
)
from gateway.claim.finding import Finding, Owner, Severity
from gateway.claim.origins import Origins
from gateway.claim.party import Practitioner
from gateway.claim.record import AttendanceStatus, Modality
from gateway.services.days import reaches_minimum
from gateway.services.resolve import resolve_charge

TELEHEALTH = frozenset({Modality.TELEHEALTH_HOME, Modality.TELEHEALTH_OTHER})
# CMS place of service codes: 10 the patient's home, 02 anywhere else on a screen.
_TELEHEALTH_PLACES = {Modality.TELEHEALTH_HOME: "10", Modality.TELEHEALTH_OTHER: "02"}
_MISSED = {
    AttendanceStatus.PLANNED: "planned",
    AttendanceStatus.NO_SHOW: "no-show",
    AttendanceStatus.CANCELLED: "cancelled",
    AttendanceStatus.ERROR: "entered-in-error",
}
_ServiceKey = tuple[ItemisedService, Practitioner | None, Modality | None]


class DayBill(Struct, frozen=True, kw_only=True):
    """What a day is worth: lines (numbered by the caller), or none and the reason."""

    day_class: DayClass
    lines: tuple[ClaimLine, ...] = ()
    reason: str = ""
    """Empty when there are lines: ``no-show``, ``cancelled``, ``planned``, ``partial-day``, ``no-billed-service``."""
    findings: tuple[Finding, ...] = ()
    unbilled: Mapping[str, str] = field(default_factory=dict)
    """The reason by encounter id, of every encounter of the day that is on no line."""


def classify_day(day: ServiceDay, definition: ServiceDefinition) -> DayClass:
    """The day's class under the definition. A definition that states no minimum asks for one service, no minutes."""
    if not day.attended:
        return _missed_class(day)
    if day.services == 0 or not reaches(day, definition.minimum_minutes_day, definition.minimum_services_day):
        return DayClass.PARTIAL
    return DayClass.HOLD if day.unsigned else DayClass.FULL


def reaches(day: ServiceDay, minimum_minutes: int | None, minimum_services: int | None) -> bool:
    """True when the day has the minutes and services asked for; None asks for nothing."""
    return day.minutes >= (minimum_minutes or 0) and day.services >= (minimum_services or 0)


def bill_day(
    day: ServiceDay, definition: ServiceDefinition, facility: Facility, payer: Payer, catalogue: Catalogue
) -> DayBill:
    """The day's lines, or the reason it has none; every encounter of the day is on a line or has its reason.

    A day whose notes are unsigned still gets its lines: the gate holds them, with the dollars.
    """
    day_class = classify_day(day, definition)
    missed = {each.encounter_id: _MISSED[each.status] for each in day.sessions if each.status in _MISSED}
    attended = day.attended
    if not attended:
        return DayBill(day_class=day_class, reason=str(day_class), unbilled=missed)
    partial = day_class is DayClass.PARTIAL and not _is_half_day(day, definition.half_day)
    by_session = partial and definition.partial_day is PartialDay.ITEMISE and day.services > 0
    if partial and not by_session:
        return _not_billed(day, definition, missed)
    billing = _Billing(day, attended, definition, facility, payer, catalogue)
    itemised = by_session or definition.bundling is Bundling.ITEMISED
    lines, findings, unbilled = billing.itemised() if itemised else billing.per_diem(day_class)
    return DayBill(
        day_class=day_class,
        lines=tuple(lines),
        reason="" if lines else "no-billed-service",
        findings=tuple(findings),
        unbilled={**missed, **unbilled},
    )


def _missed_class(day: ServiceDay) -> DayClass:
    statuses = {each.status for each in day.sessions}
    if AttendanceStatus.PLANNED in statuses:
        return DayClass.PLANNED
    return DayClass.NO_SHOW if AttendanceStatus.NO_SHOW in statuses else DayClass.CANCELLED


def _is_half_day(day: ServiceDay, half_day: HalfDay | None) -> bool:
    return half_day is not None and day.services > 0 and day.minutes >= half_day.minimum_minutes


def _not_billed(day: ServiceDay, definition: ServiceDefinition, missed: Mapping[str, str]) -> DayBill:
    attended = {each.encounter_id: "partial-day" for each in day.attended}
    values = {"minutes": str(day.minutes), "services": str(day.services)}
    if definition.minimum_minutes_day is not None:
        values["minimum_minutes"] = str(definition.minimum_minutes_day)
    if definition.minimum_services_day is not None:
        values["minimum_services"] = str(definition.minimum_services_day)
    asked = " and ".join(
        part
        for part in (
            f"{definition.minimum_minutes_day} minutes" if definition.minimum_minutes_day else "",
            f"{definition.minimum_services_day} services" if definition.minimum_services_day else "",
        )
        if part
    )
    finding = Finding(
        rule="day-too-short",
        code="",
        severity=Severity.WARN,
        path="encounter.end_at",
        message=f"{day.on} has {day.minutes} attended minutes and {day.services} services; "
        f"a billable day needs {asked or 'one service'}.",
        fix="Check the sign-in and sign-out times; a day that was really this short is not billed.",
        owner=Owner.FRONT_DESK,
        values={**values, "definition": definition.entry},
        origin=day.attended[-1].origin("end_at"),
    )
    return DayBill(
        day_class=DayClass.PARTIAL, reason="partial-day", findings=(finding,), unbilled={**missed, **attended}
    )


class _Bought(Struct, frozen=True):
    """The codes of one line, and the entry that names them."""

    revenue_code: str
    hcpcs: str
    modifiers: tuple[str, ...]
    basis: UnitBasis
    entry: str


class _Billing(Struct, frozen=True):
    """The making of one day's lines."""

    day: ServiceDay
    attended: tuple[Session, ...]
    definition: ServiceDefinition
    facility: Facility
    payer: Payer
    catalogue: Catalogue

    def per_diem(self, day_class: DayClass) -> tuple[list[ClaimLine], list[Finding], dict[str, str]]:
        """One line for the whole day, or for the half of it. Sessions that are not clinical ride along."""
        definition, day = self.definition, self.day
        codes: ServiceDefinition | HalfDay = definition
        if day_class is DayClass.PARTIAL and definition.half_day is not None:
            codes = definition.half_day
        entry = codes.entry or definition.entry
        bought = _Bought(codes.revenue_code, codes.hcpcs, codes.modifiers, definition.unit_basis, entry)
        clinical = [each for each in self.attended if self.catalogue.sessions[each.session].clinical]
        line, findings = self._line(bought, clinical, self.attended, day.minutes, day.services)
        if line is None:
            return [], [], {each.encounter_id: "below-one-unit" for each in self.attended}
        return [line], findings, {}

    def itemised(self) -> tuple[list[ClaimLine], list[Finding], dict[str, str]]:
        """One line for each service and clinician of the day; what the definition does not buy has its reason."""
        groups, findings, unbilled = self._services()
        lines = []
        for (item, _, _), sessions in groups.items():
            entry = item.entry or self.definition.entry
            bought = _Bought(item.revenue_code, item.hcpcs, item.modifiers, item.unit_basis, entry)
            minutes = sum(each.minutes for each in sessions)
            line, problems = self._line(bought, sessions, sessions, minutes, len(sessions))
            if line is None:
                unbilled |= {each.encounter_id: "below-one-unit" for each in sessions}
            else:
                lines.append(line)
                findings += problems
        lines.sort(key=lambda each: (each.revenue_code, each.hcpcs, each.modifiers, each.encounter_ids))
        return lines, findings, unbilled

    def _services(self) -> tuple[dict[_ServiceKey, list[Session]], list[Finding], dict[str, str]]:
        """The day's sessions by what bills them, and what bills none of them."""
        items = {each.session: each for each in self.definition.items}
        groups: dict[_ServiceKey, list[Session]] = defaultdict(list)
        findings: list[Finding] = []
        unbilled: dict[str, str] = {}
        for session in self.attended:
            item = items.get(session.session)
            if item is None:
                unbilled[session.encounter_id] = "not-a-billed-service"
                if self.catalogue.sessions[session.session].clinical:
                    findings.append(self._not_bought(session))
            elif not reaches_minimum(session, self.catalogue):
                unbilled[session.encounter_id] = "below-minimum"
                findings.append(self._too_short(session))
            else:
                rendering = session.rendering if self.definition.rendering_required else None
                remote = session.modality if session.modality in TELEHEALTH else None
                groups[item, rendering, remote].append(session)
        return groups, findings, unbilled

    def _line(
        self, bought: _Bought, sessions: Sequence[Session], behind: Sequence[Session], minutes: int, services: int
    ) -> tuple[ClaimLine | None, list[Finding]]:
        """The line of these sessions, with every session ``behind`` it; None when they are less than one unit."""
        on, definition = self.day.on, self.definition
        units = _units(bought.basis, minutes, len(sessions))
        if not units:
            return None, []
        charge = resolve_charge(self.catalogue, self.facility, bought.revenue_code, bought.hcpcs, bought.modifiers, on)
        found, cents, entry = ([charge], 0, "") if isinstance(charge, Finding) else ([], charge.cents, charge.entry)
        remote = _all_remote(sessions)
        line = ClaimLine(
            number=0,
            service_on=on,
            revenue_code=bought.revenue_code,
            hcpcs=bought.hcpcs,
            modifiers=self._modifiers(bought.modifiers, remote is not None),
            charge_cents=cents * units,
            units=units,
            unit_basis=bought.basis,
            place_of_service=self._place(remote),
            rendering=most_named(each.rendering for each in sessions) if definition.rendering_required else None,
            minutes=minutes,
            services=services,
            encounter_ids=tuple(each.encounter_id for each in behind),
            definition_id=definition.id,
            definition=bought.entry,
            charge_entry=entry,
            origins=Origins.first_of(each.origins for each in sessions),
        )
        return line, found

    def _modifiers(self, modifiers: tuple[str, ...], remote: bool) -> tuple[str, ...]:
        """The definition's modifiers, then telehealth's, then the off-campus one Medicare asks on every line."""
        added = self.definition.telehealth_modifiers if remote else ()
        off_campus = self.facility.off_campus_modifier
        medicare = self.payer.line_of_business in (LineOfBusiness.MEDICARE, LineOfBusiness.MEDICARE_ADVANTAGE)
        if off_campus and medicare and self.definition.form is ClaimForm.INSTITUTIONAL:
            added = (*added, off_campus)
        return tuple(dict.fromkeys((*modifiers, *added)))

    def _place(self, remote: Modality | None) -> str:
        """Place of service of a professional line; an institutional line has none."""
        if self.definition.form is not ClaimForm.PROFESSIONAL:
            return ""
        if remote is not None:
            return self.definition.telehealth_place_of_service or _TELEHEALTH_PLACES[remote]
        return self.definition.place_of_service or self.facility.place_of_service

    def _not_bought(self, session: Session) -> Finding:
        return Finding(
            rule="session-not-in-definition",
            code="",
            severity=Severity.WARN,
            path="encounter.session",
            message=f"The service definition has no line for {session.session}, so the session is not billed.",
            fix="Add the kind of session to the definition's items if the payer buys it.",
            owner=Owner.BILLING,
            values={"session": session.session, "definition": self.definition.entry},
            origin=session.origin("session"),
        )

    def _too_short(self, session: Session) -> Finding:
        kind = self.catalogue.sessions[session.session]
        minutes = session.minutes
        return Finding(
            rule="session-too-short",
            code="",
            severity=Severity.WARN,
            path="encounter.end_at",
            message=f"The {session.session} session lasted {minutes} minutes; it counts from {kind.minimum_minutes}.",
            fix="Check the session's times; one that was really this short is not billed.",
            owner=Owner.FRONT_DESK,
            values={"minutes": str(minutes), "minimum_minutes": str(kind.minimum_minutes), "entry": kind.entry},
            origin=session.origin("end_at"),
        )


def _units(basis: UnitBasis, minutes: int, sessions: int) -> int:
    """Whole units only: an hour or quarter that was only begun is not a unit."""
    if basis is UnitBasis.DAY:
        return 1
    if basis is UnitBasis.SESSION:
        return sessions
    return minutes // (60 if basis is UnitBasis.HOUR else 15)


def _all_remote(sessions: Sequence[Session]) -> Modality | None:
    """The modality of a line whose every session was on a screen; a mixed day is a day in the program's rooms."""
    remote = [each.modality for each in sessions if each.modality in TELEHEALTH]
    if len(remote) < len(sessions):
        return None
    return Modality.TELEHEALTH_HOME if Modality.TELEHEALTH_HOME in remote else remote[0]


def most_named(practitioners: Iterable[Practitioner | None]) -> Practitioner | None:
    """The one named most often, the first of those named equally often."""
    counts = Counter(each for each in practitioners if each is not None)
    return max(counts, key=counts.__getitem__, default=None)
